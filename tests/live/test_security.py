# SPDX-License-Identifier: GPL-2.0-only
"""A security module that refuses, at each of the hooks that it has on an arrival's
way: what is for the sockets of one port. It is a BPF program, attached for just
those lines of the test; what comes before, beside and after it passes."""

import contextlib
import os
import socket

import pytest

import bpf
import wire
from datagrams import check_verdict
from judge import numbers, pick
from sight import release
from stage import ENDS, PORT
from tracer import Trace

OPEN, REFUSED = PORT, PORT + 1
REASON = "SECURITY_HOOK" if release() >= (7, 2) else "SOCKET_FILTER"
ACK, SYN_ACK = 16, 18


@pytest.fixture
def modules():
    """bpf is among them."""
    path = "/sys/kernel/security/lsm"
    if not os.path.exists(path):
        pytest.skip(f"no {path}: which security modules are active is unknown")
    with open(path) as names:
        if "bpf" not in names.read().strip().split(","):
            pytest.skip("bpf is none of the active security modules (lsm=)")


class Side:
    """What there is of each IP version: a connection, a request, and sockets of
    UDP."""

    def __init__(self, stage, version):
        self.stage, self.version = stage, version
        self.listener = stage.listener
        if version == 6:
            self.listener = self.listen(OPEN)
        self.refusing = self.listen(REFUSED)
        self.datagrams = [self.bind(OPEN), self.bind(REFUSED)]
        self.sources = iter(range(version * 1000, version * 1000 + 99))

    def listen(self, port):
        made = self.stage.listen(port=port, version=self.version)
        self.stage.ends.append(made)
        return made

    def bind(self, port):
        made = self.stage.here.socket(
            socket.AF_INET if self.version == 4 else socket.AF_INET6,
            socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((ENDS[self.version][0], port))
        self.stage.ends.append(made)
        return made

    def open(self):
        self.known, self.half = next(self.sources), next(self.sources)
        kind = {"port": REFUSED, "version": self.version}
        self.theirs = self.stage.tun.open(self.known, **kind)
        self.conn = self.stage.accept(self.refusing)
        self.conn.setblocking(False)
        self.half_theirs = self.stage.tun.ask(self.half, **kind)

    def send(self, flags, shown, source=None, port=REFUSED, **more):
        """Returns the flags of what the kernel answered."""
        return self.stage.send(source or next(self.sources), flags, *shown,
                               port=port, version=self.version, **more)

    def to_known(self, shown, payload):
        return self.send("PSH|ACK", shown, self.known, seq=1001,
                         ack=self.theirs, payload=payload)

    def to_half(self, shown):
        return self.send("ACK", shown, self.half, seq=1001,
                         ack=self.half_theirs)

    def send_datagrams(self, payload):
        here, there = ENDS[self.version]
        for port in OPEN, REFUSED:
            self.stage.tun.write(wire.datagram((there, 1), (here, port),
                                               payload))

    def got(self):
        """By the sockets of both ports."""
        found = []
        for sock in self.datagrams:
            with contextlib.suppress(BlockingIOError):
                found.append((sock.getsockname()[1], sock.recv(9)))
        return found


def refuse_arrivals(side, of_request):
    """What sk_filter_trim_cap() asks of every socket."""
    refused = "refused", "filter"
    assert not side.send("SYN", refused, seq=1000)
    assert side.send("SYN", ("listener", "request_made"), port=OPEN,
                     seq=1000) == [SYN_ACK]
    assert not side.to_known(refused, b"no")
    with pytest.raises(BlockingIOError):
        side.conn.recv(9)
    assert not side.to_half(of_request)
    side.send_datagrams(b"no")
    assert side.got() == [(OPEN, b"no")]


def take_arrivals(side):
    """The same once more."""
    assert side.to_known(("established", "taken_up"), b"yes") == [ACK]
    assert side.conn.recv(9) == b"yes"
    assert not side.to_half(("request", "child"))
    side.stage.accept(side.refusing)
    side.send_datagrams(b"yes")
    assert side.got() == [(OPEN, b"yes"), (REFUSED, b"yes")]


def check_segments(run, side, told):
    """Those that were refused, and the same after it."""
    own = [x for x in told if x["family"] == side.version]
    syn, _, data, ack, data_again, ack_again = own
    listener, conn = numbers(run, [side.refusing, side.conn])
    assert (syn["sock"], data["sock"]) == (listener, conn)
    assert data_again["sock"] == conn
    assert ack["parent"] == listener and ack["sock_state"] == "NEW_SYN_RECV"
    assert ack["sock"] == ack_again["sock"]
    for segment in syn, data, ack:
        assert segment["verdict"] == "proved"
        if segment["outcome"] == "refused":
            assert segment.get("drop_reason") == (
                REASON if run.sees("reason") else None)
    for segment, via in (syn, "lookup"), (data, "early_demux"), (
            ack, "early_demux"):
        assert segment.get("via") == (via if run.sees("via") else None)


def check_datagrams(run, side):
    own = [x for x in run.datagrams if x["family"] == side.version]
    socks = numbers(run, side.datagrams)
    assert [x["sock"] for x in own] == socks * 2
    refused = own.pop(1)
    assert all(pick(x, ("outcome", "dropped")) == ("unconnected", None)
               for x in own)
    assert pick(refused, ("outcome", "dropped")) == (
        ("refused", None) if run.sees("lost") else ("unconnected", True))
    assert refused.get("drop_reason") == (
        REASON if run.sees("reason") else None)
    for event in own + [refused]:
        check_verdict(run, event)


def test_arrivals(stage, modules):
    """security_sock_rcv_skb()."""
    sides = [Side(stage, x) for x in (4, 6)]
    with Trace([stage.here], "-t", "-u") as run:
        for side in sides:
            side.open()
        # Of 5.10, stable cannot tell whether the listener refused it.
        of_request = ("refused", "filter") if run.sees(
            "filtered request") else ("request", None)
        with bpf.security_module("socket_sock_rcv_skb", REFUSED):
            for side in sides:
                refuse_arrivals(side, of_request)
        for side in sides:
            take_arrivals(side)
    told = stage.check(run)
    for side in sides:
        check_segments(run, side, told)
        check_datagrams(run, side)


def test_requests(stage, modules):
    """security_inet_conn_request(): no connection is to begin, be it by a SYN
    or by the ACK of a SYN cookie. The listener has what it drops."""
    sides = [Side(stage, x) for x in (4, 6)]
    stage.here.sysctl("tcp_syncookies", 2)
    with Trace([stage.here]) as run:
        cookies = [stage.tun.ask(1, port=REFUSED, version=x.version)
                   for x in sides]
        with bpf.security_module("inet_conn_request", REFUSED):
            for side, cookie in zip(sides, cookies):
                assert not side.send("SYN", ("listener", "syn_dropped"),
                                     seq=1000)
                assert not side.send("ACK", ("listener", "ignored"), 1,
                                     seq=1001, ack=cookie)
                assert side.send("SYN", ("listener", "cookie_sent"),
                                 port=OPEN, seq=1000) == [SYN_ACK]
        for side, cookie in zip(sides, cookies):
            assert not side.send("ACK", ("listener", "cookie_accepted"), 1,
                                 seq=1001, ack=cookie)
            stage.accept(side.refusing)
    told = stage.check(run)
    for side in sides:
        own = [x for x in told if x["family"] == side.version]
        (listener,) = numbers(run, [side.refusing])
        assert [x["sock"] for x in own[:2] + own[3:]] == [listener] * 3
        assert {x["verdict"] for x in own} == {"proved"}
