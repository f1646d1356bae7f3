# C types; the meaning is in ready_table.py.
cimport cython
from dnswire.octets cimport get64, same
from resolver.ready cimport Ready

cdef extern from "<Python.h>":
    ctypedef struct PyObject
    PyObject** places "PySequence_Fast_ITEMS"(list slots)

cdef extern from * nogil:
    void prefetch "__builtin_prefetch"(const void* memory)

ctypedef PyObject* p_object

cdef int _PROBES
cdef Py_ssize_t _NAME_AT
cdef unsigned long long _MIX
cdef unsigned long long _ALL
cdef Py_ssize_t _PLACES_A_READY
cdef Py_ssize_t _MAX_BODIES

cdef class ReadyTable:
    cdef long _max_bytes
    cdef unsigned long long _seed
    cdef list _slots
    cdef Py_ssize_t _last
    cdef Py_ssize_t _count
    cdef list _leaving
    cdef dict _bodies
    cdef Py_ssize_t _hand
    cdef readonly long size_bytes

    @cython.locals(mark=cython.ulonglong, at=cython.Py_ssize_t, stop=cython.Py_ssize_t)
    cdef unsigned long long mark(
        self, unsigned char* name, Py_ssize_t start, Py_ssize_t size, unsigned int rrtype, unsigned int form,
        unsigned long long view
    ) noexcept
    @cython.locals(slots=list, step=int, ready=Ready)
    cdef Ready find(
        self, unsigned long long mark, unsigned char* name, Py_ssize_t start, Py_ssize_t size, unsigned int rrtype,
        unsigned int form, int view
    )
    @cython.locals(place=cython.Py_ssize_t)
    cpdef put(self, Ready ready)
    @cython.locals(rest=bytes, octets=cython.p_uchar)
    cdef unsigned long long _mark_of(self, Ready ready)
    @cython.locals(mark=cython.ulonglong, place=cython.Py_ssize_t, step=int, before=Ready)
    cdef Py_ssize_t _place_for(self, Ready ready) except -1
    @cython.locals(before=Ready)
    cdef _free(self, Py_ssize_t place)
    @cython.locals(before=list, places=cython.Py_ssize_t, place=cython.Py_ssize_t, ready=Ready)
    cdef _grow(self)
    cdef void fetch_place(self, unsigned long long mark) noexcept
    cdef void fetch_ready(self, unsigned long long mark) noexcept
    @cython.locals(found=p_object, ready=Ready)
    cdef void fetch_parts(self, unsigned long long mark) noexcept
    cpdef bint shed(self, long limit) except -1

@cython.locals(line=int)
cdef void _fetch(PyObject* thing, int lines) noexcept

cdef bint _same_question(Ready one, Ready other) except -1
