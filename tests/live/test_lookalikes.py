# SPDX-License-Identifier: GPL-2.0-only
"""What looks like another segment, or like another socket's match, is counted
once all the same."""

import os
import socket

import judge
import peers
from stage import HERE, PORT, Tun
from tracer import Trace


def test_same_numbers(labs):
    """An ACK to FIN_WAIT1, again to FIN_WAIT2, which nobody has open and which is
    a minisock therefore, and then a FIN with the same numbers; one SYN ten
    times; a reset to a socket and again to nobody."""
    here = labs.namespace()
    tun = Tun(here)
    with here.inside():
        listener = socket.create_server((HERE, PORT))
    with Trace([here]) as run:
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
    listener.close()
    os.close(tun.fd)
    judge.check_accounting(run)
    fins = [x["outcome"] for x in run.segments if x["flags"] == "FIN|ACK"]
    assert fins == ["time_wait"] * 10
    assert len([x for x in run.segments if x["rport"] == 42000]) == 10


def test_raw_socket(labs):
    """It has TCP's protocol number, and gets a copy of each segment."""
    lab = labs.loopback()
    with lab.server.socket(socket.AF_INET, socket.SOCK_RAW,
                           socket.IPPROTO_TCP), Trace(lab.namespaces) as run:
        with peers.listen(lab) as listener:
            conns = [peers.visit(lab, listener)]
    assert not judge.check_all(run, conns, lab, {conns[0].lport: 1})
