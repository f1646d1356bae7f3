# C types; the meaning is in carrier.py.
from resolver.upstream.exchange cimport Exchange
from resolver.wheel cimport Timed

cdef class Straggler(Timed):
    cdef object _owner
    cdef public Carrier carrier
    cdef public int message_id
    cdef public double sent_s
    cdef public bytes cased

    cpdef expired(self, double now_s)

cdef class Carrier:
    cdef public int server
    cdef public double opened_s
    cdef public dict table
    cdef public long pending
    cdef public bint retired

    cpdef expect(self, int message_id, Exchange exchange)
    cpdef bint awaits(self, int message_id, object waiter) except -1
    cpdef hand_over(self, int message_id, Straggler straggler)
    cpdef forget(self, int message_id, object waiter)
    cpdef retire(self)
    cpdef list take_waiting(self)
    cpdef close(self)
