# SPDX-License-Identifier: GPL-2.0-only
"""UDP: datagrams that are wrong, unwelcome, nobody's or several in one. All in
one trace; each kind has a port of its own. The judges are the test's sockets,
the sender's ICMP errors and the kernel's counters."""

import collections
import contextlib
import socket
import struct
import subprocess
import time

import pytest

import judge
import wire
from datagrams import GROUPS, Sockets, filter_all, filter_short, told
from lab import Labs
from tracer import Run, Trace

SHORT, CUT, EMPTY_SUM, LENIENT = 12400, 12401, 12402, 12403
NO_LENGTH, LENIENT_FILTERED, PADDED = 12404, 12405, 12406
LONG, LONG_FILTERED, LONG_CLOSED = 12410, 12411, 12412
FILTER, FULL, POLICY = 12420, 12421, 12422
CLOSED, LITE, BARE = 12430, 12431, 12432
MANY, MANY_FULL = 12433, 12434
MERGED, SPLIT, PARTLY = 12440, 12441, 12442
UDP_NO_CHECK6_RX, UDP_SEGMENT, UDP_GRO = 102, 103, 104
IP_RECVERR, IPV6_RECVERR, IPPROTO_UDPLITE = 11, 25, 136
RAW = 9  # the port that what is made by hand comes from
UNREACHABLE = {4: (2, 3, 3), 6: (3, 1, 4)}  # origin, type, code


def block(namespace, port):
    """A policy of IPsec's; False where this kernel has none."""
    return not subprocess.run(
        ["ip", "-n", namespace.name, "xfrm", "policy", "add", "src",
         "0.0.0.0/0", "dst", "0.0.0.0/0", "proto", "udp", "dport", str(port),
         "dir", "in", "action", "block"], stderr=subprocess.PIPE,
        check=False).returncode


