# C types; the meaning is in sources.py.
cimport cython

cdef class Bucket:
    cdef double _qps
    cdef double _size
    cdef double _level
    cdef double _stamp_s

    @cython.locals(gone_s=double)
    cpdef bint has(self, double now_s) except -1
    cpdef bint take(self, double now_s) except -1

cdef class Source:
    cdef Bucket _bucket
    cdef Bucket _prefix
    cdef long _slip
    cdef long long _over
    cdef public long pending

    cpdef bint within(self, double now_s) except -1
    cpdef int judge(self, double now_s) except -1
