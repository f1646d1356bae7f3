# C types; the meaning is in group.py.
cimport cython
from resolver.coalesce cimport Coalescer, Flight
from resolver.upstream.dispatch cimport Dispatcher

cdef tuple _DO_CD

cdef class UpstreamGroup:
    cdef object _loop
    cdef object _clock
    cdef readonly Coalescer _coalescer
    cdef object _recent
    cdef readonly Dispatcher _dispatcher

    @cython.locals(key=bytes, flight=Flight)
    cpdef bint start(self, bytes asked, bint do, bint cd, object done) except -1
    cpdef _landed(self, bytes key, Flight flight, object result, int upstream)
