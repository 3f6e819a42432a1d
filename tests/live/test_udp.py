# SPDX-License-Identifier: GPL-2.0-only
"""UDP: which sockets got each datagram. The judge is what the test's own
sockets then had to read, and the kernel's counters."""

import collections
import json
import os
import socket
import struct
import threading

import pytest

import judge
import wire
from datagrams import (BROADCAST, GROUPS, PORT, check, check_verdict, check_via,
                       filter_all)
from sight import WITH_CONNECTED_HASH, release
from tracer import Trace, UnderTest, run_tool

CLOSED = 12999


def test_connected_takes_its_peers(labs, make_sockets):
    """One unconnected socket serves three clients; another one, connected to
    the first, takes that one's away."""
    lab = labs.veth()
    sockets = make_sockets(lab)
    own = sockets.server("own", options=[socket.SO_REUSEADDR])
    # The newest takes all.
    sockets.server("all", options=[socket.SO_REUSEADDR])
    clients = [sockets.client() for _ in range(3)]
    before = lab.server.snmp("Ip", "InDelivers")
    with Trace(lab.namespaces, "-u") as run:
        for number, client in enumerate(clients, 1):
            sockets.send(client, b"x" * number)
        got = sockets.take("all", 3)
        own.connect(clients[0].getsockname())
        for number, client in enumerate(clients, 11):
            sockets.send(client, b"x" * number)
        got += sockets.take("all", 2) + sockets.take("own")
    check(run, sockets, got)
    assert lab.server.snmp("Ip", "InDelivers") - before == len(got) == 6
    for event in run.datagrams:
        assert event["pid"] == os.getpid()
        check_via(run, event, "lookup")
        if event["len"] == 11:
            peer = clients[0].getsockname()
            assert judge.pick(event, ("outcome", "sock_raddr",
                                      "sock_rport")) == ("connected", *peer)
        else:
            assert judge.pick(event, ("outcome", "sock_rport")) == (
                "unconnected", 0)
        # A connected one may be early demux's, where that is not seen; and
        # since 6.13 the kernel has another table for these.
        is_scored = run.sees("via") and release() < WITH_CONNECTED_HASH
        assert judge.pick(event, ("score", "score_parts")) == (
            (2, "base") if event["len"] != 11 else
            (10, "base|raddr|rport") if is_scored else (None, None))


def test_new_sockets(labs, make_sockets):
    """Made during the trace: bound, connected, and closed."""
    lab = labs.veth()
    sockets = make_sockets(lab)
    with Trace(lab.namespaces, "-u") as run:
        server, client = sockets.server("new"), sockets.client()
        server.connect(client.getsockname())
        client.connect(server.getsockname())
        for end in client, server, client:
            end.send(b"x")
        sockets.take("new", 2)
        assert client.recv(9) == b"x"
        # What fails is not told.
        with pytest.raises(OSError):
            server.bind((lab.server_addr[4], CLOSED))
        with pytest.raises(OSError):
            server.connect(("255.255.255.255", 9))
        server.close()
        client.close()
        sockets.servers.clear()
    assert run.summary["verdict"] == "proved"
    here, there = [next(y for y in run.binds if y["netns"] == x.inode)
                   for x in (lab.server, lab.client)]
    assert here["lport"] == PORT
    assert [[x["rport"] for x in told if x["sock"] == here["sock"]]
            for told in (run.binds, run.connects)] == [[0], [there["lport"]]]
    for bind, count in (here, 2), (there, 1):
        assert judge.pick(bind, ("pid", "tid", "comm")) == (
            os.getpid(), threading.get_native_id(), "python3")
        own = [x for x in run.datagrams if x["sock"] == bind["sock"]]
        assert len(own) == count
        for event in own:
            assert (judge.pick(event, judge.ENDS) ==
                    judge.pick(event, ["sock_" + x for x in judge.ENDS]))
            assert event["outcome"] == "connected"
            check_via(run, event, "early_demux")
        (end,) = [x for x in run.closes if x["sock"] == bind["sock"]]
        assert end["datagrams"] == count


def test_nobody_gets_it(labs, make_sockets):
    """A closed port, which the sender is told; a filter; no room; broken."""
    lab = labs.loopback()
    sockets = make_sockets(lab)
    filter_all(sockets.server("deaf", port=12001))
    full = sockets.server("full", port=12002)
    full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    here = lab.server_addr[4]
    before = lab.server.snmp("Udp", "NoPorts")
    with Trace(lab.namespaces, "-u") as run:
        for version in 4, 6:
            client = sockets.client(version)
            client.connect((lab.server_addr[version], CLOSED))
            client.send(b"x" * 7)
            with pytest.raises(ConnectionRefusedError):
                client.recv(9)
        client = sockets.client()
        sockets.send(client, b"x", port=12001)
        for _ in range(9):
            sockets.send(client, b"x" * 1000, port=12002)
        for kind in {"damage": 1}, {"claimed": 4}, {"claimed": 99}:
            wire.send_raw(lab.client, wire.datagram(
                (here, 9), (here, 12002), b"x" * 8, **kind))
    assert lab.server.snmp("Udp", "NoPorts") == before + 1
    by_port = collections.defaultdict(list)
    for event in run.datagrams:
        check_verdict(run, event)
        by_port[event["lport"]].append(event)
    assert [judge.pick(x, ("family", "outcome", "icmp", "sock", "len"))
            for x in by_port[CLOSED]] == [
                (x, "none", True if run.sees("icmp") else None, None, 7)
                for x in (4, 6)]
    (deaf,) = by_port[12001]
    assert judge.pick(deaf, ("outcome", "dropped", "sock_lport")) == (
        ("refused", None, 12001) if run.sees("lost") else
        ("unconnected", True, 12001))
    odd = [x for x in by_port[12002] if x["rport"] == 9]
    assert [x["outcome"] for x in odd] == ["malformed"] * 3
    assert [x.get("bad_checksum") for x in odd] == [True, None, None]
    kept = [x for x in by_port[12002] if x["rport"] != 9]
    assert len(kept) == 9
    lost = [x for x in kept if x.get("dropped")]
    got = sockets.take("full", 9 - len(lost))
    assert sockets.is_empty("full") and got and lost


