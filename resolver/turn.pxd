# C types; the meaning is in turn.py.
from dnswire.answer cimport Answer
from dnswire.query cimport Query
from resolver.cache cimport Entry
from resolver.in_force cimport InForce, Known, Plan

cdef class Turn:
    cdef public Query query
    cdef public Known known
    cdef public InForce in_force
    cdef public int transport
    cdef public double began_s
    cdef public double now_s
    cdef public object sender
    cdef public object address
    cdef public Plan plan
    cdef public bytes key
    cdef public bytes echo
    cdef public int cache_state
    cdef public int upstream
    cdef public object resumer
    cdef public Answer stale
    cdef public object patience
    cdef public bint answered
    cdef public bint again
    cdef public Entry entry
    cdef public tuple pressing
