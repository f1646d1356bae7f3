# C types; the meaning is in cache.py.
cimport cython

cdef int _MAX_FREQ
cdef int _NOERROR
cdef int _NXDOMAIN
cdef int _PROMOTE_ABOVE
cdef int _REFRESH_ABOVE
cdef double _REFRESH_AFTER
cdef double _REFRESH_MIN_LIFETIME_S
cdef int _MAX_SECOND_CHANCES
cdef long _ENTRY_COST
cdef long _RR_COST
cdef long _TARGET_COST
cdef long _GHOST_COST

from dnswire.answer cimport Answer

cdef Answer _GONE

cdef class Entry:
    cdef public bytes key
    cdef public Answer answer
    cdef public double stored_s
    cdef public double expires_s
    cdef public double refresh_s
    cdef public double retry_s
    cdef public long size_bytes
    cdef public int freq
    cdef public bint in_main
    cdef public bint live
    cdef public long version

    cpdef leave(self)

cdef class Cache:
    cdef public long _max_size_bytes
    cdef public long _max_ttl_s
    cdef public long _min_ttl_s
    cdef public long _negative_max_ttl_s
    cdef public long _failure_ttl_s
    cdef public long _stale_max_s
    cdef public bint _refreshes
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
    cdef public long long refreshed
    cdef public long long stale_hits

    @cython.locals(entry=Entry)
    cpdef Entry get(self, bytes key, double now_s)
    cpdef touch(self, Entry entry)
    @cython.locals(entry=Entry)
    cpdef Entry stale(self, bytes key, double now_s)
    cpdef bint wants_refresh(self, Entry entry) except -1
    cpdef put(self, bytes key, Answer answer, double now_s)
    @cython.locals(entry=Entry)
    cpdef bint postpone(self, bytes key, double now_s) except -1
    @cython.locals(entry=Entry, lifetime_s=double)
    cdef _keep(self, bytes key, Answer answer, double stored_s, double expires_s, double now_s)
    cpdef long lifetime_s(self, Answer answer) except -1
    cdef _insert(self, Entry entry)
    cdef _resize(self, Entry entry, long size_bytes)
    cdef _evict(self, double now_s)
    @cython.locals(entry=Entry)
    cdef _evict_small(self, double now_s)
    @cython.locals(entry=Entry)
    cpdef _evict_main(self, double now_s)
    @cython.locals(entry=Entry)
    cdef _drop_oldest_main(self)
    cdef _drop(self, Entry entry)
    cdef _remember_ghost(self, object mark)
    cdef _forget_ghost(self)

@cython.locals(targets=long)
cpdef long cost_bytes(bytes key, Answer answer) except -1
cpdef bint is_failure(Answer answer) except -1
cdef bint _is_negative(Answer answer) except -1
