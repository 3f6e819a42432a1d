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


class Tun:
    """A peer behind a tun device: it receives in the writer's process, where
    the kernel gives out one skb's memory again and again, and no softirq
    separates two segments."""

    def __init__(self, namespace):
        if not os.path.exists("/dev/net/tun"):
            subprocess.run(["modprobe", "-q", "tun"], check=False)
        with namespace.inside():
            try:
                self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            except OSError as error:
                pytest.skip(f"this kernel has no tun device: {error}")
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack(
                "16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
        for words in ("addr add 10.79.0.1/24 dev tun0", "link set tun0 up"):
            ip("-n", namespace.name, *words.split())

    def send(self, source, flags, seq, ack=0, port=PORT, **kind):
        packet = wire.segment((THERE, source), (HERE, port), flags, seq=seq,
                              ack=ack, **kind)
        header = packet[:10] + bytes(2) + packet[12:20]
        os.write(self.fd, header[:10] + struct.pack(
            "!H", wire.checksum(header)) + packet[12:])

    def replies(self):
        """What came back since: (sequence number, flags)."""
        found = []
        try:
            while True:
                packet = os.read(self.fd, 4096)
                if packet[0] == 0x45 and packet[9] == 6:
                    found.append((struct.unpack_from("!I", packet, 24)[0],
                                  packet[33]))
        except BlockingIOError:
            return found

    def answers(self):
        """The sequence numbers of the SYN|ACK that came back since."""
        return [seq for seq, flags in self.replies() if flags == 0x12]

    def ask(self, source):
        """A SYN; returns the server's next sequence number."""
        self.send(source, "SYN", 1000)
        return (self.answers()[-1] + 1) % 2**32

    def open(self, source):
        """A handshake; returns the same."""
        theirs = self.ask(source)
        self.send(source, "ACK", 1001, theirs)
        return theirs


class Stage:
    """A server behind a tun device, and segments that come in there; each from
    a source port of its own, which says what was to become of it."""

    def __init__(self, labs, backlog=16):
        self.here = labs.namespace()
        self.tun = Tun(self.here)
        self.listener = self.listen(backlog)
        self.ends = [self.listener]
        self.wanted = []

    def listen(self, backlog=16, port=PORT, **options):
        with self.here.inside():
            made = socket.create_server((HERE, port), backlog=backlog,
                                        **options)
        made.settimeout(20)
        return made

    def send(self, source, flags, outcome, detail, *args, **kind):
        """Returns the flags of what the kernel answered."""
        self.tun.replies()
        self.wanted.append((source, flags, outcome, detail))
        self.tun.send(source, flags, *args, **kind)
        return [flags for _, flags in self.tun.replies()]

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
            if segment["raddr"] == THERE:
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
