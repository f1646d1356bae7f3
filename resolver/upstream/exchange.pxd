# C types; the meaning is in exchange.py.
cimport cython
from dnswire.answer cimport Answer
from resolver.wheel cimport Timed

cdef int _ROUNDS
cdef int _TCP_ROUND
cdef int _MAX_SENDS

cdef class Attempt:
    cdef public object carrier
    cdef public int message_id
    cdef public double sent_s
    cdef public double until_s
    cdef public bint blamed

cdef class Exchange(Timed):
    cdef public object owner
    cdef public bytes question
    cdef public bytes cased
    cdef public bint do
    cdef public bint cd
    cdef public tuple plan
    cdef public double attempt_s
    cdef public double deadline_s
    cdef public object done
    cdef public int attempts
    cdef public int sends
    cdef public int server
    cdef public bint tcp
    cdef public bint redialled
    cdef public object plain
    cdef public object renewed
    cdef public double sent_s
    cdef public double until_s
    cdef public bint blamed
    cdef public object carrier
    cdef public int message_id
    cdef public list others
    cdef public bint overlaps
    cdef public double hedge_s
    cdef public double resend_s
    cdef public Answer answer
    cdef public int answered_by
    cdef public object reason
    cdef public bint ended

    cpdef expired(self, double now_s)
    cpdef int next_attempt(self, double now_s) except -1
    cpdef int resend(self, double now_s) except -1
    cpdef int overlap(self, double now_s) except -1
    cpdef int attempt_timed_out(self, double now_s) except -1
    cpdef int attempt_failed(self, object reason, double now_s) except -1
    cpdef int accepted(self, Answer answer, int server, double now_s) except -1
    cpdef Attempt settle(self, object carrier, int message_id)
    cpdef double next_event_s(self) except -1e300
    cdef int _again(self, int action, double now_s) except -1
    cdef int _send(self, int action, double now_s) except -1
    cdef double _due(self, double latest_s) except -1e300
    cdef _give_up_attempt(self)
