# What mmsg.py needs of the C library (recvmmsg(2), sendmmsg(2), ip(7)), and the buffers of a batch.
cimport cython
from resolver.c_socket cimport MSG_DONTWAIT, iovec, iovec_p, memcpy, mmsghdr, msghdr, msghdr_p, recvmmsg, sendmmsg
from resolver.fast_lane cimport FastLane
from resolver.stats cimport Stats

cdef int _BATCHES
cdef int _MAX_SLOW

cdef class Batch:
    cdef readonly int fd
    cdef readonly bint wildcard
    cdef mmsghdr received[64]
    cdef mmsghdr queued[64]
    cdef iovec received_at[64]
    cdef iovec queued_at[64]
    cdef const unsigned char[::1] _octets
    cdef unsigned char responses[78848]
    cdef unsigned char names[2048]
    cdef char controls[4096]
    cdef unsigned char _source[16]
    cdef FastLane _lane
    cdef int _count
    cdef int _asked[64]
    cdef list _responses
    cdef list _late
    cdef int _queue_length
    cdef dict _hosts

    @cython.locals(header=msghdr_p)
    cdef void _prepare(self, int position)
    @cython.locals(position=int, count=int)
    cpdef int receive(self) except -2
    @cython.locals(lane=FastLane, left=list, count=int, position=int, number=int)
    cpdef list answer_known(self)
    @cython.locals(start=cython.Py_ssize_t, into=cython.p_uchar, octets="const unsigned char[::1]")
    cdef bint _read(self, int position) except -1
    @cython.locals(into=cython.p_uchar, size=cython.Py_ssize_t)
    cdef bint _answer(self, int position) except -1
    @cython.locals(name=cython.p_uchar)
    cdef bytes _source_of(self, int position)
    @cython.locals(start=cython.p_char)
    cpdef bytes message(self, int position)
    @cython.locals(name=cython.p_char, raw=bytes, host=str)
    cpdef str host(self, int position)
    @cython.locals(header=msghdr_p, name=bytes)
    cpdef object address(self, int position)
    cpdef queue(self, int position, bytes response)
    @cython.locals(came=msghdr_p, header=msghdr_p)
    cdef void _queue(self, int position, unsigned char* octets, Py_ssize_t size) noexcept
    @cython.locals(header=msghdr_p, at=iovec_p)
    cdef msghdr* _next(self, unsigned char* octets, Py_ssize_t size) noexcept
    @cython.locals(done=int, failed=int, sent=int)
    cpdef int flush(self) except -2
    cpdef bint keep(self, bytes response, object address) except -1
    @cython.locals(late=list, failed=int, response=bytes, address=tuple)
    cpdef int send_kept(self) except -2
    @cython.locals(header=msghdr_p)
    cdef _queue_to(self, bytes response, bytes name, bytes control)
    @cython.locals(control=cython.p_char)
    cdef void _clear_interface(self, int position)

cdef class BatchPort:
    cdef object _sock
    cdef Batch _batch
    cdef object _answer
    cdef Stats _stats
    cdef object _loop

    @cython.locals(batch=Batch, slow=int, left=list, position=int, failures=int, response=bytes)
    cpdef drain(self)
    cpdef send(self, bytes response, object address)
    cpdef _send_kept(self)
