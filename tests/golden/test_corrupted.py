# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of what the kernel really did, in which one segment or datagram is
then delivered to the wrong socket, or one thing is told that cannot be: each of the
invariants I1 to I10 is broken in turn. That one, and no other, must be unexplained,
and the claim not proved."""
import json
import struct

import pytest

from test_golden import HERE, replay

RECORDINGS = ["real_three_clients", "real_mapped_reopened"]
SEGMENT, ACCEPT, LISTEN, DATAGRAM = 1, 2, 3, 8
ESTABLISHED, LISTENER, REQUEST, TIME_WAIT, NONE = 1, 2, 3, 4, 5
# struct demux_segment of bpf/event.h
HAVE, OUTCOME, SOCK, SOCK_LEN, HAVE_SOCK = 16, 84, 120, 64, 1 << 6
SOCK_LPORT, SOCK_STATE = SOCK + 8 + 32, SOCK + 56
HAVE_OUTCOME = 1 << 4
# struct demux_segment_why: why.have
WHY, WHY_POSITION = 312, 1 << 2
# struct demux_accept, demux_listen: listener, sock
ACCEPT_LISTENER, LISTEN_SOCK = 56, 48
# struct demux_datagram: sock.ends.lport
COPY_SOCK_LPORT = 88 + 8 + 32
LAST_ACK = 9


def records(whole):
    """Where each begins, and its type."""
    at = struct.unpack_from("<H", whole, 14)[0]
    while at < len(whole):
        kind, size = struct.unpack_from("<HH", whole, at)
        yield at, kind
        at += size


def matched(whole, outcome):
    """The segments of that outcome which have a socket."""
    return [at for at, kind in records(whole)
            if kind == SEGMENT and whole[at + OUTCOME] == outcome and
            struct.unpack_from("<I", whole, at + HAVE)[0] & HAVE_SOCK]


def sock(whole, at):
    return whole[at + SOCK:at + SOCK + SOCK_LEN]


def events(path):
    return [json.loads(x) for x in replay(path, "-j").splitlines()]


def check(path, whole, broken, rule, misdelivered=1):
    path.write_bytes(whole)
    told = events(path)
    (wrong,) = [x for x in told if x.get("verdict") == "unexplained"]
    assert wrong["mono_ns"] == struct.unpack_from("<Q", whole, broken + 8)[0]
    assert wrong["why"].startswith(rule)
    summary = told[-1]
    assert summary["verdict"] == "not_proved"
    assert summary["unexplained"] == 1
    assert "1 segments are unexplained" in summary["why"]
    assert sum(x["misdelivered"] for x in summary["ports"]) == misdelivered


@pytest.mark.parametrize("name", RECORDINGS)
def test_as_it_was(name):
    assert events(HERE / f"{name}.rec")[-1]["verdict"] == "proved"


@pytest.mark.parametrize("name", RECORDINGS)
def test_to_another_connection(name, tmp_path):
    """Each segment of a connection in turn, to each other connection."""
    good = (HERE / f"{name}.rec").read_bytes()
    found = matched(good, ESTABLISHED)
    ends = {sock(good, x)[8:48]: sock(good, x) for x in found}
    assert len(ends) > 1
    for at in found:
        for other in ends.values():
            if sock(good, at)[8:48] == other[8:48]:
                continue
            bad = bytearray(good)
            bad[at + SOCK:at + SOCK + SOCK_LEN] = other
            check(tmp_path / "bad.rec", bytes(bad), at, "I1:")


def to_listener(whole, at):
    """That a listener took it instead."""
    listener = sock(whole, matched(whole, LISTENER)[0])
    bad = bytearray(whole)
    bad[at + SOCK:at + SOCK + SOCK_LEN] = listener
    bad[at + OUTCOME] = LISTENER
    return bytes(bad)


def to_nobody(whole, at):
    bad = bytearray(whole)
    have, = struct.unpack_from("<I", whole, at + HAVE)
    struct.pack_into("<I", bad, at + HAVE, have & ~HAVE_SOCK)
    bad[at + OUTCOME] = NONE
    return bytes(bad)


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("change", [to_listener, to_nobody])
def test_to_a_listener_or_nobody(name, change, tmp_path):
    """Each segment of a connection in turn, but for the last ACK, which a task
    may take in from the backlog: then the close just after it excuses that."""
    good = (HERE / f"{name}.rec").read_bytes()
    for at in matched(good, ESTABLISHED):
        if good[at + SOCK_STATE] == LAST_ACK:
            continue
        check(tmp_path / "bad.rec", change(good, at), at, "I3:",
              change is to_listener)


@pytest.mark.parametrize("outcome, rule", [(LISTENER, "I2:"), (REQUEST, "I4:")])
def test_to_another_port(outcome, rule, tmp_path):
    good = (HERE / "real_three_clients.rec").read_bytes()
    for at in matched(good, outcome):
        bad = bytearray(good)
        port = struct.unpack_from("<H", bad, at + SOCK_LPORT)[0]
        struct.pack_into("<H", bad, at + SOCK_LPORT, port + 1)
        check(tmp_path / "bad.rec", bytes(bad), at, rule)


def clear(whole, at, bits):
    have, = struct.unpack_from("<I", whole, at)
    struct.pack_into("<I", whole, at, have & ~bits)


def test_out_of_its_chain(tmp_path):
    """It stands not in the chain of its slot, though it stays; but for the last
    ACK, whose socket leaves just then."""
    good = (HERE / "real_three_clients.rec").read_bytes()
    for at in matched(good, ESTABLISHED):
        if good[at + SOCK_STATE] == LAST_ACK:
            continue
        bad = bytearray(good)
        clear(bad, at + WHY, WHY_POSITION)
        check(tmp_path / "bad.rec", bytes(bad), at, "I5:")


@pytest.mark.parametrize("name", RECORDINGS)
def test_to_a_twin(name, tmp_path):
    """To another socket that has its two ends too; so is what follows."""
    good = (HERE / f"{name}.rec").read_bytes()
    for at in matched(good, ESTABLISHED):
        if good[at + SOCK_STATE] == LAST_ACK:
            continue
        bad = bytearray(good)
        bad[at + SOCK] ^= 0x55  # its id
        (tmp_path / "bad.rec").write_bytes(bad)
        told = events(tmp_path / "bad.rec")
        wrong = [x for x in told if x.get("verdict") == "unexplained"]
        assert struct.unpack_from("<Q", bad, at + 8)[0] in {
            x["mono_ns"] for x in wrong}
        assert {x["why"][:3] for x in wrong} == {"I6:"}
        assert len({(x["raddr"], x["rport"]) for x in wrong}) == 1
        assert told[-1]["verdict"] == "not_proved"


def test_accepted_of_another(tmp_path):
    """accept() gives out what was born of another listener (I7)."""
    good = (HERE / "real_three_clients.rec").read_bytes()
    first, = [x for x, kind in records(good) if kind == LISTEN]
    end = first + struct.unpack_from("<H", good, first + 2)[0]
    other = bytearray(good[first:end])
    other[LISTEN_SOCK] ^= 0x55
    two = good[:end] + other + good[end:]
    path = tmp_path / "bad.rec"
    path.write_bytes(two)
    assert events(path)[-1]["verdict"] == "proved"
    accepts = [x for x, kind in records(two) if kind == ACCEPT]
    assert len(accepts) == 3
    for at in accepts:
        bad = bytearray(two)
        bad[at + ACCEPT_LISTENER:at + ACCEPT_LISTENER + 8] = (
            other[LISTEN_SOCK:LISTEN_SOCK + 8])
        path.write_bytes(bad)
        summary = events(path)[-1]
        assert summary["verdict"] == "not_proved"
        (why,) = summary["why"]
        assert why.startswith("1 ") and "accept" in why


def test_datagram_to_another_port(tmp_path):
    good = (HERE / "real_udp.rec").read_bytes()
    found = [at for at, kind in records(good) if kind == DATAGRAM and
             struct.unpack_from("<I", good, at + HAVE)[0] & HAVE_SOCK]
    assert len(found) > 9
    for at in found:
        bad = bytearray(good)
        port, = struct.unpack_from("<H", bad, at + COPY_SOCK_LPORT)
        struct.pack_into("<H", bad, at + COPY_SOCK_LPORT, port + 1)
        (tmp_path / "bad.rec").write_bytes(bad)
        told = events(tmp_path / "bad.rec")
        (wrong,) = [x for x in told if x.get("verdict") == "unexplained"]
        assert wrong["mono_ns"] == struct.unpack_from("<Q", good, at + 8)[0]
        assert wrong["why"].startswith("I8:")
        summary = told[-1]
        assert summary["verdict"] == "not_proved"
        assert summary["copies_unexplained"] == 1
        assert sum(x["misdelivered"] for x in summary["udp_ports"]) == 1


@pytest.mark.parametrize("name", RECORDINGS)
def test_listener_passed_by(name, tmp_path):
    """A SYN is nobody's, though there is a listener."""
    good = (HERE / f"{name}.rec").read_bytes()
    for at in matched(good, LISTENER):
        check(tmp_path / "bad.rec", to_nobody(good, at), at, "I9:", 0)


@pytest.mark.parametrize("outcome", [ESTABLISHED, LISTENER, REQUEST, TIME_WAIT,
                                     NONE])
def test_without_an_outcome(outcome, tmp_path):
    found = 0
    for name in RECORDINGS:
        good = (HERE / f"{name}.rec").read_bytes()
        for at, kind in records(good):
            if kind != SEGMENT or good[at + OUTCOME] != outcome:
                continue
            found += 1
            bad = bytearray(good)
            clear(bad, at + HAVE, HAVE_OUTCOME | HAVE_SOCK)
            check(tmp_path / "bad.rec", bytes(bad), at, "I10:", 0)
    assert found
