# C types; the meaning is in name.py.
cimport cython

cdef int _MAX_LABEL
cdef int _MAX_NAME
cdef int _MAX_POINTERS

@cython.locals(
    size=int, parts=list, begin=int, last=bytes, total=int, after=int, pointers=int, length=int, end=int, target=int
)
cpdef tuple read(bytes message, int offset)

@cython.locals(size=int, length=int)
cpdef int skip(bytes message, int offset) except -1
