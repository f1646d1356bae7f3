# C types; the meaning is in routing.py.
cimport cython

cdef class Target:
    cdef readonly int group
    cdef readonly tuple keys
    cdef readonly bint public
    cdef readonly bint inside

cdef class Table:
    cdef readonly int number
    cdef dict _by_suffix
    cdef Target _first

    @cython.locals(target=Target)
    cpdef Target find(self, bytes name)
