# SPDX-License-Identifier: GPL-2.0-only
"""UDP with -P, -6, --netns, --remote, --pid and --cgroup, at the same time beside a
trace of TCP and UDP that filters nothing: each shows its part of that one, live
and in a replay. Among the traffic are 2,048 datagrams of 64 senders to a group of
four."""

import collections
import contextlib
import json
import pathlib
import select
import socket
import struct
import tempfile

import pytest

import judge
import peers
from datagrams import GROUPS, PATIENCE, Sockets, check_verdict, told
from lab import Labs, ip
from test_filters import Cgroup
from tracer import Run, Trace, run_tool, wait_until

MANY, SAME, OWN, SIX, FROM = range(12500, 12505)
SENDERS, COUNT = 64, 2048
SECOND = "10.77.0.3"
KEYS = ("netns", *judge.ENDS, "len", "outcome")


def bind_to_device(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")


def join(sock, lab):
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                    socket.inet_aton(GROUPS[4]) +
                    socket.inet_aton(lab.server_addr[4]))


def serve(lab, count):
    """For Process: what its own socket reads."""
    with lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(60)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("0.0.0.0", OWN))
        bind_to_device(sock)
        join(sock, lab)
        return [len(sock.recv(99)) for _ in range(count)]


def is_member(namespace, group):
    with namespace.inside():
        table = pathlib.Path("/proc/thread-self/net/igmp").read_text()
    return "%08X" % struct.unpack("=I", socket.inet_aton(group)) in table


def keys(events):
    return collections.Counter(judge.pick(x, KEYS) for x in events)


class Traced:
    def __init__(self, lab, stack, cgroup, recording):
        self.lab, self.recording = lab, recording
        ip("-n", lab.client.name, "addr", "add", SECOND + "/24", "dev", "eth0")
        # Before the sockets are there, or it has them too.
        self.server = peers.Process(serve, lab, 3)
        cgroup.take(cgroup.inner, self.server.pid)
        self.sockets = sockets = Sockets(lab)
        stack.enter_context(sockets.stack)
        for number in range(4):
            sockets.server(number, port=MANY, options=[socket.SO_REUSEPORT])
        sockets.server("same", port=SAME)
        sockets.server("six", lab.server_addr[6], SIX)
        self.options = {
            "all": ["-t", "-u", "-w", recording],
            "port": ["-u", "-P", str(SAME)],
            "ipv6": ["-u", "-6"],
            "netns": ["-u", "--netns", lab.client.name],
            "remote": ["-u", "--remote", SECOND],
            "rport": ["-u", "--remote", f":{FROM}"],
            "pid": ["-u", "--pid", str(self.server.pid)],
            "both": ["-t", "-u", "--pid", str(self.server.pid)],
            "cgroup": ["-u", "--cgroup", cgroup.name],
        }
        self.runs = {x: Trace(lab.namespaces, *y)
                     for x, y in self.options.items()}
        with contextlib.ExitStack() as traces:
            for run in self.runs.values():
                run.launch()
            for run in self.runs.values():
                traces.enter_context(run)
            self.got = self.traffic()

    def traffic(self):
        sockets, got = self.sockets, []
        clients = [sockets.client() for _ in range(SENDERS)]
        for _ in range(COUNT // SENDERS):
            for client in clients:
                sockets.send(client, b"x", port=MANY)
            got += self.drain(SENDERS)
        second = sockets.make(self.lab.client, SECOND, FROM)
        for client in clients[0], second:
            sockets.send(client, b"xx", port=SAME)
            got += sockets.take("same")
        sockets.send(sockets.client(6), b"xx", port=SIX)
        got += sockets.take("six")
        # And TCP on that port; and an answer, which is the client's.
        with peers.listen(self.lab, port=SAME) as listener:
            self.conn = peers.visit(self.lab, listener, port=SAME)
        answer = sockets.servers["same"]
        answer.sendto(b"xxx", second.getsockname())
        assert second.recv(99) == b"xxx"
        # Others that come and go, and what never has a port.
        for namespace, addr in ((self.lab.server, self.lab.server_addr[4]),
                                (self.lab.client, SECOND)):
            made = sockets.make(namespace, addr, 0)
            bind_to_device(made)
            made.close()
        self.lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
        self.server.go()
        # Whose it is, the end of its bind() tells; a port has been taken before.
        wait_until(lambda: is_member(self.lab.server, GROUPS[4]), "the server")
        for _ in range(2):
            sockets.send(second, b"xxxx", port=OWN)
        # The newest one's copy is the last.
        also = sockets.server("also", "0.0.0.0", OWN, [socket.SO_REUSEADDR])
        join(also, self.lab)
        clients[0].setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                              socket.inet_aton(self.lab.client_addr[4]))
        sockets.send(clients[0], b"xxxxx", GROUPS[4], OWN)
        sockets.take("also")
        assert self.server.join() == [4, 4, 5]
        return got

    def drain(self, count):
        """That many, of the four."""
        names = {self.sockets.servers[x]: x for x in range(4)}
        got = []
        while len(got) < count:
            ready, _, _ = select.select(list(names), [], [], PATIENCE)
            assert ready, f"{count - len(got)} did not arrive"
            for sock in ready:
                got += self.sockets.take(names[sock])
        return got


