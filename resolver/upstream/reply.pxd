# C types; the meaning is in reply.py.
cimport cython
from dnswire.answer cimport Answer
from resolver.upstream.dialect cimport Dialect

cdef class Heard:
    cdef public Answer answer
    cdef public double keep_s
    cdef public int verdict

@cython.locals(folds=bint, verdict=int, answer=Answer, reply_options=bytes)
cpdef Heard by_udp(bytes message, bytes asked, bytes cased, bint sent_edns, Dialect dialect, double now_s)
