# C types; the meaning is in health.py.
from resolver.upstream.latency cimport Latency

cdef double _RTT_WEIGHT

cdef class Health:
    cdef double _backoff_s
    cdef int _failures_to_down
    cdef double _first_backoff_s
    cdef double _max_backoff_s
    cdef public double answered_s
    cdef public bint down
    cdef public long failures
    cdef public Latency latency
    cdef public double retry_s
    cdef public double rtt_s

    cpdef bint answered(self, double now_s) except -1
    cpdef measured(self, double rtt_s)
    cpdef bint failed(self, double sent_s, double now_s, double rtt_floor_s) except -1
