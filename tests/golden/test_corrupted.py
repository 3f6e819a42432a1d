# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of what the kernel really did, in which one segment is then
delivered to the wrong socket: that one, and no other, must be unexplained, and
the claim not proved."""
import json
import struct

import pytest

from test_golden import HERE, replay

RECORDINGS = ["real_three_clients", "real_mapped_reopened"]
SEGMENT, ESTABLISHED, LISTENER, REQUEST, NONE = 1, 1, 2, 3, 5
# struct demux_segment of bpf/event.h
HAVE, OUTCOME, SOCK, SOCK_LEN, HAVE_SOCK = 16, 84, 120, 64, 1 << 6
SOCK_LPORT, SOCK_STATE = SOCK + 8 + 32, SOCK + 56
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
