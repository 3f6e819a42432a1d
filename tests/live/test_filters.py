# SPDX-License-Identifier: GPL-2.0-only
"""--netns, --remote and --cgroup, at the same time beside a trace that filters
nothing: each has to show just its part of that one, live and in a replay."""

import contextlib
import ipaddress
import json
import os
import pathlib
import socket
import subprocess
import tempfile

import pytest

import judge
import peers
from lab import Labs, ip
from tracer import Run, Trace, run_tool, wait_until

OUTER, INNER, NEITHER = 12200, 12201, 12202
VISITS = 2
SOURCE = 41000
SECOND_CLIENT = "10.77.0.3"


class Cgroup:
    """A new directory in cgroup v2, and one below it."""

    def __init__(self):
        with open("/proc/self/mounts") as mounts:
            self.mount = next((x.split()[1] for x in mounts
                               if x.split()[2] == "cgroup2"), None)
        if not self.mount:
            pytest.skip("cgroup v2 is not mounted")
        self.name = f"/sdt-{os.getpid()}"
        self.outer = pathlib.Path(self.mount + self.name)
        self.inner = self.outer / "inner"
        self.inner.mkdir(parents=True)

    def take(self, path, pid):
        (path / "cgroup.procs").write_text(str(pid))

    def close(self):
        self.inner.rmdir()
        self.outer.rmdir()


class Traced:
    """All runs, and what each has to show of the one that has everything."""

    def __init__(self, lab, cgroup, sleeper, recording):
        self.lab = lab
        ip("-n", lab.client.name, "addr", "add", SECOND_CLIENT + "/24", "dev",
           "eth0")
        self.recording = recording
        self.servers = {
            x: peers.Process(peers.one_shot_server, lab, x, VISITS)
            for x in (OUTER, INNER, NEITHER)}
        cgroup.take(cgroup.outer, self.servers[OUTER].pid)
        cgroup.take(cgroup.inner, self.servers[INNER].pid)
        wait_until(lambda: in_namespace(sleeper.pid, lab.server), "ip netns")
        self.options = {
            "all": ["-w", recording],
            "name": ["--netns", lab.client.name],
            "pid": [f"--netns={sleeper.pid}",
                    f"--remote=10.77.0.2/31:{SOURCE}"],
            "host": ["--remote", SECOND_CLIENT],
            "ipv6": ["--remote=fd77::/64"],
            "cgroup": ["--cgroup", cgroup.name],
        }
        self.runs = {x: Trace(lab.namespaces, *y)
                     for x, y in self.options.items()}
        with contextlib.ExitStack() as stack:
            for run in self.runs.values():
                run.launch()
            for run in self.runs.values():
                stack.enter_context(run)
            self.traffic()

    def traffic(self):
        for port, server in self.servers.items():
            server.go()
            wait_until(lambda p=port: peers.is_listening(self.lab.server, p),
                       "the server")
            for _ in range(VISITS):
                with peers.connect(self.lab, port=port) as client:
                    client.sendall(b"hello")
                    assert client.recv(64) == b"hello"
            server.join()
        for family in peers.FAMILIES:
            with peers.listen(self.lab, family) as listener:
                peers.visit(self.lab, listener, family, source=SOURCE)
                peers.visit(self.lab, listener, family)
                if family is not peers.IPV6:
                    self.visit_from(listener, family, SOURCE)

    def visit_from(self, listener, family, source):
        """From the second address of the clients' host."""
        with self.lab.client.socket() as client:
            client.settimeout(20)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((SECOND_CLIENT, source))
            client.connect((self.lab.server_addr[4], family.port))
            conn, _ = peers.accept(listener, self.lab.server)
            peers.talk(client, conn)
            peers.hang_up(client, conn)

    def check(self, name, wanted):
        """Just the events that are wanted; the rest was counted."""
        run, whole = self.runs[name], self.runs["all"]
        judge.check_part(run, whole, wanted)
        assert places(run.accepts) == places(filter(wanted, whole.accepts))
        assert run.accepts or name == "name"
        assert all(wanted(x) for x in run.listens + run.closes)

    def check_replay(self, name):
        done = run_tool("-r", self.recording, "-j", *self.options[name])
        assert done.returncode == 0, done.stderr
        again = Run(map(json.loads, done.stdout.splitlines()))
        live = self.runs[name]
        assert judge.identity(again.segments) == judge.identity(live.segments)
        assert places(again.accepts) == places(live.accepts)
        assert places(again.listens) == places(live.listens)
        assert (again.summary["segments"] + again.summary["filtered"] ==
                len(self.runs["all"].segments))
        judge.check_proved(again)


def in_namespace(pid, namespace):
    return os.stat(f"/proc/{pid}/ns/net").st_ino == namespace.inode


def places(events):
    return sorted(judge.ends_of(x) for x in events)


def is_from(network, port=None):
    """Listeners may be anybody's."""
    def wanted(event):
        return not event["rport"] or (
            ipaddress.ip_address(judge.unmapped(event["raddr"])) in
            ipaddress.ip_network(network) and port in (None, event["rport"]))
    return wanted


@pytest.fixture(scope="module")
def traced(tracing):
    with contextlib.ExitStack() as stack:
        labs = Labs()
        stack.callback(labs.close)
        cgroup = Cgroup()
        stack.callback(cgroup.close)
        path = stack.enter_context(tempfile.NamedTemporaryFile()).name
        lab = labs.veth()
        sleeper = stack.enter_context(subprocess.Popen(
            ["ip", "netns", "exec", lab.server.name, "sleep", "1000"]))
        stack.callback(sleeper.kill)
        yield Traced(lab, cgroup, sleeper, path)


def test_netns(traced):
    """The clients' connect(), and accept() nothing."""
    inode = traced.lab.client.inode
    traced.check("name", lambda x: x["netns"] == inode)
    traced.check_replay("name")


@pytest.mark.parametrize("name, network", [
    ("host", SECOND_CLIENT), ("ipv6", "fd77::/64")])
def test_remote(traced, name, network):
    """An IPv4 peer is one, whatever the family of the socket."""
    traced.check(name, is_from(network))
    traced.check_replay(name)


def test_both(traced):
    inode = traced.lab.server.inode
    from_there = is_from("10.77.0.2/31", SOURCE)
    traced.check("pid", lambda x: x["netns"] == inode and from_there(x))
    traced.check_replay("pid")


def test_cgroup(traced):
    """Of the directory itself, and of the one below."""
    traced.check("cgroup", lambda x: x["lport"] in (OUTER, INNER) and
                 x.get("outcome") != "none")
