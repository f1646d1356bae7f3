# C types; the meaning is in stats.py.

cdef class Count:
    cdef public long long value

    cpdef add(self)

cdef class Stats:
    cdef public long long dropped
    cdef public long long fast
    cdef public long long limited
    cdef public long long send_failures
    cdef public list transports
    cdef public list verdicts
    cdef public list rcodes
    cdef public dict by_category
    cdef public dict by_list
    cdef public dict tallies

    cpdef count(self, int transport, int rcode, int verdict, int category_id, int list_id)
    cpdef Count of_transport(self, int transport)
    cpdef Count of_verdict(self, int verdict)
    cpdef Count of_rcode(self, int rcode)
    cpdef Count of_category(self, int category_id)
    cpdef Count of_list(self, int list_id)
