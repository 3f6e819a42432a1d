# SPDX-License-Identifier: GPL-2.0-only
"""Each check of judge.py can fail: a right trace, made up, and every way to
get one thing in it wrong. Needs no kernel."""

import copy

import pytest

import judge
from lab import Lab
from peers import Accepted
from tracer import Run

SERVER, CLIENT = 11, 22
CONN = Accepted(SERVER, "10.0.0.1", 80, "10.0.0.2", 999, 5, 100, 101, 0,
                "srv", 77, 9)
HERE = {"laddr": CONN.laddr, "lport": 80, "raddr": CONN.raddr, "rport": 999}
THERE = {"laddr": CONN.raddr, "lport": 999, "raddr": CONN.laddr, "rport": 80}


class Place:
    def __init__(self, inode):
        self.inode = inode


LAB = Lab(Place(SERVER), Place(CLIENT), {}, {}, "early_demux")


def segment(ends, flags, outcome, sock, state, **more):
    at = {} if outcome == "listener" else {
        "sock_" + x: y for x, y in ends.items()}
    return {"event": "segment", "netns": SERVER if ends is HERE else CLIENT,
            **ends, "flags": flags, "seq": 1, "outcome": outcome,
            "via": "lookup" if outcome == "listener" else "early_demux",
            "sock": sock, "sock_state": state, "verdict": "proved", **at,
            **more}


def right_trace():
    own = {"pid": CONN.pid, "comm": CONN.comm, "fd": CONN.fd, "parent": 1}
    ports = [{"port": 80, "listeners": 1, "sockets": 1, "remote_endpoints": 1,
              "segments": 3, "matched": 3, "misdelivered": 0},
             {"port": 999, "listeners": 0, "sockets": 1, "remote_endpoints": 1,
              "segments": 2, "matched": 2, "misdelivered": 0}]
    events = [
        {"event": "listen", "netns": SERVER, "lport": 80, "sock": 1},
        segment(HERE, "SYN", "listener", 1, "LISTEN"),
        segment(THERE, "SYN|ACK", "established", 2, "SYN_SENT"),
        segment(THERE, "ACK", "established", 2, "ESTABLISHED"),
        segment(HERE, "ACK", "request", 3, "NEW_SYN_RECV", parent=1, child=4),
        {"event": "accept", "netns": SERVER, **HERE, "sock": 4, "tid": 101,
         "uid": 0, "inode": 77, "cookie": 9, **own},
        segment(HERE, "PSH|ACK", "established", 4, "ESTABLISHED", **own),
        {"event": "summary", "segments": 5, "filtered": 0, "lost": 0,
         "skipped": 0, "accepted": 1, "verdict": "proved", "why": [],
         "ports": ports},
    ]
    for number, event in enumerate(events):
        event["mono_ns"] = number
    return events


def check(events):
    run = Run(events, {SERVER: 3, CLIENT: 2, 33: 0})
    assert not judge.check_all(run, [CONN], LAB, {80: 1})
    judge.check_listens(run, {80: 1})


def test_right_trace_passes():
    check(right_trace())


@pytest.mark.parametrize("number", range(8))
def test_dropped_event_is_noticed(number):
    events = right_trace()
    del events[number]
    with pytest.raises((AssertionError, ValueError)):
        check(events)


@pytest.mark.parametrize("number", range(8))
def test_doubled_event_is_noticed(number):
    events = right_trace()
    events.append(copy.deepcopy(events[number]))
    with pytest.raises((AssertionError, ValueError)):
        check(events)


def alterations():
    # No check is about these, or the right value is not known.
    free = {"event", "mono_ns", "seq", "flags", "sock_state"}
    for number, event in enumerate(right_trace()):
        for key in event:
            # Without it, the SYN tells which the listener is.
            known = (event["event"], key) != ("listen", "netns")
            if known and key not in free:
                yield number, key


@pytest.mark.parametrize("number, key", alterations())
def test_altered_value_is_noticed(number, key):
    events = right_trace()
    value = events[number][key]
    events[number][key] = (value + 1 if isinstance(value, int) else
                           value + ["x"] if isinstance(value, list) else
                           value + "x")
    with pytest.raises((AssertionError, ValueError, KeyError, TypeError)):
        check(events)


@pytest.mark.parametrize("key", ["segments", "matched", "misdelivered",
                                 "listeners", "sockets", "remote_endpoints"])
def test_altered_port_is_noticed(key):
    events = right_trace()
    events[-1]["ports"][0][key] += 1
    with pytest.raises(AssertionError):
        check(events)
