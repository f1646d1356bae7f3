# C types; the meaning is in message.py.
cimport cython

cdef bytes _COUNTS
cdef bytes _HEAD
cdef bytes _HEAD_CD
cdef bytes _CASE_BITS
cdef int _QR
cdef int _TC
cdef int _OPCODE
cdef int _FORMERR
cdef int _NOTIMP
cdef int _HEADER

@cython.locals(raised=bytearray, position=int)
cpdef bytes mixed_case(bytes asked, bytes random)
cpdef bytes build_query(int message_id, bytes question_wire, bint cd, bytes opt_wire)
@cython.locals(flags=int, rcode=int, refused_form=bint, echoed=bytes)
cpdef int judge(bytes message, bytes asked, bint any_case) except -1
