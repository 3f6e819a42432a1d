# SPDX-License-Identifier: GPL-2.0-only
"""What became of a segment at its socket: each detail that there is, made to
happen, of IPv4 and of IPv6. The kernel's counters, its answers and `ss` are the
judges."""

import socket
import subprocess

import pytest

import judge
from stage import PORT, Stage, netstat
from tracer import Trace

RST, ACK = 4, 16
CLOSED = PORT + 1
# As options: signatures by TCP-MD5 and by TCP-AO.
MD5 = bytes([19, 18]) + bytes(18)
AO = bytes([29, 16, 1, 1]) + bytes(12)
NOPS = bytes([1] * 4)
# Which cannot be read for a signature: an option without a length, one beyond the
# header's end, also behind a signature; signatures too short; and two of them.
UNREADABLE = (bytes([8, 1]) + bytes(18), bytes([8, 21]) + bytes(18),
              bytes([19, 17]) + bytes(18), bytes([29, 4]) + bytes(18),
              AO + bytes([8, 25]) + bytes(22), AO + MD5)


@pytest.fixture(params=[4, 6])
def stage(labs, request):
    made = Stage(labs, version=request.param)
    yield made
    made.close()


def queues(stage):
    """Recv-Q and Send-Q of the listener."""
    shown = subprocess.run(["ip", "netns", "exec", stage.here.name, "ss",
                            "-Hltn"], capture_output=True, text=True,
                           check=True).stdout.split()
    return int(shown[1]), int(shown[2])


def test_listener(stage):
    with Trace([stage.here]) as run:
        assert stage.send(1, "SYN", "listener", "request_made", 1000)
        assert stage.send(2, "SYN", "listener", "request_made", 1000)
        assert stage.send(3, "ACK", "listener", "reset", 1000, 1) == [RST]
        assert not stage.send(4, "RST", "listener", "ignored", 1000)
        for source, flags in (5, "FIN"), (7, "SYN|FIN"), (8, "PSH"):
            assert not stage.send(source, flags, "listener", "ignored", 1000)
        # A longer segment's checksum is computed at the socket.
        assert not stage.send(6, "SYN", "listener", "checksum", 1000,
                              payload=b"x" * 500, damage=1)
    told = stage.check(run)
    assert [x["syn_queue"] for x in told] == [0, 1] + [2] * 6
    assert told[-1].get("bad_checksum") or not run.sees("late checksum")


def test_accept_queue_full(stage, tmp_path):
    """One more than its limit waits for accept(); and on the wire nothing tells
    why there is no answer."""
    stage.listener.listen(1)
    text = tmp_path / "text"
    before = netstat(stage.here, "ListenOverflows")
    with Trace([stage.here], "-o", f"text:{text}") as run:
        theirs = stage.tun.ask(5)
        for source in 1, 2:
            stage.tun.open(source)
        full = queues(stage)
        for source in 3, 4:
            assert not stage.send(source, "SYN", "listener", "syn_dropped",
                                  1000)
        # Nor is the request of before made a child.
        assert not stage.send(5, "ACK", "request", "kept", 1001, theirs)
    assert full == (2, 1)
    assert netstat(stage.here, "ListenOverflows") == before + 3
    for segment in stage.check(run):
        assert judge.pick(segment, ("accept_queue", "accept_queue_limit",
                                    "syn_queue")) == (*full, 1)
    lines = [x for x in text.read_text().splitlines()
             if "accept queue 2/1" in x]
    assert len(lines) == (2 if run.sees("syn") else 0)


def test_syn_queue_full(stage):
    """Without cookies a SYN is dropped as well where there are too many requests,
    as many as may wait for accept() or one more; the accept queue is empty."""
    stage.here.sysctl("tcp_syncookies", 0)
    stage.listener.listen(2)
    before = netstat(stage.here, "TCPReqQFullDrop")
    with Trace([stage.here]) as run:
        for source in range(1, 5):
            answer = stage.send(source, "SYN", "listener", "request_made",
                                1000)
            if netstat(stage.here, "TCPReqQFullDrop") > before:
                break
            assert answer
        assert not answer and source > 2
        stage.wanted[-1] = source, "SYN", "listener", "syn_dropped"
    assert [judge.pick(x, ("accept_queue", "accept_queue_limit", "syn_queue"))
            for x in stage.check(run)] == [(0, 2, x) for x in range(source)]


