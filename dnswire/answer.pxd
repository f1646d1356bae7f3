# C types; the meaning is in answer.py. Read-only from Python: an answer is shared by all who are sent it.
cimport cython
from dnswire.name cimport read, skip

cdef class Answer:
    cdef readonly bytes message
    cdef readonly bytes name
    cdef readonly int rrtype
    cdef readonly int rrclass
    cdef readonly int question_end
    cdef readonly int flags
    cdef readonly int rcode
    cdef readonly int ancount
    cdef readonly int nscount
    cdef readonly int arcount
    cdef readonly tuple ttls
    cdef readonly long long ttl_s
    cdef readonly tuple aliases
    cdef readonly tuple bindings
    cdef readonly tuple addresses
    cdef readonly tuple glue
    cdef readonly bint ech
    cdef readonly bint points
    cdef readonly tuple ede
    cdef readonly unsigned int digest

cdef int _HEADER
cdef int _QR
cdef int _MAX_RRS
cdef int _IN
cdef int _A
cdef int _AAAA
cdef int _CNAME
cdef int _DNAME
cdef int _SOA
cdef int _SVCB
cdef int _HTTPS
cdef int _OPT
cdef int _TSIG
cdef int _ANY
cdef int _NOERROR
cdef int _NXDOMAIN
cdef int _ANSWER
cdef int _AUTHORITY
cdef int _ADDITIONAL

cdef class _Reading:
    cdef list addresses
    cdef list aliases
    cdef list bindings
    cdef bint ech
    cdef list ede
    cdef int end
    cdef int extended_rcode
    cdef bytes followed
    cdef list glue
    cdef bint has_data
    cdef long long lowest_ttl_s
    cdef long long negative_ttl_s
    cdef bytes options
    cdef list ttls
    cdef int wanted

cpdef Answer parse_answer(bytes message)

@cython.locals(
    size=int, flags=int, ancount=int, nscount=int, arcount=int, name=bytes, offset=int, rrtype=int, rrclass=int,
    question_end=int, reading=_Reading, rcode=int,
)
cpdef tuple parse_reply(bytes message)

@cython.locals(kept=int, cut=bint, start=int, rrtype=int)
cdef int _read_additional(bytes message, int offset, int count, _Reading reading) except -1
@cython.locals(size=int, rdata=bytes)
cdef _read_opt(bytes message, int owner, int offset, _Reading reading)
@cython.locals(offset=int, rrtype=int, ttl_s=cython.longlong, rdata=int, end=int)
cdef int _read_rr(bytes message, int start, int section, _Reading reading) except -1
@cython.locals(offset=int)
cdef long long _soa_minimum(bytes message, int rdata, int end) except -1
@cython.locals(target=bytes)
cdef _note_targets(bytes message, int start, int rrtype, int rdata, int end, int section, _Reading reading)
cdef _note_substitution(bytes owner, bytes target, _Reading reading)
@cython.locals(target=bytes, offset=int, key=int, size=int, width=int, i=int)
cdef _note_binding(bytes message, int rdata, int end, _Reading reading)
cdef long long _cacheable_s(int rcode, _Reading reading) except -1
