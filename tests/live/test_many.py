# SPDX-License-Identifier: GPL-2.0-only
"""300 connections at once, accepted by 12 that all wait in accept(); or one after
another, beside somebody else's bpf()."""

import socket

import pytest

import bpf
import judge
import peers
from tracer import Trace

CLIENTS, WORKERS = 300, 12
ONE_CPU = {0}


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


def test_beside_one_that_polls_a_map(labs, backend):
    """What its perf event's program is kept from, the tracepoint's sees."""
    if backend != "stable":
        pytest.skip("it has no two programs on the exit of accept()")
    lab = labs.veth()
    with Trace(lab.namespaces) as run, peers.listen(lab) as listener, \
            peers.beside(bpf.poll_a_map, ONE_CPU), peers.on(ONE_CPU):
        for _ in range(CLIENTS):
            peers.connect(lab).close()
            listener.accept()[0].close()
    # Both are kept from some, where one is preempted in each.
    assert CLIENTS * 0.97 <= len(run.accepts) <= CLIENTS
