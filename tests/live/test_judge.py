# SPDX-License-Identifier: GPL-2.0-only
"""Each check of judge.py can fail: a right trace, made up as each kind of
backend would tell it, and every way to get one thing in it wrong. Needs no
kernel."""

import copy

import pytest

import judge
from lab import Lab
from peers import Accepted
from sight import Sight
from tracer import Run

SERVER, CLIENT = 11, 22
CONN = Accepted(SERVER, "10.0.0.1", 80, "10.0.0.2", 999, 5, 100, 101, 0,
                "srv", 77, 9)
HERE = {"laddr": CONN.laddr, "lport": 80, "raddr": CONN.raddr, "rport": 999}
THERE = {"laddr": CONN.raddr, "lport": 999, "raddr": CONN.laddr, "rport": 80}
# To a port where nobody listens.
CLOSED = {**HERE, "lport": 81, "rport": 998}
REFUSED = {**THERE, "lport": 998, "rport": 81}
ERRORS = AssertionError, ValueError, KeyError, TypeError


class Place:
    def __init__(self, inode):
        self.inode = inode

    def index(self, device):
        return 7


LAB = Lab(Place(SERVER), Place(CLIENT), {}, {}, "eth0", "early_demux")
SIGHTS = {"fentry": Sight("fentry", (6, 12)), "5.10": Sight("kprobe", (5, 10)),
          "stable": Sight("stable", (6, 12)),
          "stable 5.10": Sight("stable", (5, 10))}


@pytest.fixture(params=SIGHTS, name="sees")
def fixture_sees(request):
    return SIGHTS[request.param]


def segment(ends, flags, outcome, sock=None, state=None, **more):
    at = {} if outcome in ("listener", "none") else {
        "sock_" + x: y for x, y in ends.items()}
    looked_up = outcome in ("listener", "none")
    return {"event": "segment", "ifindex": 7,
            "netns": SERVER if ends in (HERE, CLOSED) else CLIENT, **ends,
            "flags": flags, "seq": 1, "outcome": outcome,
            "via": "lookup" if looked_up else "early_demux",
            **({"sock": sock, "sock_state": state} if sock else {}),
            "verdict": "proved", **at, **more}


def as_seen(event, sees):
    """What this backend would tell of it."""
    outcome = event.get("outcome")
    if not sees("via"):
        event.pop("via", None)
    if not sees("cookie"):
        event.pop("cookie", None)
    if outcome == "none" and not sees("reset"):
        event.pop("reset", None)
    if outcome == "request" and not sees("request"):
        event["predicted"] = "outcome|sock"
    if outcome in ("time_wait", "none") and not sees(outcome):
        event.update(predicted="outcome", verdict="explained",
                     why="nobody got it; that is predicted")
        return {x: y for x, y in event.items() if not x.startswith("sock")}
    return event


def port(number, listeners, count, remote=1, matched=None):
    return {"port": number, "listeners": listeners, "sockets": 1,
            "remote_endpoints": remote, "segments": count,
            "matched": count if matched is None else matched,
            "misdelivered": 0}


def right_trace(sees):
    own = {"pid": CONN.pid, "comm": CONN.comm, "fd": CONN.fd, "parent": 1}
    ports = [port(80, 1, 3), port(81, 0, 1, matched=0), port(998, 0, 1),
             port(999, 0, 3, matched=3 if sees("time_wait") else 2)]
    events = [
        {"event": "listen", "netns": SERVER, "lport": 80, "sock": 1},
        segment(HERE, "SYN", "listener", 1, "LISTEN"),
        segment(THERE, "SYN|ACK", "established", 6, "SYN_SENT"),
        segment(THERE, "ACK", "established", 6, "ESTABLISHED"),
        segment(HERE, "ACK", "request", 3, "NEW_SYN_RECV", parent=1, child=4),
        {"event": "accept", "netns": SERVER, **HERE, "sock": 4, "tid": 101,
         "uid": 0, "inode": 77, "cookie": 9, **own},
        segment(HERE, "PSH|ACK", "established", 4, "ESTABLISHED", **own),
        segment(THERE, "FIN|ACK", "time_wait", 5, "TIME_WAIT"),
        segment(CLOSED, "SYN", "none", reset=True),
        segment(REFUSED, "RST|ACK", "established", 2, "SYN_SENT"),
        {"event": "summary", "segments": 8, "filtered": 0, "lost": 0,
         "skipped": 0, "accepted": 1, "unexplained": 0, "verdict": "proved",
         "why": [], "ports": ports},
    ]
    events = [as_seen(x, sees) for x in events]
    for number, event in enumerate(events):
        event["mono_ns"] = number
    return events


