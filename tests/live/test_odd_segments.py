# SPDX-License-Identifier: GPL-2.0-only
"""Segments that are broken or refused, and handshakes of other kinds."""

import ctypes
import json
import socket
import struct

import judge
import peers
import wire
from tracer import Trace, UnderTest, wait_until

SO_ATTACH_FILTER, SO_DETACH_FILTER, IP_MINTTL = 26, 27, 21
BPF_RET_NOTHING = struct.pack("HBBI", 6, 0, 0, 0)
CLOSED = 12999


def broken(addr, port):
    """Each with a source port of its own: 1, 2, ..."""
    kinds = ({"damage": 1}, {"damage": 1, "payload": b"x" * 9}, {"words": 4},
             {"words": 0}, {"words": 15}, {"cut": 19}, {"cut": 8}, {"cut": 1})
    for number, kind in enumerate(kinds, 1):
        yield wire.segment((addr, number), (addr, port), "SYN", **kind)


def test_malformed(labs):
    """All counted, none looked up. A longer segment is looked up before its
    checksum is computed; and to a reset nobody answers."""
    lab = labs.loopback()
    with Trace(lab.namespaces) as run:
        with peers.listen(lab, peers.MAPPED, port=12000):
            for addr in lab.server_addr.values():
                for packet in broken(addr, 12000):
                    wire.send_raw(lab.client, packet)
                wire.send_raw(lab.client, wire.segment(
                    (addr, 9), (addr, CLOSED), "SYN", b"x" * 500, damage=1))
                wire.send_raw(lab.client, wire.segment(
                    (addr, 10), (addr, CLOSED), "RST"))
    judge.check_accounting(run)
    judge.check_proved(run)
    for segment in run.segments:
        assert not segment.keys() & {"sock", "reset", "child"}
    for version in 4, 6:
        part = [x for x in run.segments if x["family"] == version]
        assert [x.get("rport") for x in part] == [*range(1, 8), None, 9, 10]
        assert judge.word(part) in ("M" * 9 + "N", "M" * 8 + "NN")
        assert ["via" in x for x in part[:8]] == [False] * 8
        assert [x.get("bad_checksum", False) for x in part][:2] == [True] * 2
        assert [x["detail"] for x in part[:8]] == \
            ["checksum"] * 2 + ["header"] * 6
        assert ["flags" in x for x in part][5:8] == [False] * 3
        assert "lport" not in part[7]


def filter_all(conn, on):
    code = ctypes.create_string_buffer(BPF_RET_NOTHING)
    program = struct.pack("HL", 1, ctypes.addressof(code))
    conn.setsockopt(socket.SOL_SOCKET,
                    SO_ATTACH_FILTER if on else SO_DETACH_FILTER, program)


def ask_for_ttl(conn, on):
    conn.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 255 if on else 0)


def test_refused(labs):
    """What a socket filter drops, or is from too far away, was still for that
    socket; sent again, it gets there."""
    lab = labs.veth()
    conns = []
    with Trace(lab.namespaces) as run:
        with peers.listen(lab) as listener:
            for refuse in filter_all, ask_for_ttl:
                client = peers.connect(lab)
                conn, record = peers.accept(listener, lab.server)
                refuse(conn, True)
                before = lab.server.tcp("InSegs")
                client.sendall(b"hello")
                wait_until(lambda: lab.server.tcp("InSegs") > before,
                           "a segment")
                refuse(conn, False)
                assert conn.recv(5) == b"hello"
                peers.hang_up(client, conn)
                conns.append(record)
    judge.check_accounting(run)
    judge.check_accepts(run, conns)
    blanks = []
    for conn, by_filter in zip(conns, (True, False)):
        server = judge.group(run.segments)[judge.server_ends(conn)]
        event = judge.by_inode(run)[conn.netns, conn.inode]
        is_seen = by_filter or run.sees("refused")
        shown = ("refused" if is_seen else
                 None if run.sees("none") else "none")
        refused = [x for x in server if x["len"] and
                   x.get("outcome") == shown]
        assert refused
        assert {x["len"] for x in refused} == {5}
        for segment in refused:
            judge.check_via(run.sees, segment, (lab.via,))
            assert segment.get("sock") == (event["sock"] if is_seen else None)
        blanks += [x for x in refused if "outcome" not in x]
        judge.check_server_side(
            run, [x for x in server if x not in refused], event,
            run.listens[0]["sock"], judge.PLAIN, lab.via)
    judge.check_proved(run, blanks)


