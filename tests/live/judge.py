# SPDX-License-Identifier: GPL-2.0-only
"""What must hold of a trace, by what the test itself knows, and as far as
run.sees says that it can be seen.

Every check raises AssertionError; test_judge.py sees each of them do so.
"""

import collections
import os
import re

from ends import ENDS, client_ends, ends_of, pick, server_ends, unmapped

LETTERS = {"established": "E", "listener": "L", "request": "Q",
           "time_wait": "W", "none": "N", "refused": "R", "malformed": "M",
           None: "?"}


def numbers(run, socks):
    """Of these sockets, as the trace has them."""
    known = {x["inode"]: x["sock"] for x in run.sockets + run.accepts
             if "inode" in x}
    return [known[os.fstat(x.fileno()).st_ino] for x in socks]


# --- every segment once ------------------------------------------------------


def predicted(sees, segment):
    """What is no more than a conclusion says so; nothing else does. Whether an
    ACK that a listener shows was a request's depends on what it has just then:
    either is right."""
    outcome = segment.get("outcome")
    if outcome == "request" and not sees("request"):
        return "outcome|sock"
    if outcome == "refused" and not sees("request") and (
            segment.get("sock_state") == "NEW_SYN_RECV"):
        return "sock"
    if outcome == "listener" and not sees("request") and (
            "SYN" not in segment["flags"]):
        return segment.get("predicted") and "outcome"
    if segment.get("detail") == "backlog_full" and not sees("backlog full"):
        return "outcome"
    needs = {"refused": "filter", "time_wait": "time_wait", "none": "none"}
    if outcome in needs and not sees(needs[outcome]):
        return "outcome"
    return None


def check_accounting(run):
    summary, growth = run.summary, run.growth
    for segment in run.segments:
        assert segment.get("predicted") == predicted(run.sees, segment)
    seen = collections.Counter(x["netns"] for x in run.segments)
    strange = seen.keys() - growth.keys()
    assert not strange, f"the host is not quiet: traffic in {strange}"
    assert summary["segments"] == sum(seen.values())
    assert (summary["segments"] + summary["filtered"] + summary["lost"] ==
            sum(growth.values()))
    if not summary["filtered"] and not summary["lost"]:
        assert seen == +collections.Counter(growth)


def identity(segments):
    return collections.Counter(
        ends_of(x) + (x["seq"], x["flags"], x["len"]) for x in segments)


def check_part(run, whole, wanted):
    """It has just the segments of the whole that are wanted, and proves so."""
    check_accounting(run)
    check_accounting(whole)
    check_proved(run)
    kept = [x for x in whole.segments if wanted(x)]
    assert kept and identity(run.segments) == identity(kept)


# --- the server's own list ---------------------------------------------------


def check_accepts(run, conns):
    names = ENDS + ("netns", "fd", "pid", "tid", "uid", "comm", "inode")
    if run.sees("cookie"):
        names += ("cookie",)
    else:
        assert not any("cookie" in x for x in run.accepts)
    said = sorted((pick(x, names) for x in run.accepts), key=repr)
    known = sorted((tuple(getattr(x, y) for y in names) for x in conns),
                   key=repr)
    assert said == known, [("said", x) for x in said if x not in known] + [
        ("known", x) for x in known if x not in said]
    assert run.summary["accepted"] == len(conns)
    numbers = [x["sock"] for x in run.accepts]
    assert len(set(numbers)) == len(numbers), "two accepts of one socket"


# --- every segment's socket --------------------------------------------------


def lives(segments):
    """The connections that followed each other on one 4-tuple, each from its
    first SYN (or SYN|ACK) on."""
    parts, seqs = [], set()
    for segment in segments:
        if "SYN" in segment["flags"].split("|"):
            if segment["seq"] not in seqs:
                parts.append([])
            seqs.add(segment["seq"])
        assert parts, "a connection that begins without a SYN"
        parts[-1].append(segment)
    return parts


def word(segments):
    return "".join(LETTERS[x.get("outcome")] for x in segments)


def check_verdict(segment):
    """Proved, but for I1's exception: the other CPU closed the socket between
    lookup and hook, and it had given its port back; and but for predictions
    without a socket."""
    if segment.get("predicted") == "outcome" and "sock" not in segment:
        assert segment["verdict"] == "explained"
        assert segment["why"].endswith("that is predicted")
        return
    if segment["verdict"] == "proved":
        return
    assert segment["verdict"] == "explained", segment
    assert segment["outcome"] == "established", segment
    assert segment["sock_state"] == "CLOSE", segment


def check_via(sees, segment, allowed):
    if sees("via"):
        assert segment["via"] in allowed
    else:
        assert "via" not in segment


