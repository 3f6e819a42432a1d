# SPDX-License-Identifier: GPL-2.0-only
"""What looks like another segment, or like another socket's match, is counted
once all the same."""

import fcntl
import os
import socket
import struct
import subprocess

import pytest

import judge
import peers
import wire
from lab import ip
from tracer import Trace

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


def test_same_numbers(labs):
    """An ACK and then a FIN with the same numbers, to FIN_WAIT2 and TIME_WAIT;
    one SYN ten times; a reset to a socket and again to nobody."""
    here = labs.namespace()
    tun = Tun(here)
    with here.inside():
        listener = socket.create_server((HERE, PORT))
    with Trace([here]) as run:
        for number in range(10):
            theirs = tun.open(41000 + number)
            listener.accept()[0].close()
            tun.send(41000 + number, "ACK", 1001, theirs + 1)
            tun.send(41000 + number, "FIN|ACK", 1001, theirs + 1)
        for _ in range(10):
            tun.send(42000, "SYN", 1000)
        for number in range(10):
            tun.open(43000 + number)
            # 5.10 does not say whose drop the second one is.
            for _ in range(3 if run.sees("none") else 1):
                tun.send(43000 + number, "RST", 1001)
    listener.close()
    os.close(tun.fd)
    judge.check_accounting(run)
    fins = [x["outcome"] for x in run.segments if x["flags"] == "FIN|ACK"]
    assert fins == ["time_wait"] * 10
    assert len([x for x in run.segments if x["rport"] == 42000]) == 10


def test_raw_socket(labs):
    """It has TCP's protocol number, and gets a copy of each segment."""
    lab = labs.loopback()
    with lab.server.socket(socket.AF_INET, socket.SOCK_RAW,
                           socket.IPPROTO_TCP), Trace(lab.namespaces) as run:
        with peers.listen(lab) as listener:
            conns = [peers.visit(lab, listener)]
    assert not judge.check_all(run, conns, lab, {conns[0].lport: 1})
