# SPDX-License-Identifier: GPL-2.0-only
"""Connections with the same two ends, for their clients are behind two devices of
the server, and have the same address and port. Who gets what, the server's own
sockets tell."""

import itertools
import socket
import time

import pytest

import judge
import peers
from lab import add_vrf, ip
from tracer import Trace, wait_until

PORT, SOURCE = 12800, 50800
HERE, THERE = "10.78.0.1", "10.78.0.2"


class Wires:
    """eth0 and eth1 of the server lead to a client each."""

    def __init__(self, labs):
        self.server = labs.namespace()
        self.clients = [labs.namespace() for _ in range(2)]
        for number, client in enumerate(self.clients):
            ip("link", "add", f"eth{number}", "netns", self.server.name,
               "type", "veth", "peer", "name", "eth0", "netns", client.name)
            ip("-n", client.name, "-batch", "-", batch=(
                f"addr add {THERE}/24 dev eth0\nlink set eth0 up\n"))
            ip("-n", self.server.name, "-batch", "-", batch=(
                f"addr add {HERE}/24 dev eth{number} noprefixroute\n"
                f"link set eth{number} up\n"))
        for name in "all", "eth0", "eth1":
            self.server.sysctl(f"conf/{name}/rp_filter", 0)
        self.namespaces = [self.server, *self.clients]

    def route(self, device, *more):
        """What is not bound to a device leaves by this one."""
        ip("-n", self.server.name, "route", "replace", f"{THERE}/32", "dev",
           device, *more)

    def listen(self, device=""):
        return peers.listen_at(self.server, HERE, PORT, device, backlog=4)

    def open(self, number, listener):
        """Of the client of that number; both its ends."""
        client = self.clients[number].socket(socket.AF_INET)
        client.settimeout(20)
        client.bind((THERE, SOURCE))
        client.connect((HERE, PORT))
        return client, listener.accept()[0]


@pytest.fixture
def wires(labs):
    return Wires(labs)


def talk(wires, pairs):
    """Each client says which one it is; what each server's socket has of that.
    The sockets stay for a while: what closes just then may explain a segment."""
    for number, (client, _) in enumerate(pairs):
        before = wires.server.tcp("InSegs")
        client.send(b"%d" % number)
        wait_until(lambda: wires.server.tcp("InSegs") > before, "a segment")
    time.sleep(0.2)
    heard = []
    for _, conn in pairs:
        conn.setblocking(False)
        try:
            heard.append(conn.recv(9))
        except BlockingIOError:
            heard.append(None)
    for end in itertools.chain(*pairs):
        peers.reset(end)
    return heard


def data_of(run, ifindex):
    return [x for x in run.segments if x["lport"] == PORT and x["len"] and
            x["ifindex"] == ifindex]


def test_of_two_devices(wires):
    with Trace(wires.namespaces) as run:
        pairs = []
        for number, device in enumerate(("eth0", "eth1")):
            with wires.listen(device) as listener:
                wires.route(device)
                pairs.append(wires.open(number, listener))
        heard = talk(wires, pairs)
    judge.check_accounting(run)
    assert heard == [b"0", b"1"]
    judge.check_proved(run)
    for device, accept in zip(("eth0", "eth1"), run.accepts):
        (data,) = data_of(run, wires.server.index(device))
        assert (data["sock"], data["verdict"]) == (accept["sock"], "proved")


def check_first_come(run, heard, first, second):
    """The kernel gives what comes in by either device to the younger one."""
    judge.check_accounting(run)
    assert heard == [None, b"1"]
    theirs = run.accepts[1]["sock"]
    # It comes again, at last when the sockets close, or right after.
    (closed,) = (x["mono_ns"] for x in run.closes if x["sock"] == theirs)
    lost = [x for x in data_of(run, first) if x["mono_ns"] < closed]
    assert {x["sock"] for x in lost} == {theirs}
    assert lost[0]["verdict"] == "unexplained"
    for segment in lost:
        assert segment["why"].startswith("I6:")
    (own,) = data_of(run, second)
    assert judge.pick(own, ("sock", "verdict")) == (theirs, "proved")
    assert run.summary["verdict"] == "not_proved"


def test_one_of_none(wires):
    """The younger one is bound to no device."""
    with Trace(wires.namespaces) as run:
        with wires.listen("eth0") as listener:
            wires.route("eth0")
            pairs = [wires.open(0, listener)]
        with wires.listen() as listener:
            wires.route("eth1")
            pairs.append(wires.open(1, listener))
        heard = talk(wires, pairs)
    check_first_come(run, heard, *map(wires.server.index, ("eth0", "eth1")))


def test_one_of_a_vrf(wires):
    """One listener gets what the VRF brings, and what comes in beside it."""
    if not add_vrf(wires.server):
        pytest.skip("this kernel has no VRFs")
    wires.server.sysctl("tcp_l3mdev_accept", 1)
    wires.route("eth0", "table", "10")
    wires.route("eth1")
    with Trace(wires.namespaces) as run:
        with wires.listen() as listener:
            pairs = [wires.open(x, listener) for x in range(2)]
            heard = talk(wires, pairs)
    check_first_come(run, heard, *map(wires.server.index, ("vrf0", "eth1")))
