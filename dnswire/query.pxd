# C types of the query parser; the meaning is in query.py.
cimport cython

cdef int _MAX_ADDITIONAL
cdef int _OPT
cdef int _QR
cdef int _OPCODE
cdef int _DO
cdef int _HEADER
cdef int _NAME

cdef class Query:
    cdef public int id
    cdef public int flags
    cdef public bytes qname
    cdef public bytes name
    cdef public int rrtype
    cdef public int rrclass
    cdef public int question_end
    cdef public bint edns
    cdef public int edns_version
    cdef public int udp_size
    cdef public bint do
    cdef public bytes edns_options

    cpdef bytes question_wire(self)

@cython.locals(size=int, flags=int, query=Query, additional=int, end=int)
cpdef Query parse_query(bytes message)

@cython.locals(size=int, offset=int, length=int, end=int)
cdef int _read_question(bytes message, Query query) except -1

@cython.locals(size=int, owner=int, rrtype=int, end=int)
cdef int _read_additional(bytes message, int offset, int count, Query query) except -1
