# C types; the meaning is in inbox.py.
cimport cython
from resolver.upstream.carrier cimport Carrier
from resolver.upstream.exchange cimport Attempt, Exchange
from resolver.upstream.reply cimport Heard
from resolver.upstream.server cimport Server

cdef class Inbox:
    cdef object _desk
    cdef list _servers

    @cython.locals(now_s=double, server=Server, exchange=Exchange, plain=bint, heard=Heard)
    cpdef replied(self, Carrier carrier, int message_id, bytes message)
    @cython.locals(server=Server, attempt=Attempt, by_udp=bint, action=int)
    cdef _judged(self, Carrier carrier, int message_id, Exchange exchange, Heard heard, double now_s)
    cdef _heard(self, Server server, Attempt attempt, Carrier carrier, double now_s)
