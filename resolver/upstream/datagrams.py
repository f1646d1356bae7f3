"""Datagrams to and from one server, several by one system call: ``sendmmsg(2)`` and ``recvmmsg(2)``.

Interpreted, each takes a system call of its own, and only one is received: the event loop comes back for the rest.
Types are in ``datagrams.pxd``, what callers see in ``datagrams.pyi``.
"""

from __future__ import annotations

import errno
import os

import cython

# More than the 1,232 octets announced: a server that ignores the limit is heard. One octet of a longer reply still
# fails to parse, and the query goes by TCP.
_SIZE = 4_096
_MOST_RECEIVED = 16
_MOST_SENT = 64
# As good as lost on the way: the deadline of whoever waits for the answer sees to it.
_FULL = (errno.EAGAIN, errno.EINTR, errno.ENOBUFS)


class Datagrams:
    """Buffers for connected, non-blocking UDP sockets, used by one of them at a time."""

    def __init__(self) -> None:
        if cython.compiled:
            self._octets = bytearray(_MOST_RECEIVED * _SIZE)
            self._prepare()

    def send(self, sock, messages):
        """Sends ``messages`` in order; what a full buffer has no place for is lost, as on the way.

        Raises ``OSError`` where the kernel refuses one, be it for the ICMP error of an earlier one; the rest is not
        sent.
        """
        if cython.compiled:
            self._send_together(sock.fileno(), messages)
        else:
            for message in messages:
                try:
                    sock.send(message)
                except OSError as error:
                    _refused(error.errno)

    def receive(self, sock, waiting):
        """What has come, where ``waiting`` messages are waited for; one at least is tried.

        Empty where nothing has come. Raises ``OSError`` for the ICMP error of a message sent.
        """
        if cython.compiled:
            return self._receive_together(sock.fileno(), waiting)
        else:  # noqa: RET505 -- Cython leaves out the branch that is not its own
            try:
                return [sock.recv(_SIZE)]
            except OSError as error:
                _refused(error.errno)
                return []

    def _prepare(self):
        for position in range(_MOST_RECEIVED):
            at = cython.address(self._received_at[position])
            at.iov_base = cython.cast(cython.p_char, cython.address(self._octets[position * _SIZE]))
            at.iov_len = _SIZE
            self._received[position].msg_hdr.msg_iov = at
            self._received[position].msg_hdr.msg_iovlen = 1
        for position in range(_MOST_SENT):
            self._sent[position].msg_hdr.msg_iov = cython.address(self._sent_at[position])
            self._sent[position].msg_hdr.msg_iovlen = 1

    def _send_together(self, fd, messages):
        start = 0
        while start < len(messages):
            count = min(_MOST_SENT, len(messages) - start)
            for position in range(count):
                message = messages[start + position]
                self._sent_at[position].iov_base = cython.cast(cython.p_char, message)
                self._sent_at[position].iov_len = len(message)
            sent = sendmmsg(fd, cython.address(self._sent[0]), count, MSG_DONTWAIT)
            if sent < 0:
                _refused(last_errno)
                sent = 1
            start += sent

    def _receive_together(self, fd, waiting):
        most = min(max(waiting, 1), _MOST_RECEIVED)
        count = recvmmsg(fd, cython.address(self._received[0]), most, MSG_DONTWAIT, cython.NULL)
        if count < 0:
            _refused(last_errno)
            return []
        messages = []
        for position in range(count):
            start = cython.cast(cython.p_char, cython.address(self._octets[position * _SIZE]))
            messages.append(start[: self._received[position].msg_len])
        return messages


def _refused(number):
    """Raises what a system call has failed with, unless it only had no room or nothing to give."""
    if number not in _FULL:
        raise OSError(number, os.strerror(number))
