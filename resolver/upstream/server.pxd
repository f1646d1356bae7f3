# C types; the meaning is in server.py.
cimport cython
from resolver.upstream.dialect cimport Dialect
from resolver.upstream.exchange cimport Exchange
from resolver.upstream.health cimport Health
from resolver.upstream.ports cimport Port, PortPool
from resolver.upstream.randomness cimport Draws
from resolver.wheel cimport Timed

cdef class Server(Timed):
    cdef Draws _draws
    cdef object _events
    cdef object _http2
    cdef object _loop
    cdef object _prober
    cdef object _settings
    cdef object _where
    cdef readonly tuple address
    cdef public long answers
    cdef readonly object connections
    cdef readonly Dialect dialect
    cdef public long failures
    cdef readonly Health health
    cdef readonly object identity
    cdef readonly int index
    cdef readonly dict near_misses
    cdef readonly int number
    cdef readonly PortPool ports
    cdef readonly dict refused
    cdef readonly bint sealed
    cdef public long sent
    cdef public long sent_tcp
    cdef public long truncated

    cpdef expired(self, double now_s)
    @cython.locals(bits=cython.uint, port=Port, message_id=int, dialect=Dialect, asked=bytes, opt=bytes)
    cpdef send_udp(self, Exchange exchange, double now_s)
    cdef bint _with_edns(self, Exchange exchange, double now_s) except -1
