# SPDX-License-Identifier: GPL-2.0-only
"""UDP that carries something else: what the kernel's own sockets, and those
with UDP_ENCAP, take of it. The outer datagram is told with the socket that took
it, and the one inside with its own. The judges are tcpdump, and what the test's
sockets had to read."""

import collections
import contextlib
import socket
import subprocess

import pytest

import judge
import wire
from datagrams import DELIVERED, PORT, Sockets, told
from lab import Labs
from tracer import Run, Trace, wait_until

VXLAN, FOU, L2TP, ESP = 4789, 5555, 1701, 4500
UDP_ENCAP, UDP_ENCAP_ESPINUDP = 100, 2
ODD, READ = 3, 9  # bytes: of what is no tunnel's, of what a reader gets

# What each needs, and the device through which its inside comes.
LINKS = {
    VXLAN: ("vxlan", "link add t{port} address 02:00:00:00:00:0{own} type "
            "vxlan id 7 dstport {port} local 10.77.0.{own} remote "
            "10.77.0.{peer}\n"),
    FOU: ("fou ipip", "fou add port {port} ipproto 4\n"
          "link add t{port} type ipip local 10.77.0.{own} remote "
          "10.77.0.{peer} encap fou encap-sport {port} encap-dport {port}\n"),
    L2TP: ("l2tp_eth", "l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 encap "
           "udp local 10.77.0.{own} remote 10.77.0.{peer} udp_sport {port} "
           "udp_dport {port}\n"
           "l2tp add session name t{port} tunnel_id 1 session_id 1 "
           "peer_session_id 1\n"
           "link set t{port} address 02:00:00:00:00:0{own}\n"),
}
UP = "link set t{port} addrgenmode none\n"
NEIGHBOUR = ("neigh add {net}.{peer} lladdr 02:00:00:00:00:0{peer} dev "
             "t{port} nud permanent\n")
ADDRESS = "addr add {net}.{own}/24 dev t{port}\nlink set t{port} up\n"


def inner(port, host):
    return f"10.{port % 200 + 20}.0.{host}"


def add_link(lab, port):
    """False where this kernel has no such thing. No neighbour is asked for, so
    that only the test's own datagrams come."""
    modules, link = LINKS[port]
    subprocess.run(["modprobe", "-aq", *modules.split()], check=False)
    for namespace, own in (lab.server, 1), (lab.client, 2):
        lines = link + UP + ADDRESS + (NEIGHBOUR if port != FOU else "")
        done = subprocess.run(
            ["ip", "-n", namespace.name, "-batch", "-"], text=True,
            input=lines.format(port=port, own=own, peer=3 - own,
                               net=inner(port, 0)[:-2]),
            stderr=subprocess.PIPE, check=False)
        if done.returncode:
            return False
    return True


class Traced:
    def __init__(self, lab, stack, path):
        self.lab = lab
        self.sockets = sockets = Sockets(lab)
        stack.enter_context(sockets.stack)
        self.ports = [x for x in LINKS if add_link(lab, x)]
        for port in self.ports:
            sockets.server(port, inner(port, 1))
        encap = sockets.server("encap", port=ESP)
        encap.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
        with wire.Capture(lab.server, "eth0", str(path), "udp") as self.seen, \
                Trace(lab.namespaces, "-u") as self.run:
            self.got = self.traffic()
            self.wait_for(path)

    def traffic(self):
        sockets, got = self.sockets, []
        client = sockets.client()
        for port in self.ports:
            within = sockets.make(self.lab.client, inner(port, 2), 0)
            for size in 1, 1000:
                sockets.send(within, b"x" * size, inner(port, 1))
            got += sockets.take(port, 2)
            # No such tunnel, or no header of one.
            if port != FOU:
                sockets.send(client, b"\xfe" * ODD, port=port)
        # A keepalive, an unknown association, and what is for the reader.
        for data in b"\xff", b"\1" * 40, b"\0\0\0\0hello":
            sockets.send(client, data, port=ESP)
        return got + sockets.take("encap")

    def wait_for(self, path):
        """Until tcpdump has written the last of them."""
        wait_until(lambda: b"\0\0\0\0hello" in path.read_bytes(), "tcpdump")

    def at(self, port):
        return [x for x in self.run.datagrams
                if judge.pick(x, ("lport", "netns")) == (
                    port, self.lab.server.inode)]


@pytest.fixture(scope="module")
def traced(tracing, tmp_path_factory):
    with contextlib.ExitStack() as stack:
        labs = Labs()
        stack.callback(labs.close)
        yield Traced(labs.veth(), stack,
                     tmp_path_factory.mktemp("pcap") / "pcap")


def ends(event):
    return judge.pick(event, judge.ENDS + ("len",))


def test_each_once(traced):
    """The outer ones are tcpdump's, the inner ones the sockets'."""
    run = traced.run
    outer = collections.Counter(
        ends(x) for x in run.datagrams if x["laddr"].startswith("10.77."))
    assert sum(traced.seen.frames.values()) == 3 + sum(
        2 if x == FOU else 3 for x in traced.ports)
    assert outer == collections.Counter(
        x for x in traced.seen.frames.elements()
        if run.sees("encap") or x[1::3] in ((ESP, READ), (L2TP, ODD)))
    own = Run((x for x in run.events if x.get("lport") in (PORT, ESP) or
               x["event"] != "datagram"), sees=run.sees)
    own.datagrams = [x for x in own.datagrams if not x.get("dropped")]
    assert collections.Counter(told(own, traced.sockets)) == (
        collections.Counter(traced.got))
    assert (run.summary["verdict"], run.summary["why"]) == ("proved", [])
    assert run.summary["copies"] == len(run.datagrams) == (
        run.summary["datagrams"])


@pytest.mark.parametrize("port", LINKS, ids=["vxlan", "fou", "l2tp"])
def test_kernels_own(traced, port):
    """No process has its socket. L2TP's is connected to the other end; so what
    another port sends is nobody's."""
    if port not in traced.ports:
        pytest.skip("this kernel has none")
    sees = traced.run.sees("encap")
    carried = [x for x in traced.at(port) if x["len"] != ODD]
    assert len(carried) == (2 if sees else 0)
    for event in carried:
        assert judge.pick(event, ("outcome", "encap", "pid", "dropped",
                                  "sock_lport", "verdict")) == (
            "connected" if port == L2TP else "unconnected", True, None, None,
            port, "proved")
    for event in traced.at(port):
        if event["len"] == ODD:
            assert judge.pick(event, ("outcome", "encap", "dropped")) == (
                ("none", None, None) if port == L2TP else
                ("unconnected", True, True))


def test_of_a_process(traced):
    """Its own datagrams reach the reader; the others end in the kernel."""
    events = traced.at(ESP)
    wanted = {READ: (True, None)}
    if traced.run.sees("encap"):
        wanted.update({1: (True, True), 40: (True, True)})
    assert {x["len"]: judge.pick(x, ("encap", "dropped"))
            for x in events} == wanted
    for event in events:
        assert event["outcome"] in DELIVERED
        assert event["sock_lport"] == ESP
