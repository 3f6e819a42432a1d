# SPDX-License-Identifier: GPL-2.0-only
"""SO_REUSEPORT that was put on, or taken back, when the socket had its port: what
the kernel's lookup then asks; and where an IPv6 listener stands that has it. The
judge is who could read, or accept."""

import select
import socket

import bpf
import judge
from datagrams import PATIENCE, Sockets, told
from test_choice import bind_to
from test_why import GROUPED, Listeners, candidates, syns
from tracer import Trace

PORT, COUNT = 12400, 20
REUSEPORT = socket.SO_REUSEPORT
ANY = "@0.0.0.0=2"


def set_reuseport(sock, wanted):
    sock.setsockopt(socket.SOL_SOCKET, REUSEPORT, wanted)


def make_two(listeners, addr="0.0.0.0", newer=0):
    """With one place: each was bound to a device of its own when it began to
    listen. Only the second may have SO_REUSEPORT then."""
    listeners.make("older", PORT, addr, b"lo", 0)
    listeners.make("newer", PORT, addr, b"eth0", newer)
    for sock in listeners.named.values():
        bind_to(sock, b"")


def trace_connects(lab, listeners, count=1, addr="127.0.0.1"):
    """Returns the names of those that accepted, and what was told of each."""
    with Trace([lab.server], "--detail") as run:
        had = [listeners.connect(addr, PORT)[0] for _ in range(count)]
    judge.check_accounting(run)
    judge.check_proved(run)
    names = listeners.names(run)
    assert [names[x["sock"]] for x in syns(run)] == had
    return had, syns(run), names


def test_listener_without(labs):
    """It stays in its group, which is not asked where the lookup finds it; but
    where it finds another member, the group may choose it."""
    lab = labs.loopback()
    listeners = Listeners(lab.server)
    with listeners.stack:
        for name in "01":
            listeners.make(name, PORT)
        set_reuseport(listeners.named["1"], 0)
        had, events, names = trace_connects(lab, listeners)
        assert had == ["1"]
        (event,) = events
        assert candidates(event, names) == f"1{ANY} 0{ANY}"
        assert judge.pick(event, GROUPED) == (2, "newest", 2, None, None)
        assert "group_hash" not in event
        set_reuseport(listeners.named["1"], 1)
        set_reuseport(listeners.named["0"], 0)
        had, events, _ = trace_connects(lab, listeners, COUNT)
        assert set(had) == {"0", "1"}
        for event, name in zip(events, had, strict=True):
            by = ("hash", 1) if name == "1" else (None, None)
            assert judge.pick(event, GROUPED) == (2, "reuseport", 2, *by)


def test_listener_with(labs):
    """No group is made for it."""
    lab = labs.veth()
    lab.client = lab.server
    listeners = Listeners(lab.server)
    with listeners.stack:
        make_two(listeners)
        for sock in listeners.named.values():
            set_reuseport(sock, 1)
        had, (event,), names = trace_connects(lab, listeners)
        assert had == ["newer"]
        assert candidates(event, names) == f"newer{ANY} older{ANY}"
        assert judge.pick(event, GROUPED) == (2, "newest", None, None, None)


def test_order_of_six(labs):
    """One of IPv6 with the option goes to the end, so the older one wins."""
    lab = labs.veth()
    lab.client = lab.server
    listeners = Listeners(lab.server)
    with listeners.stack:
        make_two(listeners, "::", 1)
        for addr in "::1", "127.0.0.1":
            had, (event,), names = trace_connects(lab, listeners, addr=addr)
            assert had == ["older"]
            assert candidates(event, names) == "older@::=1 newer@::=1"
            assert judge.pick(event, GROUPED) == (2, "first", None, None, None)


def test_datagrams_without(labs):
    """The same of UDP."""
    lab = labs.loopback()
    sockets = Sockets(lab)
    with sockets.stack:
        two = [sockets.server(name, "127.0.0.1", PORT, [REUSEPORT])
               for name in (0, 1)]
        events = []
        for off in 1, 0:
            set_reuseport(two[off], 0)
            set_reuseport(two[not off], 1)
            with Trace([lab.server], "-u") as run:
                for _ in range(COUNT):
                    client = sockets.client()
                    sockets.send(client, b"x", "127.0.0.1", PORT)
            assert run.summary["verdict"] == "proved"
            got = dict.fromkeys((0, 1), 0)
            for name, *_ in told(run, sockets):
                got[name] += 1
            for name, count in got.items():
                sockets.take(name, count)
                assert sockets.is_empty(name)
            if off:
                assert got == {0: 0, 1: COUNT}
            else:
                assert all(got.values())
            events.append((got, run.datagrams))
        for off, (got, run) in zip((1, 0), events, strict=True):
            assert [judge.pick(x, ("group_size", "group_by")) for x in run
                    ].count((2, None)) == got[off]
            assert [judge.pick(x, ("group_size", "group_index", "group_by"))
                    for x in run].count((2, 1, "hash")) == got[1] * (not off)


def test_program_chooses_connected(labs, make_sockets):
    """With old kernels one that is connected stays in its group, and gets what the
    program chooses it for, whoever sent that."""
    lab = labs.veth()
    sockets = make_sockets(lab)
    for name in range(3):
        sockets.server(name, port=PORT, options=[REUSEPORT])
    bpf.choose_member(sockets.servers[0], 1)
    sockets.servers[1].connect(sockets.client().getsockname())
    with Trace(lab.namespaces, "-u") as run:
        sockets.send(sockets.client(), b"x", port=PORT)
        (ready, *_), _, _ = select.select(sockets.servers.values(), [], [],
                                          PATIENCE)
    (name,) = [x for x, y in sockets.servers.items() if y is ready]
    got = sockets.take(name)
    assert told(run, sockets) == got
    (event,) = run.datagrams
    assert run.summary["verdict"] == "proved"
    if name == 1:
        assert judge.pick(event, ("outcome", "score", "verdict")) == (
            "connected", None, "explained")
        assert "the program of its SO_REUSEPORT group" in event["why"]
    else:
        assert judge.pick(event, ("outcome", "verdict")) == (
            "unconnected", "proved")
