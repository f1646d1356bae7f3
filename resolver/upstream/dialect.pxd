# C types; the meaning is in dialect.py.
cimport cython

cdef double _NEVER

cdef class Dialect:
    cdef object _random_octets
    cdef double _span_s
    cdef str _local
    cdef bytes _client
    cdef bytes _before
    cdef bytes _server
    cdef double _renew_s
    cdef tuple _opts
    cdef double _plain_until_s
    cdef double _cookieless_until_s
    cdef double _folds_until_s
    cdef int _suspected
    cdef int _suspicions
    cdef public bint keeps_case
    cdef public bint edns_seen

    cpdef bint edns(self, double now_s) except -1
    cpdef bint folds_case(self, double now_s) except -1
    cpdef bint cookies(self, double now_s) except -1
    cpdef bytes opt(self, bint do, str local, double now_s)
    @cython.locals(cookie=bytes)
    cpdef int check(self, bint sent_edns, bytes reply_options, double now_s) except -1
    cpdef heard(self, bint raised, bint edns)
    @cython.locals(client=bytes, fits=bint)
    cdef bint _is_ours(self, bytes cookie) except -1
    @cython.locals(server=bytes)
    cdef _learn(self, bytes cookie)

cdef bytes _cookie(bytes reply_options)
