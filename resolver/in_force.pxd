# C types; the meaning is in in_force.py.
cimport cython
from dnswire.answer cimport Answer
from resolver.ready cimport Ready
from resolver.ready_table cimport ReadyTable
from resolver.rebinding cimport Guard
from resolver.routing cimport Table, Target
from resolver.sources cimport Source

cdef class Plan:
    cdef readonly object decision
    cdef readonly object rendered
    cdef readonly long long rule_id
    cdef readonly long long list_id
    cdef readonly long long category_id
    cdef readonly bytes matched
    cdef readonly int verdict
    cdef readonly int layer
    cdef readonly int via
    cdef readonly object own
    cdef readonly Answer relayed
    cdef readonly Target target
    cdef readonly bint guarded

cdef class Known:
    cdef readonly bytes address
    cdef readonly bint admitted
    cdef readonly long long agency_id
    cdef readonly long long unit_id
    cdef readonly object view
    cdef readonly dict plans
    cdef readonly dict inspected
    cdef readonly bint minds_addresses
    cdef readonly int place
    cdef readonly list tally
    cdef readonly object asker
    cdef readonly Table routes
    cdef public Known over_tcp
    cdef public Plan usual
    cdef public object speaker
    cdef public object named_by
    cdef public Source source
    cpdef befriend(self, Source source)

cdef class InForce:
    cdef readonly long long generation
    cdef readonly object policy
    cdef readonly object index
    cdef readonly object prepared
    cdef readonly object resolved
    cdef readonly double valid_until_s
    cdef readonly dict known
    cdef readonly dict taught
    cdef readonly bint about_tcp
    cdef readonly bint about_servers
    cdef readonly dict named
    cdef dict _memories
    cdef int _plan_count
    cdef int _places
    cdef public ReadyTable ready
    cdef dict _tallies
    cdef readonly object surroundings
    cdef Guard _guard
    cdef dict _routes

    cpdef Known identify(self, str host)
    cpdef Known stand_in(self, str host, long long agency_id, long long unit_id)
    cpdef Known behind(self, Known known, object claim)
    cdef Known _named(self, Known known, object named)
    cdef _limit_memories(self)
    cdef object _memory(self, object client, bytes address, bint over_tcp)
    @cython.locals(plan=Plan, target=Target, guarded=bint)
    cpdef Plan plan(self, Known known, bytes question, bytes name, int rrtype)
    @cython.locals(guard=Guard, private=bint, remembered=tuple, plan=Plan)
    cpdef Plan inspected(self, Known known, bytes key, Plan question, Answer answer, int rrtype)
    cpdef teach(self, Known known, Ready ready)
    cpdef object own(self, Plan plan, object query, double now_s)
    cpdef object clipped(self, Plan plan, object rendered, int rrtype, double now_s)
    @cython.locals(left_s=double)
    cpdef long seconds_left(self, double now_s) except -1
    cpdef bint shed(self, int limit) except -1
    cdef _forget(self)
