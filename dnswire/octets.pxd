# C types; the meaning is in octets.py.
cimport cython

cdef extern from "<string.h>" nogil:
    void* memcpy(void* into, const void* octets, size_t size)
    int memcmp(const void* one, const void* other, size_t size)

cdef extern from "<endian.h>" nogil:
    unsigned int htobe32(unsigned int value)
    unsigned int htole32(unsigned int value)
    unsigned long long htole64(unsigned long long value)

cdef unsigned char* stretch(unsigned char[::1] view, Py_ssize_t start, Py_ssize_t size) except NULL
cdef int copy(unsigned char* into, Py_ssize_t at, bytes octets, Py_ssize_t start, Py_ssize_t size) except -1
@cython.locals(there=cython.p_char)
cdef bint same(unsigned char* memory, Py_ssize_t at, bytes octets, Py_ssize_t start, Py_ssize_t size) noexcept
@cython.locals(word=cython.ulonglong)
cdef unsigned long long get64(unsigned char* memory, Py_ssize_t at) noexcept
@cython.locals(ordered=cython.uint)
cdef void put32(unsigned char* into, Py_ssize_t at, unsigned int value) noexcept
@cython.locals(ordered=cython.uint)
cdef void put32_low(unsigned char* into, Py_ssize_t at, unsigned int value) noexcept
@cython.locals(ordered=cython.ulonglong)
cdef void put64_low(unsigned char* into, Py_ssize_t at, unsigned long long value) noexcept
