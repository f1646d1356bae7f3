# C types; the meaning is in order.py.
cimport cython
from resolver.upstream.exchange cimport Exchange
from resolver.upstream.health cimport Health

cdef double _FINE_TICK_S
cdef double _TICK_S
cdef double _RESEND_FACTOR
cdef double _MIN_RESEND_S
cdef double _RESORT_S
cdef long _EXPLORE_EVERY

cdef class StrictOrder:
    cdef object _servers
    cdef tuple _plan
    cpdef tuple plan(self, double now_s)

cdef class Strategy:
    cdef object _servers
    cdef readonly object order
    cdef int _racers
    cdef readonly object hedges
    cdef readonly double tick_s
    cdef readonly bint together

    @cython.locals(asked=int)
    cpdef bint wants_another(self, Exchange exchange) except -1
    @cython.locals(first=Health, second=Health, patience_s=double)
    cpdef double hedge_s(self, Exchange exchange, double now_s) except -1
    @cython.locals(first=Health, patience_s=double)
    cpdef double resend_s(self, Exchange exchange, double now_s) except -1
    cpdef answered(self, Exchange exchange)
