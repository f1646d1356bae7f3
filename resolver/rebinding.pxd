# C types; the meaning is in rebinding.py.
cimport cython

cdef class Guard:
    cdef readonly bint enabled
    cdef object _allowed
    cdef list _private4
    cdef list _private6
    cdef list _wrappings
    cdef bytes _suspect4
    cdef bytes _suspect6

    cpdef bint guards(self, bytes name) except -1
    @cython.locals(address=bytes)
    cpdef bint holds_private(self, object addresses) except -1
    @cython.locals(suspect=bytes, a=int, b=int, c=int, d=int)
    cpdef bint is_private(self, bytes address) except -1