@pytest.fixture(scope="module")
def traced(tracing):
    with contextlib.ExitStack() as stack:
        labs = Labs()
        stack.callback(labs.close)
        cgroup = Cgroup()
        stack.callback(cgroup.close)
        path = stack.enter_context(tempfile.NamedTemporaryFile()).name
        yield Traced(labs.veth(), stack, cgroup, path)


def test_each_once(traced):
    run = traced.runs["all"]
    summary = run.summary
    assert (summary["verdict"], summary["why"]) == ("proved", [])
    assert summary["copies_lost"] == summary["datagrams_skipped"] == 0
    assert summary["datagrams"] == len(run.datagrams) - 1 == COUNT + 7
    for event in run.datagrams:
        check_verdict(run, event)
    own = Run(run.events, sees=run.sees)
    own.datagrams = [x for x in run.datagrams if x["lport"] in (MANY, SAME, SIX)]
    assert collections.Counter(told(own, traced.sockets)) == (
        collections.Counter(traced.got))


def test_group(traced):
    """Each sender has one of the four, and more than one has senders."""
    of_sender = collections.defaultdict(set)
    for event in traced.runs["all"].datagrams:
        if event["lport"] == MANY:
            of_sender[event["rport"]].add(event["sock"])
    assert len(of_sender) == SENDERS
    assert all(len(x) == 1 for x in of_sender.values())
    assert len(set.union(*of_sender.values())) > 1


def test_both_on_one_port(traced):
    """TCP's segments are TCP's, and no socket has both."""
    run = traced.runs["all"]
    judge.check_accounting(run)
    strays = judge.check_sockets(run, [traced.conn], traced.lab)
    assert not strays and len(run.accepts) == 1
    socks = {x["sock"] for x in run.datagrams if x["lport"] == SAME}
    assert len(socks) == 1
    assert not socks & {x.get("sock") for x in run.segments}


WANTED = {
    "port": lambda traced, x: x["lport"] == SAME,
    "ipv6": lambda traced, x: x["family"] == 6,
    "netns": lambda traced, x: x["netns"] == traced.lab.client.inode,
    "remote": lambda traced, x: x["raddr"] == SECOND,
    "rport": lambda traced, x: x["rport"] == FROM,
    "pid": lambda traced, x: x.get("pid") == traced.server.pid,
    "both": lambda traced, x: x.get("pid") == traced.server.pid,
    "cgroup": lambda traced, x: x.get("pid") == traced.server.pid,
}


@pytest.mark.parametrize("name", WANTED)
def test_filter(traced, name):
    run, whole = traced.runs[name], traced.runs["all"]
    wanted = [x for x in whole.datagrams if WANTED[name](traced, x)]
    assert wanted and keys(run.datagrams) == keys(wanted)
    assert not run.segments
    summary = run.summary
    assert (summary["verdict"], summary["why"]) == ("proved", [])
    assert summary["datagrams"] == len(wanted)
    assert summary["datagrams_filtered"] == (
        whole.summary["datagrams"] - len(wanted))


# Who has no remote end may get anybody's, by its address of IPv4.
LIVES = {**WANTED,
         "remote": lambda traced, x: x["family"] == 4 and not x["rport"],
         "rport": lambda traced, x: not x["rport"]}


def lives(events):
    return collections.Counter(judge.pick(x, ("event", "netns", "lport"))
                               for x in events)


@pytest.mark.parametrize("name", LIVES)
def test_lives(traced, name):
    """Which sockets get their port, or a device, and are closed."""
    run, whole = traced.runs[name], traced.runs["all"]
    assert all(x["lport"] for x in whole.closes)
    for told, all_told in ((run.binds, whole.binds),
                           (run.devices, whole.devices),
                           (run.closes, [x for x in whole.closes
                                         if x["proto"] == "udp"])):
        wanted = [x for x in all_told if LIVES[name](traced, x)]
        assert lives(told) == lives(wanted)
        assert wanted or name in ("port", "ipv6")


# A recording does not know the cgroup.
@pytest.mark.parametrize("name", [x for x in WANTED if x != "cgroup"])
def test_filter_replay(traced, name):
    done = run_tool("-r", traced.recording, "-j", *traced.options[name])
    assert done.returncode == 0, done.stderr
    again = Run(map(json.loads, done.stdout.splitlines()))
    assert keys(again.datagrams) == keys(traced.runs[name].datagrams)
    assert again.summary["verdict"] == "proved"
    assert again.summary["datagrams"] + again.summary[
        "datagrams_filtered"] == traced.runs["all"].summary["datagrams"]


def test_replay(traced):
    done = run_tool("-r", traced.recording, "-o", "json:-")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == traced.runs["all"].text
