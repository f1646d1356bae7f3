# C types; the meaning is in teaching.py.
cimport cython
from dnswire.answer cimport Answer
from dnswire.query cimport Query
from resolver.in_force cimport InForce, Known, Plan
from resolver.ready cimport Ready
from resolver.stats cimport Stats
from resolver.turn cimport Turn

cdef int _UDP
cdef int _IN
cdef int _RD
cdef int _CD
cdef int _AD
cdef int _TC_OCTET
cdef long long _MAX_ID

@cython.locals(form=int, query=Query, plan=Plan, known=Known)
cpdef teach(Turn turn, Stats stats, bytes wire, int rcode, unsigned int digest, bytes ttls, long ttl_s)

@cython.locals(flags=int, form=int)
cpdef int form_of(Query query) except -2

cpdef bytes ttls_of(Answer answer)
