# C types; the meaning is in fast_lane.py. Views of what came from the network check their bounds.
cimport cython
from dnswire.octets cimport copy, put32, stretch
from querylog.spool cimport SpoolWriter
from resolver.cache cimport Cache, Entry
from resolver.in_force cimport InForce, Known
from resolver.pipeline cimport Pipeline
from resolver.ready cimport Ready
from resolver.ready_table cimport ReadyTable
from resolver.stats cimport Count, Stats

cdef int _HEADER
cdef int _NAME
cdef int _UDP_SIZE
cdef int _RD_OCTET
cdef int _AD_OCTET
cdef int _CD_OCTET
cdef int _OPT_SIZE
cdef int _OPT
cdef int _DO_OCTET
cdef int _EDNS
cdef int _DO
cdef int _CD
cdef int _AD
cdef int _BODY_HEAD
cdef int _PLACES

cdef class FastLane:
    cdef Pipeline _pipeline
    cdef Cache _cache
    cdef SpoolWriter _spool
    cdef Stats _stats
    cdef Count _udp_hits
    cdef public long long faults
    cdef double _now_s
    cdef unsigned long long _time_us
    cdef long _max_ttl_s
    cdef list _clients
    cdef unsigned char _names[64 * 255]
    cdef Py_ssize_t _name_sizes[64]
    cdef int _rrtypes[64]
    cdef int _forms[64]
    cdef unsigned long long _marks[64]
    cdef Py_ssize_t _ends[64]
    cdef Py_ssize_t _limits[64]

    @cython.locals(now_s=double, in_force=InForce)
    cpdef bint begin(self) except -1
    @cython.locals(known=Known, ready=ReadyTable)
    cdef bint read(self, int place, const unsigned char[::1] message, bytes source, unsigned char* into) except -1
    cdef void fetch_ready(self, int place) noexcept
    cdef void fetch_parts(self, int place) noexcept
    @cython.locals(known=Known, now_s=double, ready=Ready, end=cython.Py_ssize_t, size=cython.Py_ssize_t, tally=Count)
    cdef Py_ssize_t answer(self, int place, unsigned char* into) except -1
    @cython.locals(size=cython.Py_ssize_t, at=cython.Py_ssize_t, length=cython.Py_ssize_t, name_size=cython.Py_ssize_t,
        end=cython.Py_ssize_t, name=cython.Py_ssize_t, octet=cython.uchar, form=int, limit=cython.Py_ssize_t)
    cdef bint _read_question(
        self, int place, const unsigned char[::1] message, unsigned char* into
    ) except -1
    @cython.locals(entry=Entry)
    cdef bint _holds(self, Ready ready, double now_s) except -1
    @cython.locals(ttls=bytes, entry=Entry, age_s=cython.longlong, at=cython.Py_ssize_t, offset=cython.Py_ssize_t,
        ttl_s=cython.longlong)
    cdef bint _age(self, Ready ready, unsigned char* into, Py_ssize_t size) except -1
    @cython.locals(stats=Stats, entry=Entry)
    cdef int _count(self, Ready ready) except -1
    @cython.locals(into="unsigned char[::1]", octets=cython.p_uchar)
    cpdef bytes reply(self, bytes message, bytes source)
