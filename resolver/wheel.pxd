# C types; the meaning is in wheel.py.
cimport cython

cdef int _RING_SIZE

cdef class Timed:
    cdef public double due_s
    cdef public int slot
    cpdef expired(self, double now_s)

cdef class Wheel:
    cdef object _call_later
    cdef object _clock
    cdef double _tick_s
    cdef list _ring
    cdef long long _position
    cdef object _armed
    cdef readonly long count

    @cython.locals(tick=cython.longlong)
    cpdef add(self, Timed item, double due_s)
    cpdef discard(self, Timed item)
    @cython.locals(target=cython.longlong, slot=int)
    cpdef advance(self, double now_s)
    @cython.locals(item=Timed)
    cdef _expire(self, set due, double now_s)
    cdef _arm(self)
    cpdef _tick(self)
