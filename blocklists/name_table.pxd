# C types of the look-up; the meaning is in name_table.py.
cimport cython

cdef unsigned long long _MASK
cdef unsigned long long _MIX
cdef unsigned long long _ONE
cdef unsigned long long _CODE
cdef unsigned long long _TEN_LENGTHS
cdef unsigned long long _RAW_MASK
cdef unsigned int _NO_SLOT
cdef int _CODE_BITS
cdef int _SETS_AT
cdef int _SYMBOLS_AT
cdef int _END
cdef int _DOT
cdef int _REFILL
cdef int _BUCKET
cdef int _IN_GROUP
cdef int _GROUPS
cdef int _LONG
cdef int _ESCAPED
cdef int _RAW

cdef class NameTable:
    cdef const unsigned long long[::1] _filter
    cdef const unsigned int[::1] _slots
    cdef const unsigned int[::1] _starts
    cdef const unsigned char[::1] _blocks
    cdef const unsigned int[::1] _codes
    cdef const unsigned int[::1] _members
    cdef unsigned long long _start
    cdef unsigned long long _first
    cdef unsigned long long _second
    cdef long long _names
    cdef unsigned long long _buckets
    cdef unsigned long long _words
    cdef int _group_bits
    cdef dict _remembered

    @cython.locals(
        hashed=cython.ulonglong, word=cython.ulonglong, mixed=cython.ulonglong, lengths=cython.ulonglong,
        filled=int, labels=int, end=int, start=int, position=int, number=int, found=tuple, entries=tuple, symbols=bytearray,
    )
    cpdef tuple match(self, bytes name)

    @cython.locals(bits=cython.ulonglong)
    cdef bint _may_be_listed(self, unsigned long long mixed) except -1

    @cython.locals(
        group_bits=int, wanted=cython.ulonglong, groups=cython.ulonglong, place=cython.ulonglong, slot=cython.uint,
        number=int,
    )
    cdef int _set_of(self, bytearray symbols, int size, unsigned long long mixed) except -2

    @cython.locals(
        position=cython.longlong, octet=int, left=cython.longlong,
        block=cython.longlong, ahead=cython.longlong, following=cython.longlong, place=int, length=int,
        bits=cython.ulonglong, more=cython.ulonglong, held=int, matched=int, shared=int, code=cython.uint, number=int,
        same=cython.bint, table=cython.uint,
    )
    cdef int _set_in_group(self, long long group, bytearray symbols, int size) except -2

    @cython.locals(place=cython.longlong)
    cdef tuple _entries(self, long long number, int labels, bint itself)

    @cython.locals(relevant=int, place=cython.longlong, member=cython.uint, list_id=cython.uint, cover=cython.uint)
    cdef tuple _decoded(self, long long number, int labels, bint itself)

@cython.locals(lengths=cython.ulonglong, offset=int, length=int)
cdef unsigned long long _lengths_before(bytes name, int end) except? 0

@cython.locals(last=int, symbols=bytearray, position=int, following=int, octet=int)
cdef bytearray _symbols_of(bytes name)