def check_server_side(run, life, event, listener, pattern, via, owned=None):
    """SYN, final ACK, all that follows: listener, request, this socket.
    @owned are the segments that were told of after the accept."""
    assert re.fullmatch(run.sees.word(pattern), word(life)), word(life)
    births = [x["child"] for x in life if "child" in x]
    born = not pattern.startswith("F") or run.sees("fast open")
    assert births == ([event["sock"]] if born else [])
    assert event["parent"] == listener
    for segment in life:
        check_verdict(segment)
        known = segment["outcome"] != "listener"
        check_via(run.sees, segment, ("lookup", via if known else "lookup"))
        if segment["outcome"] == "listener":
            assert segment["sock"] == listener
            assert segment["sock_state"] == "LISTEN"
            continue
        if segment["outcome"] == "time_wait" and not run.sees("time_wait"):
            assert not segment.keys() & {"sock", "parent"}
            continue
        if segment["verdict"] == "proved":
            assert (pick(segment, ["sock_" + x for x in ENDS]) ==
                    pick(event, ENDS))
        assert (segment.get("mapped", False) ==
                event["laddr"].startswith("::ffff:"))
        if segment["outcome"] == "established":
            assert segment["sock"] == event["sock"]
            if born or (owned and id(segment) in owned):
                assert segment["parent"] == listener
            elif owned is not None:
                assert "parent" not in segment
            if owned and id(segment) in owned:
                assert segment["fd"] == event["fd"]
                assert pick(segment, ("pid", "comm")) == pick(event, (
                    "pid", "comm"))
        else:
            assert segment["sock"] not in (event["sock"], listener)
        if segment["outcome"] == "request":
            assert segment["parent"] == listener
            assert segment["sock_state"] == "NEW_SYN_RECV"
        if segment["outcome"] == "time_wait":
            assert segment["sock_state"] == "TIME_WAIT"
            reopens = "SYN" in segment["flags"]
            assert segment.get("parent") == (listener if reopens else None)


def check_client_side(run, life, via):
    """The SYN|ACK and all that follows: one socket. The server's answer to what
    check_late() is about is a reset; that ends TIME_WAIT, and what the server
    had sent meanwhile finds nobody."""
    while life[-1].get("outcome") == "none":
        assert life[-1]["flags"] in ("ACK", "FIN|ACK", "RST")
        assert ("time_wait", "RST") in [pick(x, ("outcome", "flags"))
                                        for x in life]
        life = life[:-1]
    assert re.fullmatch("E+W*", word(life)), word(life)
    assert pick(life[0], ("flags", "sock_state")) == ("SYN|ACK", "SYN_SENT")
    sock = life[0]["sock"]
    for segment in life:
        check_verdict(segment)
        # A socket that changes tables just then, or GRO's list path, escapes
        # early demux: the lookup that follows finds it.
        check_via(run.sees, segment, (via, "lookup"))
        if segment["verdict"] == "proved":
            assert (pick(segment, ["sock_" + x for x in ENDS]) ==
                    pick(segment, ENDS))
        is_full = segment["outcome"] == "established"
        assert (segment.get("sock") == sock) == is_full
        assert ("sock" in segment) == (is_full or run.sees("time_wait"))
        assert "child" not in segment


def check_late(run, life, event):
    """What finds nobody comes last, when the socket has closed: an ACK that
    answers a FIN sent twice, or such a FIN, or what answers that. Takes it off
    @life."""
    while life and life[-1].get("outcome") == "none":
        segment = life.pop()
        assert segment["flags"] in ("ACK", "FIN|ACK", "RST")
        assert "sock" not in segment
        assert event["sock"] in [x["sock"] for x in run.closes]


def listener_of(run, event):
    """By the last listen event of that port before the accept; for one that
    is older than the trace, by what its first SYN met."""
    place = pick(event, ("netns", "lport"))
    socks = [x["sock"] for x in run.listens
             if pick(x, ("netns", "lport")) == place and
             x["mono_ns"] < event["mono_ns"]]
    if socks:
        return socks[-1]
    return next(x["sock"] for x in run.segments
                if x.get("outcome") == "listener" and
                pick(x, ("netns", "lport")) == place)


def by_inode(run):
    return {pick(x, ("netns", "inode")): x for x in run.accepts}


def group(segments):
    groups = collections.defaultdict(list)
    for segment in segments:
        groups[ends_of(segment)].append(segment)
    return groups


# The client closes first.
PLAIN = "LQ+E*"
# Its SYN reopens a TIME_WAIT socket.
REOPENS = "OQ+E*"
# Its SYN makes the child.
FAST = "FE+"


def own_socks(life):
    """Its request, its socket, its TIME_WAIT, and of that no other's: a SYN
    that reopens one matches the one before."""
    return {x["sock"] for x in life if x.get("outcome") != "listener" and
            "sock" in x and x["flags"] != "SYN"}


def check_devices(run, lab):
    devices = {x.inode: x.index(lab.device) for x in (lab.server, lab.client)}
    for segment in run.segments:
        assert segment["ifindex"] == devices[segment["netns"]]


