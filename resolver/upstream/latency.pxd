# C types; the meaning is in latency.py.

cdef int _KEPT
cdef int _ENOUGH
cdef int _EVERY

cdef class Latency:
    cdef list _times_s
    cdef long _count
    cdef public double p95_s
    cpdef add(self, double rtt_s)
