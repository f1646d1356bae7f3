# C types; the meaning is in sources.py.

cdef class Bucket:
    cdef double _qps
    cdef double _size
    cdef double _level
    cdef double _stamp_s

    cpdef bint take(self, double now_s) except -1

cdef class Source:
    cdef Bucket _bucket
    cdef Bucket _prefix
    cdef long _slip
    cdef long long _over
    cdef public long pending

    cpdef int judge(self, double now_s) except -1
