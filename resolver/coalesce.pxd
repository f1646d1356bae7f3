# C types; the meaning is in coalesce.py.

cdef class Flight:
    cdef Coalescer _coalescer
    cdef bytes _key
    cdef public list waiting
    cpdef landed(self, object result, int upstream)

cdef class Coalescer:
    cdef object _failed
    cdef long _max_waiting
    cdef dict _flights
    cdef public long joined
    cdef public long refused
    cpdef Flight join(self, bytes key, object done)
    cpdef land(self, bytes key, Flight flight, object result, int upstream)
