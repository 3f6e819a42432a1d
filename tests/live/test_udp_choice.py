# SPDX-License-Identifier: GPL-2.0-only
"""UDP: what makes it this socket and no other. All of it happens in one trace;
each kind has ports of its own. The judge is what the test's sockets had to
read."""

import contextlib
import os
import shutil
import socket
import struct
import subprocess

import pytest

import bpf
import judge
import peers
from datagrams import Sockets, check, check_via
from lab import Labs, ip
from tracer import Trace

TPROXY, SK_ASSIGN, OTHER = 12300, 12301, 12302
TO_CONNECTED, FAR = 12303, 12304
REDIRECTED, REFUSED = 12310, 12311
PROGRAM, NO_MEMBER = 12320, 12321
BOTH, ONLY_IPV6, DEVICE, CPU = 12330, 12331, 12332, 12333
SOURCES, PEER = 12340, 12350
IP_TRANSPARENT = 19
IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE = 39, 38
MCAST_JOIN_SOURCE_GROUP = 46
SO_INCOMING_CPU = 49
REUSEADDR, REUSEPORT = socket.SO_REUSEADDR, socket.SO_REUSEPORT
GROUP, GROUP6, STRANGER = "239.77.1.5", "ff02::7775", "10.77.0.9"
ASSIGNED = "assigned the socket to the datagram before UDP saw it"
REDIRECTS = ("the BPF program (sk_lookup, id %d) chooses in the datagram's "
             "namespace")

TPROXY_RULES = f"""table ip test {{
    chain before {{
        type filter hook prerouting priority mangle;
        udp dport {TPROXY} tproxy to 127.0.0.1:{OTHER} meta mark set 1
    }}
}}"""


def has_tproxy(lab):
    if not shutil.which("nft") or subprocess.run(
            ["ip", "netns", "exec", lab.server.name, "nft", "-f", "-"],
            input=TPROXY_RULES, text=True, stderr=subprocess.PIPE,
            check=False).returncode:
        return False
    ip("-n", lab.server.name, "-batch", "-", batch=(
        "rule add fwmark 1 lookup 100\n"
        "route add local 0.0.0.0/0 dev lo table 100\n"))
    return True


class Assigned:
    """Two ports whose datagrams a rule and a program give to another's."""

    def __init__(self, lab, stack):
        self.sockets = sockets = Sockets(lab)
        stack.enter_context(sockets.stack)
        other = sockets.server("other", "127.0.0.1", OTHER,
                               [(socket.IPPROTO_IP, IP_TRANSPARENT, 1)])
        self.ports = [TPROXY] if has_tproxy(lab) else []
        if shutil.which("tc"):
            subprocess.run(["tc", "-n", lab.server.name, "qdisc", "add", "dev",
                            "eth0", "clsact"], check=True)
            stack.enter_context(bpf.SkAssign(lab.server, "eth0", SK_ASSIGN,
                                             other))
            self.ports.append(SK_ASSIGN)
            sockets.server("at that port", port=SK_ASSIGN)
            far = sockets.server("far away", "127.0.0.1", FAR)
            far.connect(("127.0.0.1", 9))
            stack.enter_context(bpf.SkAssign(lab.server, "eth0", TO_CONNECTED,
                                             far))

    def traffic(self):
        client = self.sockets.client()
        for port in self.ports:
            self.sockets.send(client, b"x", port=port)
        got = self.sockets.take("other", len(self.ports))
        if SK_ASSIGN in self.ports:
            self.sockets.send(client, b"x", port=TO_CONNECTED)
            got += self.sockets.take("far away")
        return got


def source_request(device, group, source):
    """struct group_source_req."""
    def storage(addr):
        return struct.pack("=HHI16sI100x", socket.AF_INET6, 0, 0,
                           socket.inet_pton(socket.AF_INET6, addr), 0)
    return struct.pack("=I4x", device) + storage(group) + storage(source)