def test_bad_ack_to_request(labs):
    """The request turns it away, and its listener answers with a reset: two
    sockets, and yet one segment. The request is as good as before."""
    lab = labs.veth()
    with Trace(lab.namespaces) as run:
        with peers.listen(lab) as listener:
            # So that the request stays until there is data.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 9)
            client = peers.connect(lab)
            wait_until(lambda: len(segments_to(run, listener)) == 2, "an ACK")
            ack = segments_to(run, listener)[1]
            before = lab.client.tcp("InSegs")
            wire.send_raw(lab.client, wire.segment(
                (ack["raddr"], ack["rport"]), (ack["laddr"], ack["lport"]),
                "ACK", seq=ack["seq"], ack=(ack["ack"] + 2**30) % 2**32))
            wait_until(lambda: lab.client.tcp("InSegs") > before, "a reset")
            client.sendall(b"hello")
            conn, record = peers.accept(listener, lab.server)
            assert conn.recv(5) == b"hello"
            peers.hang_up(client, conn)
    ports = {record.lport: 1}
    assert not judge.check_all(run, [record], lab, ports, "LQQQE+")
    server = judge.group(run.segments)[judge.server_ends(record)]
    assert [x.get("reset", False) for x in server[:5]] == [
        False, False, True, False, False]
    assert "child" in server[3]


def segments_to(run, listener):
    """As far as they have been told."""
    with open(run.file.name) as told:
        events = [json.loads(x) for x in told if x.endswith("\n")]
    return [x for x in events if x["event"] == "segment" and
            x["lport"] == listener.getsockname()[1]]


def test_syn_cookies(labs):
    """No request remembers the SYN: the ACK meets the listener, and the
    cookie in it makes the child."""
    lab = labs.veth()
    lab.server.sysctl("tcp_syncookies", 2)
    conns = []
    with Trace(lab.namespaces) as run:
        for family in peers.FAMILIES:
            with peers.listen(lab, family) as listener:
                conns += [peers.visit(lab, listener, family) for _ in range(2)]
    ports = {x.port: 1 for x in peers.FAMILIES}
    assert not judge.check_all(run, conns, lab, ports, "LLE+")
    for conn in conns:
        server = judge.group(run.segments)[judge.server_ends(conn)]
        assert [x["flags"] for x in server[:2]] == ["SYN", "ACK"]
        assert "child" not in server[0] and "child" in server[1]


def test_fast_open(labs):
    """The SYN carries data and makes the child at once."""
    lab = labs.veth()
    for end in lab.namespaces:
        # Either side; neither asks for a cookie.
        end.sysctl("tcp_fastopen", 0x1 | 0x2 | 0x4 | 0x200)
    conns = []
    with Trace(lab.namespaces) as run:
        for family in peers.FAMILIES:
            with peers.listen(lab, family) as listener:
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
                for _ in range(2):
                    conns.append(visit_fast(lab, listener, family))
    ports = {x.port: 1 for x in peers.FAMILIES}
    if UnderTest.backend == "kprobe" and run.sees("cookie"):
        # Accepted before it is ESTABLISHED, one has no cookie yet.
        made = {(x.laddr, x.lport, x.raddr, x.rport): x.cookie for x in conns}
        for accept in run.accepts:
            accept.setdefault("cookie", made[judge.pick(accept, judge.ENDS)])
    assert not judge.check_all(run, conns, lab, ports, judge.FAST)
    for conn in conns:
        server = judge.group(run.segments)[judge.server_ends(conn)]
        assert (server[0]["flags"], server[0]["len"]) == ("SYN", 5)
        assert ("child" in server[0]) == run.sees("fast open")
        assert server[0].get("detail") == (
            "child" if run.sees("fast open") else None)


def visit_fast(lab, listener, family):
    client = peers.client_socket(lab, family)
    client.sendto(b"hello", socket.MSG_FASTOPEN,
                  (lab.server_addr[family.version], family.port))
    conn, record = peers.accept(listener, lab.server)
    assert conn.recv(5) == b"hello"
    peers.hang_up(client, conn)
    return record
