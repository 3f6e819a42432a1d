# SPDX-License-Identifier: GPL-2.0-only
"""--port and -4, and --pid, at the same time beside a trace that filters
nothing: each has to show just its part of that one."""

import contextlib

import pytest

import judge
import peers
from lab import Labs
from tracer import Trace, wait_until

# Which of these is in the list that is asked for?
PORTS = {12000: False, 12001: True, 12009: False, 12010: True, 12012: True,
         12013: False}
PORT_LIST = ["-P", "12001,1-2", "--port", "12010-12012,12006", "-P", "12046"]
EARLY, LATE = 12100, 12101
VISITS = 2


class Traced:
    """All runs, and each server's own list."""

    def __init__(self, lab):
        self.lab = lab
        self.servers = {
            x: peers.Process(peers.one_shot_server, lab, x, VISITS)
            for x in (EARLY, LATE)}
        options = {
            "all": [], "ports": ["-4", *PORT_LIST],
            "early": ["-p", str(self.servers[EARLY].pid)],
            "late": ["--pid", str(self.servers[LATE].pid)],
        }
        self.begin(EARLY)
        self.runs = {x: Trace(lab.namespaces, *y) for x, y in options.items()}
        with contextlib.ExitStack() as stack:
            for run in self.runs.values():
                run.launch()
            for run in self.runs.values():
                stack.enter_context(run)
            self.begin(LATE)
            self.traffic()

    def begin(self, port):
        self.servers[port].go()
        wait_until(lambda: peers.is_listening(self.lab.server, port),
                   "the server")

    def traffic(self):
        self.conns = []
        for port in PORTS:
            with peers.listen(self.lab, port=port) as listener:
                self.conns.append(peers.visit(self.lab, listener, port=port))
        for family in peers.IPV6, peers.MAPPED:
            with peers.listen(self.lab, family) as listener:
                self.conns.append(peers.visit(self.lab, listener, family))
        for _ in range(VISITS):
            for port in self.servers:
                with peers.connect(self.lab, port=port) as client:
                    client.sendall(b"hello")
                    assert client.recv(64) == b"hello"
        for server in self.servers.values():
            self.conns += [peers.Accepted(*x) for x in server.join()]

    def check(self, name, wanted):
        """Just what is wanted of all, and the rest was counted."""
        run, whole = self.runs[name], self.runs["all"]
        judge.check_part(run, whole, wanted)
        assert run.summary["filtered"] == (len(whole.segments) -
                                           len(run.segments))
        return run

    def check_servers(self, name, ports):
        run = self.check(name, lambda x: x["lport"] in ports)
        conns = [x for x in self.conns if x.lport in ports]
        judge.check_accepts(run, conns)
        assert not judge.check_sockets(run, conns, self.lab, clients=False)
        judge.check_ports(run, conns, {x: 1 for x in ports})
        return run


@pytest.fixture(scope="module")
def traced(tracing):
    labs = Labs()
    try:
        yield Traced(labs.veth())
    finally:
        labs.close()


def test_ports_and_family(traced):
    """A connection over IPv4 is IPv4, whatever the family of its socket."""
    ports = [x for x in PORTS if PORTS[x]] + [peers.MAPPED.port]
    run = traced.check_servers("ports", ports)
    assert {x["lport"] for x in run.events if "lport" in x} == set(ports)


def test_pid_of_server_older_than_trace(traced):
    run = traced.check_servers("early", [EARLY])
    assert not run.listens


def test_pid_of_server_younger_than_trace(traced):
    run = traced.check_servers("late", [LATE])
    assert [x["pid"] for x in run.listens] == [traced.servers[LATE].pid]
