# C types; the meaning is in jostle.py.
from resolver.upstream.exchange cimport Exchange

cdef class Places:
    cdef object _expected_s
    cdef object _load
    cdef object _taken
    cdef public long evicted

    cpdef take(self, Exchange exchange, double now_s)
    cpdef leave(self, Exchange exchange)
