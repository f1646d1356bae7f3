# C types; the meaning is in pipeline.py.
cimport cython
from dnswire.answer cimport Answer
from dnswire.query cimport Query
from resolver.cache cimport Cache, Entry
from resolver.in_force cimport InForce, Known, Plan
from resolver.special_names cimport special_name
from resolver.stats cimport Stats
from resolver.turn cimport Turn
from querylog.spool cimport SpoolWriter
from resolver.zone_pressure cimport ZonePressure

cdef int _UDP
cdef int _IN
cdef int _CH
cdef int _RD
cdef int _CD
cdef int _ANY
cdef int _HIT
cdef int _MISS
cdef int _STALE
cdef int _COALESCED
cdef long _STALE_TTL_S
cdef int _PASS
cdef int _DROP
cdef Plan _INVALID
cdef Plan _NOT_SERVED
cdef Plan _LOCAL

cdef class Pipeline:
    cdef public InForce in_force
    cdef object _admission
    cdef public Cache _cache
    cdef public object _upstreams
    cdef public SpoolWriter _spool
    cdef public Stats _stats
    cdef object _identity
    cdef public object _clock
    cdef object _later
    cdef object _refreshes
    cdef object _sources
    cdef public bint _limiting
    cdef public long _max_pending
    cdef ZonePressure _pressure
    cdef object _cookies
    cdef public bint teaching

    @cython.locals(
        now_s=double,
        in_force=InForce,
        known=Known,
        query=Query,
        turn=Turn,
        plan=Plan,
        entry=Entry,
        old=Entry,
        stale=Answer,
        name=bytes,
        question=bytes,
        pressing=tuple,
        judgement=int,
    )
    cpdef bytes answer(self, bytes message, str host, int transport, object sender, object address)
    @cython.locals(query=Query)
    cdef _ask(self, Turn turn, bytes question, tuple pressing)
    @cython.locals(query=Query)
    cdef _refresh(self, Turn turn, bytes question, Plan plan)
    cpdef resume(self, Turn turn, object outcome, int upstream)
    cpdef hurry(self, Turn turn)
    cdef bytes _relay_stale(self, Turn turn, Answer stale)
    @cython.locals(in_force=InForce, query=Query, plan=Plan, limit=int, max_ttl_s=long)
    cdef bytes _relay(self, Turn turn, Answer answer, long age_s)
    @cython.locals(query=Query, wire=bytes)
    cdef bytes _block(self, Turn turn, object rendered)
    @cython.locals(query=Query)
    cdef bytes _answer_own(self, Turn turn, Plan plan)
    @cython.locals(query=Query, question=bytes, entry=Entry)
    cdef bytes _follow(self, Turn turn, object rendered)
    @cython.locals(query=Query, plan=Plan)
    cdef bytes _followed(self, Turn turn, object answer, int age_s)
    cdef bytes _followed_late(self, Turn turn, object outcome)
    cdef bytes _fail(self, Turn turn, object failure)
    @cython.locals(query=Query)
    cdef bytes _own(self, Turn turn, object rendered)
    @cython.locals(query=Query, known=Known, plan=Plan)
    cdef _record(self, Turn turn, int rcode, unsigned int digest)
    cdef bytes _options(self, Query query, Answer answer)
