# What the compiled modules need of the C library's sockets: recvmmsg(2), sendmmsg(2).
cdef extern from "<errno.h>" nogil:
    int last_errno "errno"

cdef extern from "<string.h>" nogil:
    void* memcpy(void* into, const void* octets, size_t size)

cdef extern from "<sys/socket.h>" nogil:
    struct iovec:
        void* iov_base
        size_t iov_len

    struct msghdr:
        void* msg_name
        unsigned int msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
        void* msg_control
        size_t msg_controllen
        int msg_flags

    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len

    int recvmmsg(int fd, mmsghdr* messages, unsigned int count, int flags, void* timeout)
    int sendmmsg(int fd, mmsghdr* messages, unsigned int count, int flags)
    int MSG_DONTWAIT

ctypedef msghdr* msghdr_p
ctypedef iovec* iovec_p
