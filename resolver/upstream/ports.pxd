# C types; the meaning is in ports.py.
cimport cython
from resolver.upstream.carrier cimport Carrier

cdef class Port(Carrier):
    cdef object _loop
    cdef public int fd
    cdef public str local
    cdef public list outbox
    cdef public object sock
    cdef public long uses

    cpdef close(self)

cdef class PortPool:
    cdef tuple _address
    cdef object _datagrams
    cdef object _events
    cdef int _family
    cdef object _loop
    cdef double _max_age_s
    cdef long _max_uses
    cdef int _server
    cdef list _slots
    cdef Port _turns
    cdef list _unsent
    cdef public long late
    cdef public set open_ports
    cdef public long opened

    @cython.locals(port=Port)
    cpdef Port of_turn(self, unsigned int draw, double now_s)
    cpdef post(self, Port port, bytes query)
    @cython.locals(index=int, port=Port)
    cpdef Port take(self, unsigned int draw, double now_s)
    @cython.locals(port=Port)
    cpdef Port awaiting(self, int message_id, Carrier but)
    @cython.locals(old=Port, port=Port, spare=Port)
    cdef Port _renew(self, int index, double now_s)
    @cython.locals(port=Port)
    cdef Port _open(self, double now_s)
    cdef _forget_closed(self)
    cdef _use(self, Port port)
    @cython.locals(unsent=list, port=Port, queries=list)
    cpdef _send(self)
    @cython.locals(messages=list, message=bytes)
    cpdef _readable(self, Port port)
    @cython.locals(message_id=int)
    cdef _received(self, Port port, bytes message)