class Chosen:
    """All that need not be assigned."""

    def __init__(self, lab, stack):
        self.lab = lab
        self.sockets = sockets = Sockets(lab)
        stack.enter_context(sockets.stack)
        aside = sockets.server("aside", "127.0.0.1", OTHER)
        sockets.server("passed by", port=REFUSED)
        self.program = stack.enter_context(bpf.SkLookup(
            lab.server, REDIRECTED, aside, REFUSED))
        for number in range(4):
            sockets.server(number, port=PROGRAM, options=[REUSEPORT])
            sockets.server(-1 - number, port=NO_MEMBER, options=[REUSEPORT])
        bpf.choose_member(sockets.servers[0], 2)
        bpf.choose_nobody(sockets.servers[-1])
        # The last one is the newest, which without points would win.
        sockets.server("ipv4", "0.0.0.0", BOTH, [REUSEADDR])
        sockets.server("both", "::", BOTH, [REUSEADDR])
        sockets.server("ipv6", "::", ONLY_IPV6,
                       [(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)])
        sockets.server("eth0", "0.0.0.0", DEVICE, [
            REUSEADDR, (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")])
        sockets.server("any", "0.0.0.0", DEVICE, [REUSEADDR])
        self.cpus = sorted(os.sched_getaffinity(0))[:2]
        for cpu in self.cpus:
            sockets.server(f"cpu {cpu}", port=CPU, options=[
                REUSEADDR, (socket.SOL_SOCKET, SO_INCOMING_CPU, cpu)])
        self.join_sources()
        self.group_of_one_peer()

    def join_sources(self):
        """Of four at a group, one wants the client's datagrams, another one
        all but these; and the same of IPv6, with an option for both."""
        group, client, stranger, own = (
            socket.inet_aton(x) for x in (GROUP, self.lab.client_addr[4],
                                          STRANGER, self.lab.server_addr[4]))
        for name, source in ("near", client), ("far", stranger):
            self.sockets.server(name, "0.0.0.0", SOURCES, [
                REUSEADDR, (socket.IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP,
                            group + own + source)])
        self.sockets.server("but", "0.0.0.0", SOURCES, [
            REUSEADDR,
            (socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + own),
            (socket.IPPROTO_IP, IP_BLOCK_SOURCE, group + own + client)])
        device = self.lab.server.index("eth0")
        for name, source in (("near6", self.lab.client_addr[6]),
                             ("far6", "fd77::9")):
            self.sockets.server(name, "::", SOURCES, [
                REUSEADDR, (socket.IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP,
                            source_request(device, GROUP6, source))])

    def group_of_one_peer(self):
        """Two of a SO_REUSEPORT group, one of them connected."""
        for name in "one's", "all's":
            self.sockets.server(name, port=PEER, options=[REUSEPORT])
        self.peer = self.sockets.client()
        self.sockets.servers["one's"].connect(self.peer.getsockname())

    def is_refused(self, port):
        """As the sender is told."""
        client = self.sockets.client()
        client.connect((self.lab.server_addr[4], port))
        client.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            client.recv(9)

    def traffic(self):
        sockets, got = self.sockets, []
        four, six = sockets.client(), sockets.client(6)
        sockets.send(four, b"x", port=REDIRECTED)
        got += sockets.take("aside")
        for port in REFUSED, NO_MEMBER, ONLY_IPV6:
            self.is_refused(port)
        for _ in range(3):
            sockets.send(sockets.client(), b"x", port=PROGRAM)
        got += sockets.take(2, 3)
        for client, port, name in ((four, BOTH, "ipv4"), (six, BOTH, "both"),
                                   (six, ONLY_IPV6, "ipv6"),
                                   (four, DEVICE, "eth0"),
                                   (self.peer, PEER, "one's"),
                                   (four, PEER, "all's")):
            sockets.send(client, b"x", port=port)
            got += sockets.take(name)
        own = sockets.make(self.lab.server, "0.0.0.0", 0)
        # To its own address eth0 is the way in, whatever the wire.
        for addr, name in ((self.lab.server_addr[4], "eth0"),
                           ("127.0.0.1", "any")):
            sockets.send(own, b"x", addr, DEVICE)
            got += sockets.take(name)
        for cpu in self.cpus:
            with peers.on({cpu}):
                sockets.send(four, b"x", port=CPU)
            got += sockets.take(f"cpu {cpu}")
        for client, addr, name in ((four, GROUP, "near"),
                                   (six, GROUP6, "near6")):
            self.send_to_group(client, addr)
            got += sockets.take(name)
        return got

    def send_to_group(self, client, addr):
        device = self.lab.client.index("eth0")
        if client.family == socket.AF_INET:
            client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                              struct.pack("@8xi", device))
        else:
            client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                              device)
        self.sockets.send(client, b"x", addr, SOURCES)


class Traced:
    def __init__(self, labs, stack):
        first, second = labs.veth(), labs.veth()
        self.assigned = Assigned(first, stack)
        self.chosen = Chosen(second, stack)
        with Trace(first.namespaces + second.namespaces, "-u") as self.run:
            self.got = self.assigned.traffic() + self.chosen.traffic()
        # They are still open, so their inodes are theirs.
        self.sockets = Sockets(None)
        for sockets in self.assigned.sockets, self.chosen.sockets:
            self.sockets.servers.update(sockets.servers)

    def at(self, port):
        return [x for x in self.run.datagrams if x["lport"] == port]


@pytest.fixture(scope="module")
def traced(tracing):
    with contextlib.ExitStack() as stack:
        labs = Labs()
        stack.callback(labs.close)
        yield Traced(labs, stack)


def is_own(event):
    """To an address of the host's own, which is eth0's."""
    return judge.pick(event, ("lport", "laddr", "raddr")) == (
        DEVICE, "10.77.0.1", "10.77.0.1")


def test_all(traced):
    run = traced.run
    check(run, traced.sockets, traced.got,
          lambda x: x["lport"] in (TPROXY, SK_ASSIGN, TO_CONNECTED,
                                   REDIRECTED) or is_own(x))
    (own,) = filter(is_own, run.datagrams)
    assert own["verdict"] == "proved"


@pytest.mark.parametrize("port", [TPROXY, SK_ASSIGN],
                         ids=["tproxy", "sk_assign"])
def test_assigned(traced, port):
    if port not in traced.assigned.ports:
        pytest.skip("nft, tc or this kernel has none")
    (event,) = traced.at(port)
    assert judge.pick(event, ("outcome", "via", "sock_laddr", "sock_lport",
                              "verdict")) == (
        "unconnected", "assigned", "127.0.0.1", OTHER, "explained")
    assert ASSIGNED in event["why"]
    assert "score" not in event
    if not traced.run.sees("via"):
        assert event["predicted"] == "via"


def test_assigned_to_connected(traced):
    """A socket that has another port, and another peer."""
    if SK_ASSIGN not in traced.assigned.ports:
        pytest.skip("no tc")
    (event,) = traced.at(TO_CONNECTED)
    assert judge.pick(event, ("outcome", "via", "sock_lport", "sock_rport",
                              "verdict")) == (
        "connected", "assigned", FAR, 9, "explained")
    assert ASSIGNED in event["why"]
    assert event.get("predicted") == (
        None if traced.run.sees("via") else "via")


def test_sk_lookup(traced):
    """A program gives one port's datagrams to another's socket, and says that
    another one has none."""
    (event,) = traced.at(REDIRECTED)
    assert judge.pick(event, ("outcome", "sock_laddr", "sock_lport",
                              "verdict")) == (
        "unconnected", "127.0.0.1", OTHER, "explained")
    assert REDIRECTS % traced.chosen.program.id in event["why"]
    assert event["sk_lookup"] == traced.chosen.program.id
    check_via(traced.run, event, "lookup")
    check_nobody(traced, REFUSED)


def check_nobody(traced, port, family=4):
    (event,) = [x for x in traced.at(port) if x["family"] == family]
    assert judge.pick(event, ("outcome", "sock")) == ("none", None)
    assert event.get("icmp", False) == traced.run.sees("icmp")


def test_program_of_group(traced):
    """It takes the third, or says that nobody has it."""
    events = traced.at(PROGRAM)
    assert [judge.pick(x, ("group_size", "group_index", "group_by"))
            for x in events] == [(4, 2, "bpf")] * 3
    check_nobody(traced, NO_MEMBER)


def test_connected_of_group(traced):
    """The group did not choose the one that its peer found."""
    one, _ = traced.at(PEER)
    assert judge.pick(one, ("outcome", "group_index", "group_by")) == (
        "connected", None, None)


def check_score(traced, port, *wanted):
    assert [judge.pick(x, ("outcome", "score", "score_parts"))
            for x in traced.at(port) if "sock" in x] == [
                ("unconnected", *x) for x in wanted]


def test_families(traced):
    """A socket of IPv4 has more points of IPv4 than one of IPv6; one that is
    IPv6's only has none."""
    check_score(traced, BOTH, (2, "base"), (0, None))
    check_score(traced, ONLY_IPV6, (0, None))
    check_nobody(traced, ONLY_IPV6)


def test_device(traced):
    check_score(traced, DEVICE, *[(6, "base|device")] * 2, (2, "base"))


def test_cpu(traced):
    """The one that asked for this CPU has a point more than the newest."""
    check_score(traced, CPU, *[(3, "base|incoming_cpu")] *
                len(traced.chosen.cpus))


def test_sources(traced):
    """The only one that wants this source; IPv4 knows it before UDP does."""
    for family, via in (4, "early_demux"), (6, "lookup"):
        (event,) = [x for x in traced.at(SOURCES) if x["family"] == family]
        assert judge.pick(event, ("outcome", "copy", "score")) == (
            "multicast", 0, None)
        check_via(traced.run, event, via)
