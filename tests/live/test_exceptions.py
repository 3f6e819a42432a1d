# SPDX-License-Identifier: GPL-2.0-only
"""What breaks the plain rules and yet is right: each made to happen. The judge
of who got a connection is the listener that the test finds it at; the verdict
must name the exception, and stay `proved` where there is none.

Listeners that close in mid-handshake, and MPTCP: test_corners.py; TIME_WAIT that
is reopened: test_details.py."""

import contextlib
import ctypes
import shutil
import socket
import struct
import subprocess

import pytest

import bpf
import judge
import peers
from lab import add_vrf, ip
from peers import listen_at
from stage import netstat
from tracer import Trace, wait_until

ASKED, REFUSED, OTHER = 12200, 12201, 12202
IP_TRANSPARENT, SO_ATTACH_REUSEPORT_CBPF = 19, 51


def visit(client_namespace, addr, listener, port=ASKED):
    """One connection, which @listener gets; the client closes first."""
    with client_namespace.socket(socket.AF_INET) as client:
        client.settimeout(20)
        client.connect((addr, port))
        conn, _ = listener.accept()
        conn.settimeout(20)
        peers.talk(client, conn)
        peers.hang_up(client, conn)


def is_refused(namespace, addr, port):
    with namespace.socket(socket.AF_INET) as client:
        client.settimeout(20)
        return client.connect_ex((addr, port)) != 0


def to(run, lab_or_namespace, port):
    """Those that a server on @port would have had."""
    return [x for x in run.segments if x["lport"] == port and
            x["netns"] == lab_or_namespace.inode]


def check(run):
    judge.check_accounting(run)
    judge.check_proved(run)


def check_only(segments, why):
    """The SYNs among them are explained so, and what follows is proved; but
    where a request is predicted, its listener is what was seen."""
    assert segments
    for segment in segments:
        if segment["flags"] == "SYN":
            assert segment["verdict"] == "explained", segment
            assert why in segment["why"]
        elif segment["outcome"] == "request" and "predicted" in segment:
            assert segment["verdict"] == "explained", segment
            assert segment["why"].startswith("the request's listener has "
                                             "another address or port")
        else:
            judge.check_verdict(segment)


def test_sk_lookup(labs):
    """A program gives one port's clients to another's listener, and says that
    a third one has none."""
    lab = labs.veth()
    addr = lab.server_addr[4]
    with listen_at(lab.server, "127.0.0.1", OTHER) as other, \
            listen_at(lab.server, "0.0.0.0", REFUSED), \
            bpf.SkLookup(lab.server, ASKED, other, REFUSED) as program:
        with Trace(lab.namespaces) as run:
            visit(lab.client, addr, other)
            assert is_refused(lab.client, addr, REFUSED)
    check(run)
    check_only(to(run, lab.server, ASKED), "I2: the listener has another "
               f"address or port: the BPF program (sk_lookup, id {program.id})")
    first = to(run, lab.server, ASKED)[0]
    assert judge.pick(first, ("outcome", "sock_laddr", "sock_lport",
                              "sk_lookup")) == ("listener", "127.0.0.1", OTHER,
                                                program.id)
    (none,) = to(run, lab.server, REFUSED)
    if run.sees("none"):
        assert none["outcome"] == "none"
        assert none["verdict"] == "explained"
        assert f"(sk_lookup, id {program.id})" in none["why"]


def test_sk_lookups(labs):
    """Of two programs the second chooses; which one did, the tool does not see,
    and does not claim."""
    lab = labs.veth()
    with listen_at(lab.server, "127.0.0.1", OTHER) as other, \
            bpf.SkLookup(lab.server, 1, other, 2) as first, \
            bpf.SkLookup(lab.server, ASKED, other, REFUSED):
        with Trace(lab.namespaces) as run:
            visit(lab.client, lab.server_addr[4], other)
    check(run)
    check_only(to(run, lab.server, ASKED), "address or port: one of the BPF "
               f"programs (sk_lookup, the first: id {first.id}) that are asked")


