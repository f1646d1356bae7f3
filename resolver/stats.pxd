# C types; the meaning is in stats.py.

cdef class Stats:
    cdef public long long dropped
    cdef public long long limited
    cdef public long long send_failures
    cdef public list transports
    cdef public list verdicts
    cdef public list rcodes
    cdef public dict by_category
    cdef public dict by_list
    cdef public dict tallies

    cpdef count(self, int transport, int rcode, int verdict, int category_id, int list_id)
