# SPDX-License-Identifier: GPL-2.0-only
"""UDP: a socket that is connected to a host, whatever its port, and one that was
connected and is no more. The judge is what these had to read, and `ss`."""

import ctypes
import json
import os
import socket
import subprocess

import pytest

import judge
from crowd import rows_of, ss_rows
from datagrams import Sockets, check, check_via
from sight import WITH_CONNECTED_HASH, release
from tracer import TOOL, Run, Trace, command

PORT = 12000
REUSEADDR = socket.SO_REUSEADDR
SHOWN = "outcome", "sock_raddr", "sock_rport", "score_parts"


@pytest.fixture
def sockets(labs):
    made = Sockets(labs.veth())
    with made.stack:
        yield made


def disconnect(sock):
    """With an address of the family AF_UNSPEC."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.connect(sock.fileno(), bytes(16), 16) == 0, os.strerror(
        ctypes.get_errno())


def explained(path):
    """What --explain says of each datagram, in their order."""
    said = subprocess.run([TOOL, "-r", path, "--explain"], check=True,
                          capture_output=True, text=True).stdout
    return [" ".join(x.split()) for x in said.split("A datagram")[1:]]


def check_table(lab):
    """The kernel's own, in JSON and in text."""
    said = subprocess.run(command("sockets", "-u", "-j", "--netns",
                                  str(lab.server.inode)),
                          check=True, capture_output=True, text=True).stdout
    rows = rows_of(Run([json.loads(x) for x in said.splitlines()]
                       ).sockets, lab.server)
    assert set(rows) == set(ss_rows(lab.server, "udp"))
    return subprocess.run(command("sockets", "-u", "--netns",
                                  str(lab.server.inode)),
                          check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("version", [4, 6])
def test_host(sockets, version, tmp_path):
    """Connected to port 0, which is any."""
    lab = sockets.lab
    addr, peer = lab.server_addr[version], lab.client_addr[version]
    for name in "one's", "all's":
        sockets.server(name, addr, PORT, [REUSEADDR])
    own = sockets.make(lab.server, addr, 0)
    path = str(tmp_path / "trace")
    with Trace(lab.namespaces, "-u", "-w", path) as run:
        sockets.servers["one's"].connect((peer, 0))
        got = []
        for _ in range(2):
            sockets.send(sockets.client(version), b"x")
            got += sockets.take("one's")
        sockets.send(own, b"x", addr)
        got += sockets.take("all's")
        text = check_table(lab)
    there = f"[{peer}]:*" if version == 6 else f"{peer}:*"
    assert there in text
    check(run, sockets, got)
    (connect,) = run.connects
    assert judge.pick(connect, ("raddr", "rport")) == (peer, 0)
    *ones, other = run.datagrams
    parts = "base|raddr" if version == 4 else "raddr"
    for event in ones:
        *shown, points = judge.pick(event, SHOWN)
        assert shown == ["connected", peer, 0]
        # The kernel notes the CPU where it had the last one.
        assert (points or "").replace("|incoming_cpu", "") == (
            parts if run.sees("via") else "")
        check_via(run, event, "lookup")
    assert other["outcome"] == "unconnected"
    for said in explained(path)[:2]:
        assert (f"is connected to any port of {peer}, and takes no other's."
                in said)


def test_disconnected(sockets, tmp_path):
    """An IPv6 socket keeps its peer's address, and takes no other's."""
    lab = sockets.lab
    addr, peer = lab.server_addr[6], lab.client_addr[6]
    for name in "one's", "all's":
        sockets.server(name, addr, PORT, [REUSEADDR])
    own = sockets.make(lab.server, addr, 0)
    one = sockets.servers["one's"]
    one.connect((peer, 9))
    path = str(tmp_path / "trace")
    with Trace(lab.namespaces, "-u", "-w", path) as run:
        disconnect(one)
        sockets.send(sockets.client(6), b"x")
        got = sockets.take("one's")
        sockets.send(own, b"x", addr)
        got += sockets.take("all's")
        check_table(lab)
    check(run, sockets, got)
    assert not run.connects
    assert [judge.pick(x, SHOWN) for x in run.datagrams] == [
        ("unconnected", peer, 0, "raddr"), ("unconnected", "::", 0, None)]
    said = explained(path)[0]
    assert (f"has [{addr}]:{PORT} and the remote address {peer}, and is not "
            "connected." in said)


@pytest.mark.parametrize("version", [4, 6])
def test_peer_of_two(labs, version, tmp_path):
    """Both are connected to it. Where connected ones have a table of their own the
    newer has it, and points are not asked; else the one with a device."""
    lab = labs.loopback()
    sockets = Sockets(lab)
    path = str(tmp_path / "trace")
    with sockets.stack:
        peer = sockets.client(version)
        device = socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo"
        for name, options in ("older", [REUSEADDR, device]), ("newer",
                                                              [REUSEADDR]):
            sockets.server(name, lab.server_addr[version], PORT, options)
            sockets.servers[name].connect(peer.getsockname())
        is_scored = release() < WITH_CONNECTED_HASH
        with Trace(lab.namespaces, "-u", "-w", path) as run:
            sockets.send(peer, b"x")
            got = sockets.take("older" if is_scored else "newer")
        check(run, sockets, got)
        (event,) = run.datagrams
        check_via(run, event, "lookup")
        is_told = is_scored and run.sees("via")
        assert judge.pick(event, ("score",)) == (
            ((14 if version == 4 else 3) if is_told else None),)
        (said,) = explained(path)
        assert ("a score above" in said) == is_told
