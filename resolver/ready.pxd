# C types; the meaning is in ready.py.
from resolver.cache cimport Entry
from resolver.stats cimport Count

cdef class Ready:
    cdef public bytes body
    cdef readonly bytes ttls
    cdef readonly bytes rest
    cdef readonly Entry entry
    cdef readonly long version
    cdef readonly long ttl_s
    cdef readonly int verdict
    cdef readonly Count verdict_hits
    cdef readonly Count rcode_hits
    cdef readonly Count category_hits
    cdef readonly Count list_hits
    cdef readonly long cost_bytes
