# C types; the meaning is in dispatch.py.
cimport cython
from resolver.upstream.exchange cimport Exchange
from resolver.upstream.inbox cimport Inbox
from resolver.upstream.jostle cimport Places
from resolver.upstream.order cimport Strategy
from resolver.upstream.ports cimport Port
from resolver.upstream.randomness cimport Draws
from resolver.upstream.server cimport Server
from resolver.wheel cimport Timed, Wheel

cdef class Dispatcher:
    cdef readonly object settings
    cdef object _clock
    cdef object _loop
    cdef Draws _draws
    cdef readonly list _servers
    cdef readonly Inbox inbox
    cdef readonly Strategy strategy
    cdef object _order
    cdef readonly Wheel _wheel
    cdef object _recovered
    cdef readonly Places _places
    cdef bint _closed
    cdef object _idle
    cdef readonly long started
    cdef readonly long overloaded
    cdef readonly long failed
    cdef long _max_outstanding

    @cython.locals(now_s=double, full=bint, plan=tuple, exchange=Exchange, action=int, first=Server)
    cpdef Exchange ask(self, bytes asked, bint do, bint cd, object done)
    @cython.locals(exchange=Exchange, cased=bytes)
    cdef Exchange _new(self, bytes asked, bint do, bint cd, tuple plan, double span_s, double now_s, object done)
    cpdef perform(self, Exchange exchange, int action, double now_s)
    @cython.locals(server=Server)
    cdef int _send_udp(self, Exchange exchange, double now_s) except -1
    cpdef unschedule(self, Timed item)
    cdef _release(self, Exchange exchange)
    @cython.locals(server=Server)
    cdef _finish(self, Exchange exchange)
