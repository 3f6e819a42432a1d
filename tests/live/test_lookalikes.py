# SPDX-License-Identifier: GPL-2.0-only
"""What looks like another segment, or like another socket's match, is counted
once all the same."""

import socket

import judge
import peers
from tracer import Trace


def test_same_numbers(stage):
    """An ACK to FIN_WAIT1, again to FIN_WAIT2, which nobody has open and which is
    a minisock therefore, and then a FIN with the same numbers; one SYN ten
    times; a reset to a socket, and again to the listener."""
    tun, listener = stage.tun, stage.listener
    listener.listen(64)
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
    judge.check_accounting(run)
    judge.check_proved(run)
    words = {x: judge.word(y for y in run.segments if y["rport"] == x)
             for x in {y["rport"] for y in run.segments}}
    wanted = {42000: "L" + "Q" * 9}
    for number in range(10):
        wanted[41000 + number] = "LQEWW"
        wanted[43000 + number] = "LQELL"
    assert words == wanted


def test_raw_socket(labs):
    """It has TCP's protocol number, and gets a copy of each segment."""
    lab = labs.loopback()
    with lab.server.socket(socket.AF_INET, socket.SOCK_RAW,
                           socket.IPPROTO_TCP), Trace(lab.namespaces) as run:
        with peers.listen(lab) as listener:
            conns = [peers.visit(lab, listener)]
    assert not judge.check_all(run, conns, lab, {conns[0].lport: 1})