class Traced:
    def __init__(self, lab, stack):
        self.lab = lab
        self.sockets = sockets = Sockets(lab)
        stack.enter_context(sockets.stack)
        for version in 4, 6:
            addr = lab.server_addr[version]
            for port in (SHORT, CUT, EMPTY_SUM, LENIENT, NO_LENGTH,
                         LENIENT_FILTERED, LONG, LONG_FILTERED):
                sockets.server((port, version), addr, port)
        for port in LENIENT, NO_LENGTH, LENIENT_FILTERED:
            sockets.servers[port, 6].setsockopt(socket.IPPROTO_UDP,
                                                UDP_NO_CHECK6_RX, 1)
        for version in 4, 6:
            filter_all(sockets.servers[LONG_FILTERED, version])
            filter_all(sockets.servers[LENIENT_FILTERED, version])
        for port in FILTER, FULL, POLICY, MERGED, SPLIT, PARTLY, PADDED:
            sockets.server(port, port=port)
        filter_all(sockets.servers[FILTER])
        filter_short(sockets.servers[PARTLY], 1000)
        sockets.servers[FULL].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                         1)
        sockets.servers[MERGED].setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        for name in "abcdef":
            self.member(name, MANY if name < "d" else MANY_FULL)
        filter_all(sockets.servers["b"])
        sockets.servers["e"].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.has_policy = block(lab.server, POLICY)
        self.lite = self.lite_socket(stack)
        with Trace(lab.namespaces, "-u") as self.run:
            self.before = lab.server.snmp("Udp", "InCsumErrors")
            self.got = self.made_by_hand() + self.unwelcome()
            self.errors = [self.error_of(x) for x in UNREACHABLE]
            self.merged = self.several_in_one()
            if self.lite:
                assert self.lite.recv(99) == b"xx"
        self.at = collections.defaultdict(list)
        for event in self.run.datagrams:
            self.at[event.get("lport"), event["family"]].append(event)

    def member(self, name, port):
        made = self.sockets.server(name, "0.0.0.0", port,
                                   [socket.SO_REUSEADDR])
        made.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
            socket.inet_aton(GROUPS[4]) +
            socket.inet_aton(self.lab.server_addr[4]))

    def lite_socket(self, stack):
        try:
            made = stack.enter_context(self.lab.server.socket(
                socket.AF_INET, socket.SOCK_DGRAM, IPPROTO_UDPLITE))
        except OSError:
            return None
        made.settimeout(10)
        made.bind((self.lab.server_addr[4], LITE))
        return made

    def send_raw(self, version, port, size=8, left=None, **kind):
        addrs = self.lab.client_addr[version], self.lab.server_addr[version]
        packet = wire.datagram((addrs[0], RAW), (addrs[1], port), b"x" * size,
                               **kind)
        wire.send_raw(self.lab.client,
                      packet if left is None else wire.cut(packet, left))

    def made_by_hand(self):
        got = []
        for version in 4, 6:
            self.send_raw(version, SHORT, damage=1)
            for kind in {"claimed": 4}, {"claimed": 99}, {"left": 4}:
                self.send_raw(version, CUT, **kind)
            self.send_raw(version, CUT, left=2)
            for port in EMPTY_SUM, LENIENT:
                self.send_raw(version, port, check=0)
                if (version, port) != (6, EMPTY_SUM):
                    got += self.sockets.take((port, version))
            self.send_raw(version, LENIENT_FILTERED, check=0)
            self.send_raw(version, NO_LENGTH, check=0, claimed=0)
            for port in LONG, LONG_FILTERED, LONG_CLOSED:
                self.send_raw(version, port, 1000, damage=1)
        got += self.sockets.take((NO_LENGTH, 6))
        self.send_raw(4, PADDED, check=0, claimed=12)
        got += self.sockets.take(PADDED)
        self.send_raw(4, BARE, check=0)
        self.send_raw(4, LITE, 2, proto=IPPROTO_UDPLITE)
        return got

    def unwelcome(self):
        client = self.sockets.client()
        for port in FILTER, POLICY:
            self.sockets.send(client, b"x", port=port)
        for _ in range(9):
            self.sockets.send(client, b"x" * 1000, port=FULL)
        client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                          socket.inet_aton(self.lab.client_addr[4]))
        self.sockets.send(client, b"x", GROUPS[4], MANY)
        got = self.sockets.take("a") + self.sockets.take("c")
        for _ in range(9):
            self.sockets.send(client, b"x" * 1000, GROUPS[4], MANY_FULL)
            got += self.sockets.take("d") + self.sockets.take("f")
        return got

    def error_of(self, version):
        """What an unconnected sender is told."""
        client = self.sockets.client(version)
        level, option = ((socket.IPPROTO_IP, IP_RECVERR) if version == 4 else
                         (socket.IPPROTO_IPV6, IPV6_RECVERR))
        client.setsockopt(level, option, 1)
        self.sockets.send(client, b"x" * 7, port=CLOSED)
        end = time.monotonic() + 10
        while True:
            try:
                _, control, _, _ = client.recvmsg(99, 999,
                                                  socket.MSG_ERRQUEUE)
                break
            except BlockingIOError:
                assert time.monotonic() < end, "no ICMP error came"
                time.sleep(0.02)
        (data,) = [x[2] for x in control if x[:2] == (level, option)]
        return struct.unpack_from("=IBBB", data)[1:]

    def several_in_one(self):
        """Three datagrams in one send(), to one who wants them so, and to one
        who does not. Returns what these had to read."""
        client = self.sockets.client()
        client.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
        lengths = {}
        for port in MERGED, SPLIT:
            self.sockets.send(client, b"x" * 3000, port=port)
            lengths[port] = []
            while sum(lengths[port]) < 3000:
                lengths[port].append(len(self.sockets.servers[port].recv(
                    9999)))
        self.sockets.send(client, b"x" * 2500, port=PARTLY)
        for _ in range(2):
            assert len(self.sockets.servers[PARTLY].recv(9999)) == 1000
        return lengths


@pytest.fixture(scope="module")
def traced(tracing):
    with contextlib.ExitStack() as stack:
        labs = Labs()
        stack.callback(labs.close)
        yield Traced(labs.veth(), stack)


def check_event(traced, event, outcome, reason=None, **more):
    """@reason is the kernel's name for why it was dropped."""
    assert event["outcome"] == outcome
    assert event.get("drop_reason") == (
        reason if traced.run.sees("reason") else None)
    assert {x: event.get(x) for x in more} == more
    assert event["verdict"] == "proved"


