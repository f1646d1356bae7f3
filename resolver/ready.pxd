# C types; the meaning is in ready.py. What every look needs stands first: one line of the processor's cache.
from resolver.cache cimport Entry
from resolver.stats cimport Count
cimport cython

cdef class Ready:
    cdef public unsigned long long mark
    cdef readonly int view
    cdef readonly unsigned short rrtype
    cdef readonly unsigned char form
    cdef readonly unsigned char verdict
    cdef readonly int name_size
    cdef readonly int rest_size
    cdef readonly int body_at
    cdef readonly int body_size
    cdef readonly bytes rest
    cdef public bytes body
    cdef readonly Entry entry
    cdef readonly long version
    cdef readonly long ttl_s
    cdef readonly Count verdict_hits
    cdef readonly Count rcode_hits
    cdef readonly Count category_hits
    cdef readonly Count list_hits
    cdef readonly long cost_bytes
