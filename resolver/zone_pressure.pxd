# C types; the meaning is in zone_pressure.py.
cimport cython

cdef long _FAR_FACTOR
cdef frozenset _SHARED

cdef class ZonePressure:
    cdef long _limit
    cdef dict _counts
    cdef public long refused

    @cython.locals(near=bytes, far=bytes, pair=tuple, counts=dict, limit=long)
    cpdef tuple admits(self, bytes name)
    @cython.locals(near=bytes, far=bytes, counts=dict)
    cpdef enter(self, tuple pair)
    @cython.locals(near=bytes, far=bytes)
    cpdef leave(self, tuple pair)
    @cython.locals(left=long)
    cdef _count_down(self, bytes suffix)

@cython.locals(offset=int, labels=int, fourth=int, third=int, second=int, last=int)
cpdef tuple suffixes(bytes name)
