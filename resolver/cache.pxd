# C types; the meaning is in cache.py.
cimport cython

cdef int _MAX_FREQ

from dnswire.answer cimport Answer

cdef class Entry:
    cdef public bytes key
    cdef public Answer answer
    cdef public double stored_s
    cdef public double expires_s
    cdef public long size_bytes
    cdef public int freq
    cdef public bint in_main
    cdef public bint live

cdef class Cache:
    cdef public long _max_size_bytes
    cdef public long _max_ttl_s
    cdef public long _min_ttl_s
    cdef public long _negative_max_ttl_s
    cdef public long _failure_ttl_s
    cdef public dict _entries
    cdef public object _small
    cdef public object _main
    cdef public long _small_bytes
    cdef public long _dead
    cdef public set _ghost
    cdef public object _ghost_order
    cdef public long long size_bytes
    cdef public long long hits
    cdef public long long misses
    cdef public long long expired
    cdef public long long inserted
    cdef public long long evicted
    cdef public long long flushed
    cdef public long long refused

    @cython.locals(entry=Entry)
    cpdef Entry get(self, bytes key, double now_s)
    cpdef put(self, bytes key, Answer answer, double now_s)
    cpdef long lifetime_s(self, Answer answer) except -1
