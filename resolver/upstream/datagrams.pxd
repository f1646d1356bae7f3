# C types; the meaning is in datagrams.py. The lengths of the arrays are its _MOST_RECEIVED and _MOST_SENT.
cimport cython
from resolver.c_socket cimport MSG_DONTWAIT, last_errno, iovec, iovec_p, mmsghdr, recvmmsg, sendmmsg

cdef int _SIZE
cdef int _MOST_RECEIVED
cdef int _MOST_SENT

cdef class Datagrams:
    cdef mmsghdr _received[16]
    cdef mmsghdr _sent[64]
    cdef iovec _received_at[16]
    cdef iovec _sent_at[64]
    cdef const unsigned char[::1] _octets

    @cython.locals(position=int, at=iovec_p)
    cdef _prepare(self)
    @cython.locals(message=bytes, start=Py_ssize_t, count=int, position=int, sent=int)
    cdef _send_together(self, int fd, list messages)
    @cython.locals(messages=list, most=int, count=int, position=int, start=cython.p_char)
    cdef list _receive_together(self, int fd, int waiting)
    cpdef send(self, object sock, list messages)
    cpdef list receive(self, object sock, int waiting)
