# SPDX-License-Identifier: GPL-2.0-only
"""Much data in few, large skbs: GSO on the sending side, GRO on the other;
and tcpdump as a judge that knows nothing of the tool."""

import collections
import shutil

import pytest

import judge
import lab as labtools
import peers
import wire
from tracer import Trace

SIZE = 4 << 20


def receive(sock):
    got = 0
    while got < SIZE:
        part = sock.recv(1 << 18)
        assert part
        got += len(part)
    return got


def transfer(sender, receiver):
    join = peers.start_thread(receive, receiver)
    sender.sendall(bytes(SIZE))
    assert join() == SIZE


def check_bytes(segments, exact):
    """Every byte of the stream once; again only where it was sent again."""
    start = segments[0]["seq"] + 1
    reached = 0
    data = sorted(((x["seq"] - start) % 2**32, x["len"]) for x in segments[1:]
                  if x["len"])
    for at, length in data:
        assert at <= reached
        reached = max(reached, at + length)
    assert reached == SIZE
    if exact:
        assert sum(x["len"] for x in segments) == SIZE


def both_ways(lab, family):
    with peers.listen(lab, family) as listener:
        client = peers.connect(lab, family)
        conn, record = peers.accept(listener, lab.server)
        transfer(client, conn)
        transfer(conn, client)
        peers.hang_up(client, conn)
    return record


def count(namespace):
    counters = {x: namespace.tcp(x)
                for x in ("OutSegs", "InSegs", "RetransSegs")}
    return collections.Counter(counters, dropped=namespace.not_sent("eth0"))


@pytest.mark.parametrize("merging", ["gso", "gro"])
def test_large_transfer(labs, merging):
    lab = labs.veth()
    for end in lab.namespaces if merging == "gro" else []:
        end.offload("eth0", labtools.ETHTOOL_STSO, 0)
        end.offload("eth0", labtools.ETHTOOL_SGSO, 0)
        end.offload("eth0", labtools.ETHTOOL_SGRO, 1)
    family = peers.IPV6 if merging == "gro" else peers.IPV4

    with Trace(lab.namespaces) as run:
        before = [count(x) for x in lab.namespaces]
        conn = both_ways(lab, family)
    grown = [count(x) - was for x, was in zip(lab.namespaces, before)]

    judge.check_accounting(run)
    judge.check_accepts(run, [conn])
    judge.check_proved(run)
    # Early demux is left out for some that GRO hands over as a list.
    for event in run.segments if run.sees("via") else []:
        assert event["via"] in ("early_demux", "lookup")
        event["via"] = "lookup"
    lab.via = "lookup"
    assert not judge.check_sockets(run, [conn], lab)

    groups = judge.group(run.segments)
    exact = not any(x["RetransSegs"] for x in grown)
    check_bytes(groups[judge.server_ends(conn)], exact)
    check_bytes(groups[judge.client_ends(conn, lab.client.inode)], exact)
    for here, there in (0, 1), (1, 0):
        segments = [x for x in run.segments
                    if x["netns"] == lab.namespaces[here].inode]
        # What one end sent as segments is what the other took in, merged.
        # OutSegs does not count what is sent again. A burst may be more than
        # the ring between the ends of a veth holds: frames of one segment
        # with GRO, where no loss was seen without it.
        sent = (grown[there]["OutSegs"] + grown[there]["RetransSegs"] -
                grown[there]["dropped"])
        assert sum(x["segs"] for x in segments) == sent
        merged = sent > grown[here]["InSegs"]
        assert any(x["segs"] > 1 for x in segments) == merged
        assert merged or merging == "gro"


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="there is no tcpdump")
def test_tcpdump_agrees(labs, tmp_path):
    lab = labs.veth()
    captures = [wire.Capture(x, "eth0", str(tmp_path / x.name))
                for x in lab.namespaces]
    conns = []
    with Trace(lab.namespaces) as run:
        with captures[0], captures[1]:
            for family in peers.FAMILIES:
                with peers.listen(lab, family) as listener:
                    conns += [peers.visit(lab, listener, family)
                              for _ in range(3)]
            conns.append(both_ways(lab, peers.IPV4))
            run.settle()
    judge.check_accounting(run)
    judge.check_accepts(run, conns)
    judge.check_proved(run)
    for namespace, capture in zip(lab.namespaces, captures):
        segments = [x for x in run.segments if x["netns"] == namespace.inode]
        assert collections.Counter(map(wire.as_frame, segments)) == \
            capture.frames
