# C types; the meaning is in randomness.py.
cimport cython

cdef int _BLOCK_SIZE

cdef class Draws:
    cdef object _random_bytes
    cdef const unsigned int[::1] _block
    cdef int _left
    cdef bytes _octets
    cdef int _offset

    cpdef unsigned int bits32(self) except? 0
    @cython.locals(end=int, drawn=bytes)
    cpdef bytes octets(self, int size)