def test_all(traced):
    """Each is told once, and who reads it reads it."""
    run, sockets = traced.run, traced.sockets
    wanted = {(LITE, 4): 0, (FULL, 4): 9, (MANY, 4): 3, (MANY_FULL, 4): 27}
    for version in 4, 6:
        wanted.update({(CUT, version): 3, (None, version): 1})
    for place, events in traced.at.items():
        if place[0] not in (MERGED, SPLIT, PARTLY):
            assert len(events) == wanted.get(place, 1), place
    assert (run.summary["verdict"], run.summary["why"]) == ("proved", [])
    assert run.summary["datagrams"] == len(run.datagrams) - 2 - 18
    own = Run(run.events, sees=run.sees)
    own.datagrams = [x for x in run.datagrams if not x.get("dropped") and
                     x.get("lport") not in (LONG, MERGED, SPLIT, PARTLY)]
    full = sum(x.get("lport") == FULL for x in own.datagrams)
    kept = sum(x.get("lport") == MANY_FULL for x in own.datagrams) - 18
    got = traced.got + sockets.take(FULL, full) + sockets.take("e", kept)
    assert full and collections.Counter(told(own, sockets)) == (
        collections.Counter(got))
    assert all(sockets.is_empty(x) for x in sockets.servers)


@pytest.mark.parametrize("version", [4, 6])
def test_malformed(traced, version):
    (short,) = traced.at[SHORT, version]
    check_event(traced, short, "malformed", "UDP_CSUM", bad_checksum=True,
                sock=None, len=8)
    for event, reason in zip(traced.at[CUT, version],
                             ["PKT_TOO_SMALL"] * 2 + ["NOT_SPECIFIED"]):
        check_event(traced, event, "malformed", reason, bad_checksum=None,
                    sock=None, len=None, rport=RAW)
    (event,) = traced.at[None, version]
    check_event(traced, event, "malformed", "NOT_SPECIFIED", rport=None)


def test_without_checksum(traced):
    """IPv6 must have one, unless the socket does without."""
    for place in (EMPTY_SUM, 4), (LENIENT, 4), (LENIENT, 6):
        check_event(traced, *traced.at[place], "unconnected", dropped=None)
    check_event(traced, *traced.at[EMPTY_SUM, 6], "malformed", "UDP_CSUM",
                bad_checksum=True)
    (event,) = traced.at[BARE, 4]
    assert judge.pick(event, ("outcome", "bad_checksum")) == ("none", None)


@pytest.mark.parametrize("version", [4, 6])
def test_long(traced, version):
    """Their checksum is computed for who has a filter and for nobody; for
    others by who reads or polls, which is too late to be seen."""
    check_event(traced, *traced.at[LONG, version], "unconnected", len=1000,
                dropped=None, bad_checksum=None)
    (filtered,) = traced.at[LONG_FILTERED, version]
    check_event(traced, filtered, "malformed", "UDP_CSUM", bad_checksum=True,
                sock_lport=LONG_FILTERED if traced.run.sees("refused") else
                None)
    (closed,) = traced.at[LONG_CLOSED, version]
    check_event(traced, closed, "malformed", closed.get("drop_reason"),
                bad_checksum=True, sock=None)
    assert closed.get("drop_reason") in (None, "UDP_CSUM", "NO_SOCKET")


def test_no_length(traced):
    """IPv6 takes 0 for all that there is, as in a jumbogram."""
    check_event(traced, *traced.at[NO_LENGTH, 4], "malformed", "PKT_TOO_SMALL",
                len=None)
    check_event(traced, *traced.at[NO_LENGTH, 6], "unconnected", len=8)


def test_padded(traced):
    """There are four bytes more than its header says."""
    check_event(traced, *traced.at[PADDED, 4], "unconnected", len=4)


def test_checksum_errors(traced):
    """As the kernel counts them, of IPv4."""
    assert traced.sockets.is_empty((LONG, 4))
    counted = traced.lab.server.snmp("Udp", "InCsumErrors") - traced.before
    assert counted == 1 + sum("bad_checksum" in x and x["family"] == 4
                              for x in traced.run.datagrams)


