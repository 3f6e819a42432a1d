# SPDX-License-Identifier: GPL-2.0-only
"""300 connections at once, accepted by 12 that all wait in accept()."""

import socket

import pytest

import judge
import peers
from tracer import Trace

CLIENTS, WORKERS = 300, 12


@pytest.mark.parametrize("start", [peers.start_thread, peers.start_process])
def test_none_lost(labs, start):
    lab = labs.veth()
    listener = peers.listen(lab)
    with Trace(lab.namespaces) as run:
        workers = [start(peers.serve, listener, lab.server)
                   for _ in range(WORKERS)]
        clients = [peers.connect(lab) for _ in range(CLIENTS)]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        for number, client in enumerate(clients):
            assert client.recv(64) == b"%d" % number
        for client in clients:
            client.close()
        listener.shutdown(socket.SHUT_RDWR)
        conns = [peers.Accepted(*x) for join in workers for x in join()]
    listener.close()
    assert len(conns) == CLIENTS
    assert not judge.check_all(run, conns, lab, {conns[0].lport: 1})
    assert len({x["tid"] for x in run.accepts}) > 1
