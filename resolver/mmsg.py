"""A batch of datagrams by one system call each way: recvmmsg(2) and sendmmsg(2). Compiled only.

The buffers have a fixed size, so that a batch costs no allocation but what the slow lane needs; the fast lane reads
from them and writes into them. Interpreted, this module cannot exist and says so as ``ImportError``; ``udp.py`` then
reads one datagram at a time, behind the same port.
Types and the C library's declarations are in ``mmsg.pxd``; what callers see is in ``mmsg.pyi``.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    raise ImportError("resolver.mmsg exists compiled only; resolver.udp does the same one datagram at a time")

import socket

BATCH = 64
_BATCHES = 4  # a wake; each takes a third of a millisecond if the fast lane knows the answers
# Answers of the slow lane cost ten times that, so that a wake ends after so many: upstreams' answers wait behind it.
_MAX_SLOW = 64
MESSAGE_SIZE = 1472  # udp.MAX_QUERY_SIZE; one begins every 1,536 octets
RESPONSE_SIZE = 1232  # dnswire.response.UDP_SIZE: the fast lane's largest
NAME_SIZE = 32  # struct sockaddr_in6 has 28 octets
CONTROL_SIZE = 64  # one in_pktinfo or in6_pktinfo behind its header
_MAX_HOSTS = 65_536


class Batch:
    """The datagrams of one wake of a socket, and the responses that are ready when all have been looked at.

    ``wildcard``: the socket is bound to all addresses; each response then leaves from the address that was asked.
    """

    def __init__(self, fd: int, wildcard: bool, lane: FastLane | None) -> None:
        self.fd = fd
        self.wildcard = wildcard
        self._lane = lane
        self._octets = bytearray(64 * 1536)
        self._responses = []
        self._late = []
        self._queue_length = 0
        self._hosts = {}
        self._source[10] = self._source[11] = 255  # ::ffff:0:0/96
        for position in range(64):
            self._prepare(position)

    def _prepare(self, position: int) -> None:
        self.received_at[position].iov_base = cython.cast(cython.p_char, cython.address(self._octets[position * 1536]))
        self.received_at[position].iov_len = 1472
        header = cython.address(self.received[position].msg_hdr)
        header.msg_name = cython.address(self.names[position * 32])
        header.msg_namelen = 32
        header.msg_iov = cython.address(self.received_at[position])
        header.msg_iovlen = 1
        header.msg_control = cython.NULL
        header.msg_controllen = 0
        header.msg_flags = 0
        if self.wildcard:
            header.msg_control = cython.address(self.controls[position * 64])
            header.msg_controllen = 64

    def receive(self) -> int:
        """How many datagrams came; 0 where none waits. A failing socket reads as empty: it says so when it is used."""
        for position in range(self._count):
            # The kernel wrote the lengths it used over those it was given.
            self.received[position].msg_hdr.msg_namelen = 32
            if self.wildcard:
                self.received[position].msg_hdr.msg_controllen = 64
        count = recvmmsg(self.fd, cython.address(self.received[0]), 64, MSG_DONTWAIT, cython.NULL)
        self._count = count if count > 0 else 0
        return self._count

    def answer_known(self) -> list[int]:
        """Queues the responses that the fast lane knows; the positions of all other datagrams."""
        lane = self._lane
        left = []
        count = 0
        if lane is None or not lane.begin():
            return list(range(self._count))
        for position in range(self._count):
            if self._read(position):
                self._asked[count] = position
                count += 1
            else:
                left.append(position)
        # The first steps into memory of all before the next step of any: they wait for it together.
        for number in range(count):
            lane.fetch_ready(self._asked[number])
        for number in range(count):
            lane.fetch_parts(self._asked[number])
        for number in range(count):
            if not self._answer(self._asked[number]):
                left.append(self._asked[number])  # noqa: PERF401 -- this loop answers; what it leaves is the exception
        return left

    def _read(self, position: int) -> bool:
        start = position * 1536
        into = cython.address(self.responses[position * 1232])
        try:
            octets = self._octets[start : start + self.received[position].msg_len]
            return self._lane.read(position, octets, self._source_of(position), into)
        except Exception:  # a fault of ours: the pipeline answers, and tells of it if it is its own
            self._lane.faults += 1
            return False

    def _answer(self, position: int) -> bool:
        into = cython.address(self.responses[position * 1232])
        try:
            size = self._lane.answer(position, into)
        except Exception:
            self._lane.faults += 1
            return False
        if size:
            self._queue(position, into, size)
        return size > 0

    def _source_of(self, position: int) -> bytes:
        """The address that a datagram came from in 16 octets, IPv4 mapped (RFC 4291 2.5.5.2)."""
        # sockaddr_in: family, port, address; sockaddr_in6: family, port, flow, address, scope.
        name = cython.address(self.names[position * 32])
        if self.received[position].msg_hdr.msg_namelen != 16:
            return name[8:24]
        memcpy(cython.address(self._source[12]), name + 4, 4)
        return self._source[:16]

    def message(self, position: int) -> bytes:
        """The octets of a datagram (cut at 1,472, where the parser refuses them)."""
        start = cython.cast(cython.p_char, cython.address(self._octets[position * 1536]))
        return start[: self.received[position].msg_len]

    def host(self, position: int) -> str:
        """The textual address that it came from; remembered, since a client asks again."""
        name = cython.cast(cython.p_char, cython.address(self.names[position * 32]))
        # sockaddr_in: family, port, address; sockaddr_in6: family, port, flow, address, scope.
        raw = name[4:8] if self.received[position].msg_hdr.msg_namelen == 16 else name[8:24]
        host = self._hosts.get(raw)
        if host is None:
            family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
            host = socket.inet_ntop(family, raw)
            if len(self._hosts) >= 65_536:  # spoofed sources must not fill memory
                self._hosts.clear()
            self._hosts[raw] = host
        return host

    def address(self, position: int) -> object:
        """What ``send`` needs to answer it later: socket address and control message, as octets."""
        header = cython.address(self.received[position].msg_hdr)
        name = cython.cast(cython.p_char, header.msg_name)[: header.msg_namelen]
        if not self.wildcard:
            return (name, b"")
        self._clear_interface(position)
        return (name, cython.cast(cython.p_char, header.msg_control)[: header.msg_controllen])

    def queue(self, position: int, response: bytes) -> None:
        """Sends ``response`` to where the datagram came from, with the next ``flush``."""
        self._responses.append(response)  # the kernel reads its octets at the flush
        self._queue(position, cython.cast(cython.p_uchar, response), len(response))

    def _queue(self, position: int, octets: object, size: int) -> None:
        came = cython.address(self.received[position].msg_hdr)
        header = self._next(octets, size)
        header.msg_name = came.msg_name
        header.msg_namelen = came.msg_namelen
        if self.wildcard and came.msg_controllen:
            self._clear_interface(position)
            header.msg_control = came.msg_control
            header.msg_controllen = came.msg_controllen

    def _next(self, octets: object, size: int) -> object:
        """The header of one datagram more, with these octets and to nobody yet."""
        header = cython.address(self.queued[self._queue_length].msg_hdr)
        at = cython.address(self.queued_at[self._queue_length])
        at.iov_base = octets
        at.iov_len = size
        header.msg_iov = at
        header.msg_iovlen = 1
        header.msg_control = cython.NULL
        header.msg_controllen = 0
        header.msg_flags = 0
        self._queue_length += 1
        return header

    def flush(self) -> int:
        """Sends all that is queued; returns how many could not be sent (a full buffer, an unroutable client)."""
        done = 0
        failed = 0
        while done < self._queue_length:
            sent = sendmmsg(self.fd, cython.address(self.queued[done]), self._queue_length - done, MSG_DONTWAIT)
            if sent > 0:
                done += sent
            else:  # the first of the rest cannot be sent: he asks again, the others must not wait for him
                done += 1
                failed += 1
        self._queue_length = 0
        self._responses.clear()
        return failed

    def keep(self, response: bytes, address: object) -> bool:
        """Keeps ``response`` to an ``address`` for the next ``send_kept``; says whether it is the first kept."""
        self._late.append((response, address))
        return len(self._late) == 1

    def send_kept(self) -> int:
        """Sends all that is kept; returns how many could not be sent."""
        late = self._late  # the kernel reads its octets at the flush
        self._late = []
        failed = 0
        for response, address in late:
            if self._queue_length == 64:
                failed += self.flush()
            self._queue_to(response, address[0], address[1])
        return failed + self.flush()

    def _queue_to(self, response: bytes, name: bytes, control: bytes) -> None:
        header = self._next(cython.cast(cython.p_uchar, response), len(response))
        header.msg_name = cython.cast(cython.p_char, name)
        header.msg_namelen = len(name)
        if len(control):
            header.msg_control = cython.cast(cython.p_char, control)
            header.msg_controllen = len(control)

    def _clear_interface(self, position: int) -> None:
        """Leaves the interface of an in_pktinfo (IPv4) to routing: an answer may have to leave by another one.

        cmsghdr is 16 octets (length, level 0 = IPPROTO_IP, type); the interface index is the first field behind it.
        """
        control = cython.cast(cython.p_char, cython.address(self.controls[position * 64]))
        if self.received[position].msg_hdr.msg_controllen >= 28 and control[8] == 0:
            control[16] = control[17] = control[18] = control[19] = 0


class BatchPort:
    """A listening socket that is read and answered a batch at a time (``udp.UdpPort``).

    Drains until the socket is empty, but at most four times a wake, and fewer where the slow lane has much to do: then
    the event loop has its turn, and comes back at once if more is there.
    """

    def __init__(self, sock: Socket, batch: Batch, answer: Answerer, stats: Stats) -> None:
        self._sock = sock
        self._batch = batch
        self._answer = answer
        self._stats = stats
        self._loop = None

    def start(self, loop: AbstractEventLoop) -> None:
        """Begins to read."""
        self._loop = loop
        loop.add_reader(self._sock.fileno(), self.drain)

    def stop(self, loop: AbstractEventLoop) -> None:
        """Stops reading."""
        loop.remove_reader(self._sock.fileno())

    def close(self) -> None:
        """Sends what is to be sent, and closes the socket."""
        self._send_kept()
        self._batch.fd = -1  # the number may be another socket's soon: what comes later must not leave from there
        self._sock.close()

    def drain(self) -> None:
        """Answers what waits in the socket."""
        batch = self._batch
        slow = 0
        for _ in range(_BATCHES):
            if not batch.receive():
                return
            left = batch.answer_known()
            failures = batch.flush()  # whoever can be answered at once does not wait for the others
            if left:
                try:
                    for position in left:
                        response = self._answer(
                            batch.message(position), batch.host(position), 0, self, batch.address(position)
                        )
                        if response:
                            batch.queue(position, response)
                finally:  # the next batch has other clients in the same places
                    failures += batch.flush()
                slow += len(left)
            self._stats.send_failures += failures
            if slow >= _MAX_SLOW:
                return

    def send(self, response: bytes, address: object) -> None:
        """Sends a response to an ``address`` of the batch: with all others that this turn of the loop brings.

        Upstreams' answers come one by one, but many in a turn; one system call for each would cost more than the rest
        of its way.
        """
        if self._batch.keep(response, address):
            self._loop.call_soon(self._send_kept)

    def _send_kept(self) -> None:
        self._stats.send_failures += self._batch.send_kept()