COUNT = len(right_trace(SIGHTS["fentry"]))


def check(events, sees):
    run = Run(events, {SERVER: 4, CLIENT: 4, 33: 0}, sees)
    strays = judge.check_all(run, [CONN], LAB, {80: 1})
    assert len(strays) == 2
    judge.check_nobody(run, strays, LAB, CLOSED["lport"])
    judge.check_listens(run, {80: 1})


def test_right_trace_passes(sees):
    check(right_trace(sees), sees)


@pytest.mark.parametrize("number", range(COUNT))
def test_dropped_event_is_noticed(sees, number):
    events = right_trace(sees)
    del events[number]
    with pytest.raises(ERRORS):
        check(events, sees)


@pytest.mark.parametrize("number", range(COUNT))
def test_doubled_event_is_noticed(sees, number):
    events = right_trace(sees)
    events.append(copy.deepcopy(events[number]))
    with pytest.raises(ERRORS):
        check(events, sees)


# No check is about these, or the right value is not known.
FREE = {"event", "mono_ns", "seq", "flags", "sock_state"}


def known_keys(events):
    for number, event in enumerate(events):
        for key in event.keys() - FREE:
            # Without it, the SYN tells which the listener is.
            if (event["event"], key) != ("listen", "netns"):
                yield number, key


def altered(value):
    return (value + 1 if isinstance(value, int) else
            value + ["x"] if isinstance(value, list) else value + "x")


def test_altered_value_is_noticed(sees):
    whole = right_trace(sees)
    for number, key in known_keys(whole):
        events = copy.deepcopy(whole)
        events[number][key] = altered(events[number][key])
        with pytest.raises(ERRORS):
            check(events, sees)
            print(number, key)


def test_absent_value_is_noticed(sees):
    whole = right_trace(sees)
    for number, key in known_keys(whole):
        events = copy.deepcopy(whole)
        del events[number][key]
        with pytest.raises(ERRORS):
            check(events, sees)
            print(number, key)


@pytest.mark.parametrize("extra", [
    {"predicted": "outcome"}, {"via": "assigned"}, {"child": 4},
    {"sock": 4}, {"outcome": "refused"}])
def test_what_cannot_be_is_noticed(sees, extra):
    """No segment may have these where it has them not."""
    whole = right_trace(sees)
    for number, event in enumerate(whole):
        if event["event"] != "segment" or extra.items() <= event.items():
            continue
        events = copy.deepcopy(whole)
        events[number].update(extra)
        with pytest.raises(ERRORS):
            check(events, sees)
            print(number, extra)


def test_unseen_segment_is_noticed(sees):
    """One without an outcome, though the summary tells of it; only a test that
    knows better may let it pass."""
    whole = right_trace(sees)
    whole[-1].update(unexplained=1, verdict="not_proved",
                     why=["1 segments are unexplained"])
    for number, event in enumerate(whole):
        if event["event"] != "segment":
            continue
        events = copy.deepcopy(whole)
        for key in "outcome", "sock", "child", "parent", "via", "predicted":
            events[number].pop(key, None)
        events[number].update(verdict="unexplained", why="I10: no hook saw it")
        run = Run(events, sees=sees)
        with pytest.raises(ERRORS):
            judge.check_proved(run)
        judge.check_proved(run, [events[number]])


@pytest.mark.parametrize("key", ["segments", "matched", "misdelivered",
                                 "listeners", "sockets", "remote_endpoints"])
def test_altered_port_is_noticed(sees, key):
    events = right_trace(sees)
    events[-1]["ports"][0][key] += 1
    with pytest.raises(AssertionError):
        check(events, sees)