def check_sockets(run, conns, lab, pattern=PLAIN, clients=True):
    """@pattern may be a function of the connection. Returns the segments of
    no connection."""
    check_devices(run, lab)
    groups, accepts = group(run.segments), by_inode(run)
    place = {id(x): y for y, x in enumerate(run.events)}
    same_ends = collections.defaultdict(list)
    for conn in conns:
        event = accepts[conn.netns, conn.inode]
        same_ends[server_ends(conn)].append((event["mono_ns"], event, conn))
    socks = []
    for ends, same in same_ends.items():
        server = lives(groups.pop(ends, []))
        assert len(server) == len(same)
        same.sort(key=lambda x: x[0])
        for life, (_, event, conn) in zip(server, same):
            check_late(run, life, event)
            check_server_side(run, life, event, listener_of(run, event),
                              pattern(conn) if callable(pattern) else pattern,
                              lab.via, {id(x) for x in life if
                                        place[id(x)] > place[id(event)]})
            socks += own_socks(life)
        if not clients:
            continue
        client = lives(groups.pop(client_ends(conn, lab.client.inode), []))
        assert len(client) == len(same)
        for life in client:
            check_client_side(run, life, lab.via)
            socks += own_socks(life)
    assert len(set(socks)) == len(socks), "one socket for two connections"
    return [x for some in groups.values() for x in some]


def check_nobody(run, segments, lab, port):
    """A SYN to a closed port; on the way back its reset is the client's."""
    there = [x for x in segments if x["lport"] == port]
    back = [x for x in segments if x["rport"] == port]
    assert len(there) == len(back) == 1
    assert pick(there[0], ENDS) == pick(back[0], ("raddr", "rport", "laddr",
                                                  "lport"))
    for segment in there:
        assert segment["netns"] == lab.server.inode
        assert segment["outcome"] == "none"
        assert segment.get("reset", False) == run.sees("reset")
        check_via(run.sees, segment, ("lookup",))
        assert segment["flags"] == "SYN"
        assert not segment.keys() & {"sock", "child"}
        check_verdict(segment)
    for segment in back:
        check_verdict(segment)
        check_via(run.sees, segment, ("lookup", lab.via))
        assert (pick(segment, ["sock_" + x for x in ENDS]) ==
                pick(segment, ENDS))
        assert [x.get("sock") for x in run.segments].count(
            segment["sock"]) == 1
        assert "child" not in segment
        assert segment["netns"] == lab.client.inode
        assert segment["outcome"] == "established"
        assert segment["sock_state"] == "SYN_SENT"
        assert segment["flags"] == "RST|ACK"


# --- the last word -----------------------------------------------------------


def check_proved(run, unseen=(), older=False):
    """But for @unseen, of which the test knows that no hook sees it. @older:
    there are connections older than the trace, some in TIME_WAIT."""
    blanks = [x for x in run.segments if "outcome" not in x]
    for segment in blanks:
        assert segment["verdict"] == "unexplained"
        assert segment["why"].startswith("I10: no hook saw")
        assert not segment.keys() & {"sock", "child", "parent", "via"}
        if not any(segment is x for x in unseen):
            assert older and not run.sees("time_wait")
            assert not any(ends_of(x) == ends_of(segment) and
                           x["flags"] == "SYN" for x in run.segments)
    summary = run.summary
    assert summary["unexplained"] == len(blanks), [
        x for x in run.segments if x["verdict"] == "unexplained"]
    assert summary["why"] == ([f"{len(blanks)} segments are unexplained"]
                              if blanks else [])
    assert summary["verdict"] == ("not_proved" if blanks else "proved")
    assert summary["lost"] == summary["skipped"] == 0


def check_listens(run, listeners):
    """For those that began to listen during the trace."""
    assert collections.Counter(x["lport"] for x in run.listens) == listeners


def check_ports(run, conns, listeners):
    """@listeners: port -> how many listened there."""
    segments = collections.Counter(x["lport"] for x in run.segments
                                   if "lport" in x)
    matched = collections.Counter(
        x["lport"] for x in run.segments
        if "sock" in x and x["outcome"] in ("established", "listener",
                                            "request", "time_wait"))
    said = {x["port"]: x for x in run.summary["ports"]}
    assert {x: y["segments"] for x, y in said.items() if y["segments"]} == \
        segments
    for port in said.values():
        assert port["matched"] == matched[port["port"]]
        assert port["misdelivered"] == 0
    for port, count in listeners.items():
        here = [x for x in conns if x.lport == port]
        assert said[port]["listeners"] == count
        assert said[port]["sockets"] == len(here)
        assert said[port]["remote_endpoints"] == len(
            {(x.netns, x.raddr, x.rport) for x in here})


def check_all(run, conns, lab, listeners, pattern=PLAIN):
    """Returns the segments of no connection."""
    check_accounting(run)
    check_accepts(run, conns)
    strays = check_sockets(run, conns, lab, pattern)
    check_proved(run)
    check_ports(run, conns, listeners)
    return strays
