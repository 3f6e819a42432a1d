# SPDX-License-Identifier: GPL-2.0-only
"""A server behind a tun device, and a peer there that makes each segment by
hand."""

import fcntl
import os
import socket
import struct
import subprocess

import pytest

import judge
import wire
from lab import ip

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
HERE, THERE, PORT = "10.79.0.1", "10.79.0.2", 12079
ENDS = {4: (HERE, THERE), 6: ("fd79::1", "fd79::2")}


class Tun:
    """A peer behind a tun device: it receives in the writer's process, where
    the kernel gives out one skb's memory again and again, and no softirq
    separates two segments."""

    def __init__(self, namespace, version):
        self.version = version
        if not os.path.exists("/dev/net/tun"):
            subprocess.run(["modprobe", "-q", "tun"], check=False)
        with namespace.inside():
            try:
                self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            except OSError as error:
                pytest.skip(f"this kernel has no tun device: {error}")
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack(
                "16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
        ip("-n", namespace.name, "-batch", "-", batch=(
            "addr add 10.79.0.1/24 dev tun0\n"
            "addr add fd79::1/64 dev tun0 nodad\nlink set tun0 up\n"))

    def write(self, packet):
        """With the checksum that a header of IPv4 has to have."""
        if packet[0] >> 4 == 4:
            header = packet[:10] + bytes(2) + packet[12:20]
            packet = packet[:10] + struct.pack(
                "!H", wire.checksum(header)) + packet[12:]
        os.write(self.fd, packet)

    def send(self, source, flags, seq, ack=0, port=PORT, version=None, **kind):
        version = version or self.version
        here, there = ENDS[version]
        self.write(wire.segment((there, source), (here, port), flags, seq=seq,
                                ack=ack, **kind))

    def replies(self):
        """What came back since: (sequence number, flags, to which port)."""
        found = []
        try:
            while True:
                packet = os.read(self.fd, 4096)
                is_v4 = packet[0] == 0x45
                if packet[9 if is_v4 else 6] == socket.IPPROTO_TCP:
                    tcp = packet[20 if is_v4 else 40:]
                    port, seq = struct.unpack_from("!HI", tcp, 2)
                    found.append((seq, tcp[13], port))
        except BlockingIOError:
            return found

    def answer(self, source):
        """The sequence number of the SYN|ACK that came back since."""
        return [seq for seq, flags, port in self.replies()
                if (flags, port) == (0x12, source)][-1]

    def ask(self, source, **kind):
        """A SYN; returns the server's next sequence number."""
        self.send(source, "SYN", 1000, **kind)
        return (self.answer(source) + 1) % 2**32

    def open(self, source, **kind):
        """A handshake; returns the same."""
        theirs = self.ask(source, **kind)
        self.send(source, "ACK", 1001, theirs, **kind)
        return theirs


class Stage:
    """A server behind a tun device, and segments that come in there; each from
    a source port of its own, which says what was to become of it."""

    def __init__(self, labs, backlog=16, version=4):
        self.here = labs.namespace()
        self.tun = Tun(self.here, version)
        self.listener = self.listen(backlog)
        self.ends = [self.listener]
        self.wanted = []

    def listen(self, backlog=16, port=PORT, version=None, **options):
        version = version or self.tun.version
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        with self.here.inside():
            made = socket.create_server((ENDS[version][0], port),
                                        family=family, backlog=backlog,
                                        **options)
        made.settimeout(20)
        return made

    def send(self, source, flags, outcome, detail, *args, **kind):
        """Returns the flags of what the kernel answered, to that source: an
        older request's SYN|ACK may come again any time."""
        self.tun.replies()
        self.wanted.append((source, flags, outcome, detail))
        self.tun.send(source, flags, *args, **kind)
        return [flags for _, flags, port in self.tun.replies()
                if port == source]

    def accept(self, listener=None):
        self.ends.append((listener or self.listener).accept()[0])
        return self.ends[-1]

    def close(self):
        for end in self.ends:
            end.close()
        os.close(self.tun.fd)

    def check(self, run):
        """The last segments of that kind from there, in their order."""
        judge.check_accounting(run)
        told = {}
        for segment in run.segments:
            if segment["raddr"] in (ENDS[4][1], ENDS[6][1]):
                told.setdefault((segment["rport"], segment["flags"]),
                                []).append(segment)
        found = []
        for source, flags, outcome, detail in reversed(self.wanted):
            segment = told[source, flags].pop()
            found.append(segment)
            shown = run.sees.detail(outcome, detail)
            assert judge.pick(segment, ("outcome", "detail")) == shown, (
                source, segment)
        judge.check_proved(run, [x for x in found if "outcome" not in x])
        return found[::-1]


def netstat(namespace, name):
    """A counter of the line TcpExt: in /proc/net/netstat."""
    with namespace.inside(), open("/proc/thread-self/net/netstat") as table:
        names, values = [x.split() for x in table if x.startswith("TcpExt:")]
    return int(values[names.index(name)])
