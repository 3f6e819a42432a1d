# SPDX-License-Identifier: GPL-2.0-only
"""Three clients at one port, over IPv4, IPv6 and IPv4 to an IPv6 socket."""

import pytest

import judge
import peers
from tracer import Run, Trace

CLOSED = 12999


def knock(lab, family):
    with peers.client_socket(lab, family) as sock:
        with pytest.raises(ConnectionRefusedError):
            sock.connect((lab.server_addr[family.version], CLOSED))
        return sock.getsockname()[1]


def three_clients(lab, family, listener):
    """All open at once, each saying hello."""
    pairs, conns = [], []
    for _ in range(3):
        client = peers.connect(lab, family)
        conn, record = peers.accept(listener, lab.server)
        pairs.append((client, conn))
        conns.append(record)
    for client, conn in pairs:
        peers.talk(client, conn)
    for client, conn in pairs:
        peers.hang_up(client, conn)
    return conns


@pytest.mark.parametrize("kind", ["loopback", "veth"])
def test_three_clients(labs, kind):
    lab = labs.make(kind)
    conns = []
    with Trace(lab.namespaces) as run:
        for family in peers.FAMILIES:
            with peers.listen(lab, family) as listener:
                conns += three_clients(lab, family, listener)
        for family in peers.IPV4, peers.IPV6:
            knock(lab, family)
    listeners = {x.port: 1 for x in peers.FAMILIES}
    strays = judge.check_all(run, conns, lab, listeners)
    judge.check_listens(run, listeners)
    for version in 4, 6:
        judge.check_nobody(run, [x for x in strays if x["family"] == version],
                           lab, CLOSED)
    assert len(strays) == 4
    check_labels(run)
    if run.sees("via"):
        check_via(run, lab)
    if kind == "loopback":
        assert_sensitive(run, conns, lab, listeners)


def check_via(run, lab):
    """Early demux comes before the lookup, but not where the route is known, as
    on loopback."""
    ways = {x["via"] for x in run.segments if x["outcome"] == "established"}
    assert lab.via in ways


def check_labels(run):
    for family in peers.FAMILIES:
        segments = [x for x in run.segments if x["lport"] == family.port]
        assert {x["family"] for x in segments} == {family.version}
        accepts = [x for x in run.accepts if x["lport"] == family.port]
        mapped = family is peers.MAPPED
        assert {x.get("mapped", False) for x in accepts} == {mapped}
        assert {x["sock_laddr"].startswith("::ffff:") for x in segments
                if x.get("outcome") == "established"} == {mapped}
        (listen,) = [x for x in run.listens if x["lport"] == family.port]
        assert listen["laddr"] == family.any


def assert_sensitive(run, conns, lab, listeners):
    """Without any one of its events, this trace would not pass."""
    whole = run.events
    for event in whole:
        if event["event"] in ("segment", "accept", "listen", "summary"):
            run.use([x for x in whole if x is not event])
            with pytest.raises((AssertionError, ValueError)):
                judge.check_all(run, conns, lab, listeners)
                judge.check_listens(run, listeners)
    run.use(whole)


def test_client_and_server_on_one_host(labs):
    """At an address of a real device, at one of lo, and both ends one socket
    of the same process."""
    lab = labs.veth()
    here = labs.loopback()
    here.server = here.client = lab.server
    conns = []
    with Trace(lab.namespaces) as run:
        with peers.listen(lab, peers.MAPPED) as listener:
            for addr in lab.server_addr[4], "127.0.0.1", "127.0.0.5":
                here.server_addr = {4: addr}
                conns.append(peers.visit(here, listener, peers.MAPPED))
        with peers.client_socket(here, source=15000) as sock:
            sock.connect(("127.0.0.1", 15000))
            peers.talk(sock, sock)
    strays = judge.check_all(run, conns, here, {peers.MAPPED.port: 1})
    assert len(strays) >= 5
    assert {(x["lport"], x["rport"]) for x in strays} == {(15000, 15000)}
    assert len({x["sock"] for x in strays
                if x.get("outcome") == "established"}) == 1
    assert judge.word(strays).startswith("EEE")


def test_same_addresses_in_two_namespaces(labs):
    """Only the network namespace keeps these sockets apart."""
    pair = labs.veth(), labs.veth()
    conns = []
    with Trace([y for x in pair for y in x.namespaces]) as run:
        listeners = [peers.listen(lab) for lab in pair]
        for source in 40001, 40002:
            both = []
            for lab, listener in zip(pair, listeners):
                client = peers.connect(lab, source=source)
                conn, record = peers.accept(listener, lab.server)
                both.append((client, conn))
                conns.append(record)
            for client, conn in both:
                peers.talk(client, conn)
            for client, conn in both:
                peers.hang_up(client, conn)
        for listener in listeners:
            listener.close()
    judge.check_accounting(run)
    judge.check_accepts(run, conns)
    judge.check_proved(run)
    for lab in pair:
        inodes = [x.inode for x in lab.namespaces]
        part = Run([x for x in run.events if x.get("netns") in inodes])
        assert not judge.check_sockets(
            part, [x for x in conns if x.netns in inodes], lab)
    (port,) = [x for x in run.summary["ports"] if x["port"] == peers.IPV4.port]
    assert (port["listeners"], port["sockets"]) == (2, 4)
    assert port["misdelivered"] == 0