def test_sk_lookup_elsewhere(labs):
    """A program gives what comes in to sockets of another network namespace."""
    lab, elsewhere = labs.veth(), labs.namespace()
    addr = lab.server_addr[4]
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        listener = enter(listen_at(elsewhere, "0.0.0.0", ASKED))
        receiver = enter(elsewhere.socket(socket.AF_INET, socket.SOCK_DGRAM))
        receiver.settimeout(20)
        receiver.bind(("0.0.0.0", OTHER))
        program = enter(bpf.SkLookup(lab.server, ASKED, listener, REFUSED))
        enter(bpf.SkLookup(lab.server, OTHER, receiver, REFUSED))
        run = enter(Trace(lab.namespaces, "-tu"))
        client = enter(lab.client.socket(socket.AF_INET))
        client.setblocking(False)
        client.connect_ex((addr, ASKED))
        # It has no route for the answer, and so drops the SYN.
        wait_until(lambda: netstat(elsewhere, "ListenDrops"), "the SYN")
        client.close()
        sender = enter(lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sender.sendto(b"x", (addr, OTHER))
        assert receiver.recv(2) == b"x"
    judge.check_accounting(run)
    assert run.summary["verdict"] == "proved"
    (syn,) = to(run, lab.server, ASKED)
    (datagram,) = run.datagrams
    assert datagram["netns"] == lab.server.inode
    assert (syn["outcome"], datagram["outcome"]) == ("listener", "unconnected")
    for event in syn, datagram:
        assert event["verdict"] == "explained"
        assert "is in another network namespace" in event["why"]
        assert f"(sk_lookup, the first: id {program.id})" in event["why"]
        assert event["sk_lookup"] == program.id


def check_assigned(run, segments, by):
    check_only(segments, "assigned the socket to the segment before TCP saw")
    first = segments[0]
    assert first["via"] == "assigned"
    assert judge.pick(first, ("outcome", "sock_laddr", "sock_lport")) == (
        "listener", "127.0.0.1", OTHER)
    if run.sees("via"):
        assert first["assigned_by"] == by


def predict_via(run):
    """`stable` concludes it from a lookup that does not find the listener."""
    if run.sees("via"):
        return
    for segment in run.segments:
        if segment.get("via") == "assigned":
            assert segment.pop("predicted") == "via"


def test_sk_assign(labs):
    """A program in tc gives a SYN to a listener of its choice, though there is one
    that would have it."""
    lab = labs.veth()
    if not shutil.which("tc"):
        pytest.skip("no tc")
    subprocess.run(["tc", "-n", lab.server.name, "qdisc", "add", "dev", "eth0",
                    "clsact"], check=True)
    with listen_at(lab.server, "127.0.0.1", OTHER) as other, \
            listen_at(lab.server, "0.0.0.0", ASKED), \
            bpf.SkAssign(lab.server, "eth0", ASKED, other):
        with Trace(lab.namespaces) as run:
            visit(lab.client, lab.server_addr[4], other)
    predict_via(run)
    check(run)
    check_assigned(run, to(run, lab.server, ASKED), "bpf_sk_assign")


TPROXY = """table ip test {
    chain before {
        type filter hook prerouting priority mangle;
        tcp dport %d tproxy to 127.0.0.1:%d meta mark set 1
    }
}"""


def test_tproxy(labs):
    lab = labs.veth()
    if not shutil.which("nft"):
        pytest.skip("no nft")
    subprocess.run(["ip", "netns", "exec", lab.server.name, "nft", "-f", "-"],
                   input=TPROXY % (ASKED, OTHER), text=True, check=True)
    ip("-n", lab.server.name, "-batch", "-", batch=(
        "rule add fwmark 1 lookup 100\n"
        "route add local 0.0.0.0/0 dev lo table 100\n"))
    option = socket.IPPROTO_IP, IP_TRANSPARENT, 1
    with listen_at(lab.server, "127.0.0.1", OTHER, options=[option]) as other:
        with Trace(lab.namespaces) as run:
            visit(lab.client, lab.server_addr[4], other)
    predict_via(run)
    check(run)
    check_assigned(run, to(run, lab.server, ASKED), "tproxy")


def test_bound_to_a_device(labs):
    """It wins over one that is not, and alone on its port has nothing of what
    came in elsewhere."""
    lab = labs.veth()
    addr = lab.server_addr[4]
    option = socket.SOL_SOCKET, socket.SO_REUSEPORT, 1
    with Trace(lab.namespaces) as run:
        with listen_at(lab.server, "0.0.0.0", ASKED,
                       options=[option]) as unbound, \
                listen_at(lab.server, "0.0.0.0", ASKED, "eth0",
                          [option]) as bound, \
                listen_at(lab.server, "0.0.0.0", OTHER, "eth0"):
            visit(lab.client, addr, bound)
            visit(lab.server, "127.0.0.1", unbound)
            assert is_refused(lab.server, "127.0.0.1", OTHER)
    check(run)
    for segment in to(run, lab.server, ASKED):
        judge.check_verdict(segment)
    none = to(run, lab.server, OTHER)[0]
    if run.sees("none"):
        assert judge.pick(none, ("outcome", "verdict")) == ("none", "proved")


def test_reuseport_program(labs):
    """The group's program takes the third, whatever the hash."""
    lab = labs.veth()
    option = socket.SOL_SOCKET, socket.SO_REUSEPORT, 1
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 2))
    with contextlib.ExitStack() as stack:
        run = stack.enter_context(Trace(lab.namespaces))
        group = [stack.enter_context(listen_at(lab.server, "0.0.0.0", ASKED,
                                               options=[option]))
                 for _ in range(4)]
        group[0].setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
                            struct.pack("HL", 1, ctypes.addressof(code)))
        for _ in range(3):
            visit(lab.client, lab.server_addr[4], group[2])
    check(run)
    chosen = {x["sock"] for x in to(run, lab.server, ASKED)
              if x["outcome"] == "listener"}
    assert chosen == {run.listens[2]["sock"]}
    for segment in run.segments:
        judge.check_verdict(segment)


