# C types; the meaning is in response.py.
cimport cython
from dnswire.answer cimport Answer
from dnswire.query cimport Query

cdef bytes _OPT
cdef bytes _OPT_DO
cdef int _OPCODE_AND_CLIENT_BITS
cdef int _RESPONSE
cdef int _AD

cpdef int size_limit(Query query, bint udp) except -1

@cython.locals(
    flags=int,
    tail=bytes,
    arcount=int,
    message=bytes,
    out=bytearray,
    offset=int,
    ttl_s=cython.longlong,
    received_s=cython.longlong,
)
cpdef bytes relay(
    Query query, Answer answer, cython.longlong age_s, cython.longlong max_ttl_s, int limit, bytes options=*
)

cdef int _put16(bytearray out, Py_ssize_t offset, int value) except -1

cdef bytes _opt(Query query, int rcode, bytes options)

cdef bytes _truncated(int message_id, int flags, bytes question, bytes tail, int arcount, int limit)
