# SPDX-License-Identifier: GPL-2.0-only
"""What looks like another segment, or like another socket's match, is counted
once all the same."""

import socket

import judge
import peers
from stage import PORT
from tracer import Trace

NEAR, FAR = 64, 63
IP_MINTTL = 21


def send_refused(stage, number, names_socket):
    """From too far, for a listener and for a connection that just had a segment:
    of another header, in the same memory, for nothing was answered; and of the
    very same one, in other memory, for the first is unread. Where stable knows
    neither the memory nor whose drop it is, it cannot tell these two apart."""
    tun = stage.tun
    tun.replies()
    tun.send(44000 + number, "RST", 1000)
    stage.send(45000 + number, "SYN", "refused", "ttl", 1000, ttl=FAR)
    theirs = tun.open(46000 + number)
    data = 1001, theirs
    tun.send(46000 + number, "PSH|ACK", *data, payload=b"x")
    if names_socket:
        stage.send(46000 + number, "PSH|ACK", "refused", "ttl", *data,
                   payload=b"x", ttl=FAR)


def test_same_numbers(stage):
    """An ACK to FIN_WAIT1, again to FIN_WAIT2, which nobody has open and which is
    a minisock therefore, and then a FIN with the same numbers; one SYN ten
    times; a reset to a socket, and again to the listener; a wrong ACK to a
    request, three times; and what is refused right after what was not."""
    tun, listener = stage.tun, stage.listener
    listener.listen(64)
    listener.setsockopt(socket.IPPROTO_IP, IP_MINTTL, NEAR)
    with Trace([stage.here]) as run:
        for number in range(10):
            theirs = tun.open(41000 + number)
            listener.accept()[0].close()
            for _ in range(2):
                tun.send(41000 + number, "ACK", 1001, theirs + 1)
            tun.send(41000 + number, "FIN|ACK", 1001, theirs + 1)
        for _ in range(10):
            tun.send(42000, "SYN", 1000)
        for number in range(10):
            tun.open(43000 + number)
            for _ in range(3):
                tun.send(43000 + number, "RST", 1001)
            theirs = tun.ask(47000 + number)
            for _ in range(3):
                tun.send(47000 + number, "ACK", 1001, theirs + 1)
            send_refused(stage, number, run.sees("refused"))
    stage.check(run)
    words = {x: judge.word(y for y in run.segments if y["rport"] == x)
             for x in {y["rport"] for y in run.segments}}
    refused = judge.LETTERS[run.sees.detail("refused", "ttl")[0]]
    wanted = {42000: "L" + "Q" * 9}
    for number in range(10):
        wanted[41000 + number] = "LQEWW"
        wanted[43000 + number] = "LQELL"
        wanted[47000 + number] = "LQQQ"
        wanted[44000 + number] = "L"
        wanted[45000 + number] = refused
        wanted[46000 + number] = "LQE" + (
            refused if run.sees("refused") else "")
    assert words == wanted


def test_of_no_interest(stage):
    """What is filtered out is counted once as well: the last ACK of a handshake,
    and data with the same header; ACKs to a listener, which resets them; and
    those that a request finds wrong, which are matched twice."""
    tun = stage.tun
    with Trace([stage.here], "-P", str(PORT + 1)) as run:
        for number in range(10):
            theirs = tun.open(41000 + number)
            for _ in range(2):
                tun.send(41000 + number, "ACK", 1001, theirs, payload=b"x")
            for _ in range(3):
                tun.send(42000 + number, "ACK", 1001, 1)
            theirs = tun.ask(43000 + number)
            for _ in range(2):
                tun.send(43000 + number, "ACK", 1001, theirs + 1)
    judge.check_accounting(run)
    assert run.summary["filtered"] == 10 * (4 + 3 + 3)
    assert run.summary["skipped"] == 0


def test_raw_socket(labs):
    """It has TCP's protocol number, and gets a copy of each segment."""
    lab = labs.loopback()
    with lab.server.socket(socket.AF_INET, socket.SOCK_RAW,
                           socket.IPPROTO_TCP), Trace(lab.namespaces) as run:
        with peers.listen(lab) as listener:
            conns = [peers.visit(lab, listener)]
    assert not judge.check_all(run, conns, lab, {conns[0].lport: 1})