def test_group_of_devices(labs):
    """A group does not ask for the device: its program's choice gets the SYN,
    though it was bound to another device after listen(), and cannot answer."""
    lab = labs.veth()
    option = socket.SOL_SOCKET, socket.SO_REUSEPORT, 1
    addr = lab.server_addr[4]
    with Trace(lab.namespaces, "--detail") as run:
        with listen_at(lab.server, addr, ASKED, options=[option]) as bound, \
                listen_at(lab.server, addr, ASKED, options=[option]), \
                lab.client.socket(socket.AF_INET) as client:
            bpf.choose_member(bound, 0)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
            before = lab.server.tcp("InSegs")
            client.setblocking(False)
            client.connect_ex((addr, ASKED))
            wait_until(lambda: lab.server.tcp("InSegs") > before, "the SYN")
    judge.check_accounting(run)
    syn = to(run, lab.server, ASKED)[0]
    assert syn["sock"] == run.listens[0]["sock"]
    assert judge.pick(syn, ("outcome", "verdict", "candidates", "won_by")) == (
        "listener", "explained", 1, "reuseport")
    assert "SO_REUSEPORT" in syn["why"]
    assert run.summary["unexplained"] == 0


@pytest.mark.parametrize("options", [[], ["--detail"]], ids=["", "detail"])
def test_is_not_to_have_it(labs, options):
    """Two that a port and an address alone would say have the SYN: one that was
    bound to a device since, which the kernel's table alone tells, and one whose
    group's program says no."""
    lab = labs.veth()
    option = socket.SOL_SOCKET, socket.SO_REUSEPORT, 1
    with listen_at(lab.server, "0.0.0.0", REFUSED, options=[option]) as member:
        # Before the tool's memory fills what 5.10 lets root's programs have.
        bpf.choose_nobody(member)
        with Trace(lab.namespaces, *options) as run:
            with listen_at(lab.server, "0.0.0.0", ASKED) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                                    b"eth0")
                assert is_refused(lab.server, "127.0.0.1", ASKED)
                assert is_refused(lab.client, lab.server_addr[4], REFUSED)
    check(run)
    elsewhere, refused = (to(run, lab.server, port)[0]
                          for port in (ASKED, REFUSED))
    if not run.sees("none"):
        return
    assert judge.pick(elsewhere, ("outcome", "verdict")) == ("none", "proved")
    assert judge.pick(refused, ("outcome", "verdict")) == ("none", "explained")
    assert "SO_REUSEPORT" in refused["why"]
    if options:
        assert [x["candidates"] for x in (elsewhere, refused)] == [0, 1]


def test_v4_at_v6_listener(labs):
    lab = labs.veth()
    with Trace(lab.namespaces) as run:
        with listen_at(lab.server, "::", ASKED) as listener:
            visit(lab.client, lab.server_addr[4], listener)
    check(run)
    for segment in to(run, lab.server, ASKED):
        judge.check_verdict(segment)
        if "sock" in segment and segment["outcome"] != "listener":
            assert segment["mapped"]


def test_vrf(labs):
    """A member of a VRF: bound to the VRF, to the member, to none."""
    lab = labs.veth()
    addr = lab.server_addr[4]
    if not add_vrf(lab.server):
        pytest.skip("this kernel has no VRFs")
    with Trace(lab.namespaces) as run:
        with listen_at(lab.server, "0.0.0.0", ASKED, "vrf0") as first, \
                listen_at(lab.server, "0.0.0.0", OTHER, "eth0") as second, \
                listen_at(lab.server, "0.0.0.0", REFUSED):
            visit(lab.client, addr, first)
            visit(lab.client, addr, second, OTHER)
            assert is_refused(lab.client, addr, REFUSED)
    check(run)
    vrf, member = lab.server.index("vrf0"), lab.server.index("eth0")
    for segment in to(run, lab.server, ASKED):
        judge.check_verdict(segment)
    for segment in to(run, lab.server, OTHER):
        judge.check_verdict(segment)
    (none,) = to(run, lab.server, REFUSED)
    if run.sees("none"):
        assert judge.pick(none, ("outcome", "ifindex", "sdif", "verdict")) == (
            "none", vrf, member, "proved")