def test_request(stage):
    with Trace([stage.here]) as run:
        theirs = stage.tun.ask(1)
        assert stage.send(1, "SYN", "request", "syn_repeated", 1000)
        assert stage.send(1, "ACK", "request", "bad_ack", 1001,
                          theirs + 7) == [RST]
        # Out of window: answered, and nothing more.
        assert stage.send(1, "PSH|ACK", "request", "kept", 10**6, theirs,
                          payload=b"x") == [ACK]
        # Nor are these the SYN again; the next out of window, so soon, has no
        # answer.
        for flags in "SYN|ACK", "SYN|RST":
            assert not stage.send(1, flags, "request", "kept", 1000, theirs)
        # Long, so its checksum is verified here and not before.
        assert not stage.send(1, "PSH|ACK", "malformed", "checksum", 1001,
                              theirs, payload=bytes(100), damage=1)
        stage.send(1, "ACK", "request", "child", 1001, theirs)
        stage.accept()
        stage.send(1, "ACK", "established", "taken_up", 1001, theirs)
        # Twice; TCP has left the header behind when it drops the second.
        for _ in range(2):
            stage.send(1, "PSH|ACK", "established", "taken_up", 1001, theirs,
                       payload=bytes(40))
        theirs = stage.tun.ask(2)
        assert not stage.send(2, "RST", "request", "ended", 1001)
        stage.tun.ask(3)
        # In window, and no SYN has a place there.
        assert stage.send(3, "SYN", "request", "reset", 1100) == [RST | ACK]
    first, again = stage.check(run)[8:10]
    assert "drop_reason" not in first
    assert again.get("drop_reason") == (
        "TCP_OLD_DATA" if run.sees("late drop") else None)


def test_listener_closed(stage):
    """The kernel drops the request and looks again."""
    with Trace([stage.here]) as run:
        first = stage.tun.ask(1), stage.tun.ask(2)
        stage.listener.close()
        assert stage.send(1, "ACK", "none", "listener_closed", 1001,
                          first[0]) == [RST]
        again = stage.listen()
        assert stage.send(2, "ACK", "listener", "listener_closed", 1001,
                          first[1]) == [RST]
        again.close()
    for segment in stage.check(run):
        assert segment.get("repeated_lookup", False) == run.sees(
            "listener closed")


def test_time_wait(stage):
    with Trace([stage.here]) as run:
        theirs = stage.tun.open(1)
        stage.accept().close()
        stage.tun.send(1, "ACK", 1001, theirs + 1)
        # FIN_WAIT2 is one of these already, where nobody has it open.
        assert stage.send(1, "FIN|ACK", "time_wait", "acked", 1001,
                          theirs + 1) == [ACK]
        assert not stage.send(1, "ACK", "time_wait", "swallowed", 1002,
                              theirs + 1)
        # Of before; since 6.18 a verdict of its own.
        assert stage.send(1, "PSH|ACK", "time_wait", "acked", 900, theirs + 1,
                          payload=b"old") == [ACK]
        assert not stage.send(1, "RST", "time_wait", "swallowed", 900)
        assert not stage.send(1, "PSH|ACK", "malformed", "checksum", 1002,
                              theirs + 1, payload=bytes(100), damage=1)
        assert stage.send(1, "SYN", "time_wait", "reopened", 10**6)
        theirs = stage.tun.open(2)
        stage.accept().close()
        stage.tun.send(2, "ACK", 1001, theirs + 1)
        # Data for nobody to read.
        assert stage.send(2, "PSH|ACK", "time_wait", "reset", 1001, theirs + 1,
                          payload=b"late") == [RST]
        # Signed (TCP-AO), which the connection was not: a kernel that knows of
        # that does not answer.
        # Up to 18 bytes of options one without it does not even read.
        for source, options in (3, AO), (4, AO + NOPS):
            theirs = stage.tun.open(source)
            stage.accept().close()
            stage.tun.send(source, "ACK", 1001, theirs + 1)
            if not stage.send(source, "PSH|ACK", "time_wait", "reset", 1001,
                              theirs + 1, words=5 + len(options) // 4,
                              payload=options + b"late"):
                stage.wanted[-1] = source, "PSH|ACK", "time_wait", "swallowed"
    told = stage.check(run)
    substates = [told[x].get("sock_substate") for x in (0, 1, 5, 6)]
    assert substates == (
        ["FIN_WAIT2", "TIME_WAIT", "TIME_WAIT", "FIN_WAIT2"]
        if run.sees("substate") else [None] * 4)
    if run.sees("reopened"):
        assert told[5]["sock_state"] == "TIME_WAIT"
        assert told[5]["parent"] == run.segments[0]["sock"]


