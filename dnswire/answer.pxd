# C types; the meaning is in answer.py. Read-only from Python: an answer is shared by all who are sent it.
cimport cython

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

cpdef Answer parse_answer(bytes message)
cpdef tuple parse_reply(bytes message)
