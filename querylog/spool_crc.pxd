# C types; the meaning is in spool_crc.py.
cimport cython

cdef unsigned int _TABLES[2048]
cdef unsigned int _POLYNOMIAL
cdef unsigned int _ONES

@cython.locals(octet=cython.uint, crc=cython.uint, place=cython.uint, before=cython.uint)
cdef void _prepare()

cdef unsigned int checksum(unsigned char* octets, Py_ssize_t start, Py_ssize_t size, unsigned int seed) noexcept

@cython.locals(word=cython.uint)
cdef unsigned int _four(unsigned char* octets, Py_ssize_t at) noexcept

@cython.locals(low=cython.uint, high=cython.uint, crc=cython.uint)
cdef unsigned int _by_tables(unsigned char* octets, Py_ssize_t at, Py_ssize_t stop, unsigned int seed) noexcept