def join(sockets, names, version):
    """Sockets at the group's port, the last of which joins no group, and a
    client that sends by the lab's wire."""
    lab, any_addr = sockets.lab, {4: "0.0.0.0", 6: "::"}[version]
    device = lab.server.index(lab.device)
    for name in names:
        made = sockets.server(name, any_addr, PORT + version,
                              options=[socket.SO_REUSEADDR])
        group = socket.inet_pton(made.family, GROUPS[version])
        if name == names[-1]:
            continue
        if version == 4:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            struct.pack("@4s4xi", group, device))
        else:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                            struct.pack("@16si", group, device))
    client = sockets.client(version, [socket.SO_BROADCAST])
    device = lab.client.index(lab.device)
    if version == 4:
        client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                          struct.pack("@8xi", device))
    else:
        client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                          device)
    return client


def test_many_get_it(labs, make_sockets):
    """Each copy is told, and the datagram counted once. IP_MULTICAST_ALL is on:
    one that joined nothing gets what the others do."""
    lab = labs.veth()
    sockets = make_sockets(lab)
    names = {4: "abc", 6: "def"}
    clients = {x: join(sockets, names[x], x) for x in names}
    with Trace(lab.namespaces, "-u") as run:
        got = []
        for version, client in clients.items():
            sockets.send(client, b"xx", GROUPS[version], PORT + version)
            for name in names[version]:
                got += sockets.take(name)
        sockets.send(clients[4], b"xxx", BROADCAST, PORT + 4)
        for name in names[4]:
            got += sockets.take(name)
    check(run, sockets, got)
    here = [x for x in run.datagrams if x["netns"] == lab.server.inode]
    assert {x["outcome"] for x in here} == {"multicast"}
    for count, family, length in (3, 4, 2), (3, 6, 2), (3, 4, 3):
        part = [x for x in here if judge.pick(x, ("family", "len")) == (
            family, length)]
        assert [x["copy"] for x in part] == [*range(count)]
        assert len({x["sock"] for x in part}) == count
    # A host gets its own broadcast, and here has no socket for it.
    own = [x for x in run.datagrams if x not in here]
    assert [judge.pick(x, ("outcome", "icmp", "len")) for x in own] == [
        ("none", None, 3)]


def test_reuseport_and_families(labs, make_sockets):
    """One of a group gets it, by a hash of all four values. IPv6, and IPv4 on
    an IPv6 socket, beside one that is at an IPv6 address."""
    lab = labs.veth()
    sockets = make_sockets(lab)
    for name in "abcd":
        sockets.server(name, options=[socket.SO_REUSEPORT])
    sockets.server("six", "::", 12001)
    sockets.server("own", lab.server_addr[6], 12002)
    clients = [sockets.client() for _ in range(12)]
    six = sockets.client(6)
    with Trace(lab.namespaces, "-u") as run:
        for client in clients * 2:
            sockets.send(client, b"x")
        for port in 12001, 12002:
            for client in clients[0], six:
                sockets.send(client, b"xx", port=port)
        got = sockets.take("six", 2) + sockets.take("own")
    for name in "abcd":
        while not sockets.is_empty(name):
            got += sockets.take(name)
    check(run, sockets, got)
    assert len(got) == 24 + 3
    places, of_client = {}, collections.defaultdict(set)
    for event in run.datagrams:
        if event["lport"] != PORT:
            continue
        assert (event["group_size"], event["group_by"]) == (4, "hash")
        assert 0 <= event["group_index"] < 4
        assert places.setdefault(event["sock"],
                                 event["group_index"]) == event["group_index"]
        of_client[event["rport"]].add(event["sock"])
    assert len(set(places.values())) == len(places) > 1
    assert all(len(x) == 1 for x in of_client.values())
    assert [x.get("mapped") for x in run.datagrams if judge.pick(
        x, ("family", "lport")) == (4, 12001)] == [True]
    (none,) = [x for x in run.datagrams if x["outcome"] == "none"]
    assert judge.pick(none, ("family", "lport", "sock")) == (4, 12002, None)


def test_demo(tracing):
    """One socket for three, until another one takes the first's away."""
    done = run_tool("demo", "-u", "-j", "-b", UnderTest.backend)
    assert done.returncode == 0, done.stderr
    events = [json.loads(x) for x in done.stdout.splitlines()
              if x.startswith(b"{")]
    got = [judge.pick(x, ("outcome", "sock", "rport")) for x in events
           if x["event"] == "datagram"]
    first = [("unconnected", 1, x) for x in (50001, 50002, 50001)]
    assert got == [*first, ("connected", 2, 50001), *first[1:],
                   ("none", None, 50001)]
