# C types; the meaning is in spool.py.
cimport cython

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
    cdef object _map
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

    @cython.locals(
        name_size=cython.longlong, body_size=cython.longlong, record_size=cython.longlong, start=cython.longlong,
        body=cython.longlong, names=cython.longlong, stop=cython.longlong
    )
    cpdef append(
        self, long long time_us, bytes client, object agency_id, object unit_id, object generation, object rule_id,
        object list_id, object category_id, object answer_digest, object latency_us, object rrtype, object rcode,
        object upstream, object transport, object verdict, object layer, object via, object cache, bytes name,
        bytes matched,
    )