def test_time_wait_alone(stage):
    """A SYN could reopen it, and there is no listener any more: an ACK answers.
    A reset ends it, and what comes then is nobody's, which a backend that knows
    TIME_WAIT by memory alone does not see."""
    with Trace([stage.here]) as run:
        theirs = stage.tun.open(1)
        stage.accept().close()
        stage.tun.send(1, "FIN|ACK", 1001, theirs + 1)
        stage.listener.close()
        assert stage.send(1, "SYN", "time_wait", "acked", 10**6) == [ACK]
        assert not stage.send(1, "RST", "time_wait", "swallowed", 1002)
        shown = ("none", "reset") if run.sees("none") else (
            "time_wait", "acked")
        assert stage.send(1, "ACK", *shown, 1002, theirs + 1) == [RST]
    syn, reset, _ = stage.check(run)
    assert "parent" not in syn and syn.get("sock") == reset.get("sock")


def test_nobody(stage):
    with Trace([stage.here]) as run:
        assert stage.send(1, "SYN", "none", "reset", 1, port=CLOSED) == [
            RST | ACK]
        assert not stage.send(2, "RST", "none", "silent", 1, port=CLOSED)
        # Signed, the key being unknown: the answer would have to be, too.
        for version in 4, 6:
            assert not stage.send(3, "SYN", "none", "unanswered", 1,
                                  port=CLOSED, version=version,
                                  words=10, payload=MD5)
        # No option follows the end of the list.
        assert stage.send(4, "SYN", "none", "reset", 1, port=CLOSED,
                          words=11, payload=bytes(4) + MD5) == [RST | ACK]
        # Any other option is passed over.
        assert not stage.send(5, "SYN", "none", "unanswered", 1, port=CLOSED,
                              words=11, payload=bytes([8, 4, 0, 0]) + MD5)
        # Since 6.7 these have no answer either.
        for source, options in enumerate(UNREADABLE, 6):
            if not stage.send(source, "SYN", "none", "reset", 1, port=CLOSED,
                              words=5 + len(options) // 4, payload=options):
                stage.wanted[-1] = source, "SYN", "none", "unanswered"
    stage.check(run)


@pytest.mark.parametrize("family", [4, 6])
def test_cookies(labs, family):
    """What the listener does not keep, the ACK brings along."""
    lab = labs.veth()
    lab.server.sysctl("tcp_syncookies", 2)
    addr = lab.server_addr[family]
    names = "SyncookiesSent", "SyncookiesRecv"
    with lab.server.inside():
        listener = socket.create_server(
            (addr, PORT),
            family=socket.AF_INET if family == 4 else socket.AF_INET6)
    with Trace(lab.namespaces) as run, listener:
        with lab.client.inside():
            client = socket.create_connection((addr, PORT), 20)
        conn, _ = listener.accept()
        client.close()
        conn.close()
    judge.check_accounting(run)
    judge.check_proved(run)
    assert [netstat(lab.server, x) for x in names] == [1, 1]
    told = [x for x in run.segments if x["outcome"] == "listener"]
    assert [x.get("detail") for x in told] == [
        run.sees.detail("listener", "cookie_sent")[1], "cookie_accepted"]