def check_filtered(traced, event, outcome):
    """@outcome: without the filter."""
    if traced.run.sees("lost"):
        check_event(traced, event, "refused", "SOCKET_FILTER",
                    bad_checksum=None, sock_lport=event["lport"])
    else:
        check_event(traced, event, outcome, dropped=True, bad_checksum=None,
                    predicted="outcome")


@pytest.mark.parametrize("place", [(FILTER, 4), (LENIENT_FILTERED, 4),
                                   (LENIENT_FILTERED, 6)])
def test_filter(traced, place):
    """Also what has no checksum, and needs none."""
    check_filtered(traced, *traced.at[place], "unconnected")


def test_filter_of_one(traced):
    """Of three that the datagram is for; all but the newest get a clone."""
    events = traced.at[MANY, 4]
    assert [x["copy"] for x in events] == [0, 1, 2]
    (event,) = [x for x in events
                if x["outcome"] == "refused" or x.get("dropped")]
    for other in events:
        if other is not event:
            check_event(traced, other, "multicast", dropped=None)
    check_filtered(traced, event, "multicast")


def test_policy(traced):
    (event,) = traced.at[POLICY, 4]
    if not traced.has_policy:
        pytest.skip("this kernel has no IPsec")
    if not traced.run.sees("none"):
        assert judge.pick(event, ("outcome", "predicted")) == ("none",
                                                               "outcome")
    elif not traced.run.sees("refused"):
        assert judge.pick(event, ("outcome", "drop_reason", "sock",
                                  "verdict")) == (
            "refused", "XFRM_POLICY", None, "explained")
    else:
        check_event(traced, event, "refused", "XFRM_POLICY",
                    sock_lport=POLICY, dropped=None)


def test_no_room(traced):
    for event in traced.at[FULL, 4]:
        lost = event.get("dropped")
        check_event(traced, event, "unconnected",
                    "SOCKET_RCVBUFF" if lost else None, sock_lport=FULL)
    assert any("dropped" in x for x in traced.at[FULL, 4])


def test_no_room_of_one(traced):
    """It is told of the one of three that has none, and of no other."""
    lost = collections.Counter()
    for event in traced.at[MANY_FULL, 4]:
        check_event(traced, event, "multicast",
                    "SOCKET_RCVBUFF" if event.get("dropped") else None)
        lost[event["sock"]] += event.get("dropped", False)
    assert sorted(x > 0 for x in lost.values()) == [False, False, True]


def test_nobody(traced):
    """The sender has the ICMP errors."""
    assert traced.errors == list(UNREACHABLE.values())
    run = traced.run
    for version in UNREACHABLE:
        (event,) = traced.at[CLOSED, version]
        assert judge.pick(event, ("outcome", "sock", "drop_reason")) == (
            "none", None, "NO_SOCKET" if run.sees("reason") else None)
        assert event.get("icmp", False) == run.sees("icmp")


def test_several_in_one(traced):
    """As they come in, or as they are handed on where each is a datagram for
    the reader."""
    for port, lengths in traced.merged.items():
        events = traced.at[port, 4]
        assert sum(x["segs"] for x in events) == 3
        assert all(x["len"] == 1000 * x["segs"] for x in events)
        if len(traced.merged[MERGED]) == 1 and traced.run.sees("merged"):
            lengths = [3000]
        assert [x["len"] for x in events] == lengths


def test_some_of_several(traced):
    """The last one is short, and the socket's filter refuses it alone."""
    events = traced.at[PARTLY, 4]
    assert sum(x["segs"] for x in events) == 3
    lost = ["dropped" if x.get("dropped") else x["outcome"]
            for x in events if "drop_reason" in x or x.get("dropped") or
            x["outcome"] == "refused" or "segs_lost" in x]
    assert len(lost) == 1
    merged = [x for x in events if x["segs"] > 1]
    if merged:
        check_event(traced, *merged, "unconnected", "SOCKET_FILTER",
                    segs_lost=1, dropped=None)
