# C types; the meaning is in zone_pressure.py.
cimport cython

cdef long _FAR_FACTOR
cdef frozenset _SHARED

cdef class ZonePressure:
    cdef long _limit
    cdef dict _counts
    cdef public long refused

    @cython.locals(near=bytes, far=bytes)
    cpdef bint admits(self, bytes name) except -1
    cpdef enter(self, bytes name)
    @cython.locals(left=long)
    cpdef leave(self, bytes name)

@cython.locals(offset=int, labels=int, fourth=int, third=int, second=int, last=int)
cpdef tuple suffixes(bytes name)
