# C types; the meaning is in spool.py.
cimport cython
from dnswire.octets cimport copy, put32_low, put64_low, stretch
from querylog.spool_crc cimport checksum

ctypedef unsigned char* p_octet

cdef Py_ssize_t _HEAD_SIZE

cdef class SpoolWriter:
    cdef object _directory
    cdef int _directory_fd
    cdef object _node
    cdef object _worker
    cdef object _segment_size
    cdef object _quota
    cdef object _random_bytes
    cdef object _state
    cdef object _next_segment
    cdef public long long _sequence
    cdef public object _gap_count
    cdef object _live
    cdef unsigned char[::1] _map
    cdef unsigned int _salt
    cdef long long _offset
    cdef long long _limit
    cdef object _spares
    cdef object _retired
    cdef object _spare_numbers
    cdef long long _retry_us
    cdef bint _renamed
    cdef bint _closed
    cdef object _flushing

    cpdef append(
        self, object time_us, bytes client, object agency_id, object unit_id, object generation, object rule_id,
        object list_id, object category_id, object answer_digest, object latency_us, object rrtype, object rcode,
        object upstream, object transport, object verdict, object layer, object via, object cache, bytes name,
        bytes matched,
    )
    @cython.locals(body_size=cython.Py_ssize_t, record_size=cython.Py_ssize_t, at=p_octet)
    cpdef append_again(
        self, unsigned long long time_us, bytes client, unsigned int agency_id, unsigned int unit_id, bytes rest,
        Py_ssize_t rest_size
    )

cpdef bytes row_rest(
    object generation, object rule_id, object list_id, object category_id, object answer_digest, object latency_us,
    object rrtype, object rcode, object upstream, object transport, object verdict, object layer, object via,
    object cache, bytes name, bytes matched,
)
