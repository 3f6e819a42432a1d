# SPDX-License-Identifier: GPL-2.0-only
"""Sockets that are bound to another device once they are there. Who gets what,
the test's own sockets tell; no segment and no datagram is unexplained, though
the lookup passes by sockets that it gave others of their kind before."""

import errno
import select
import socket
import struct

import pytest

import judge
import peers
from tracer import Trace

OPEN, OTHER = 12700, 12701
SO_BINDTOIFINDEX = 62


def to_name(sock, namespace, device):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())


def to_index(sock, namespace, device):
    sock.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX,
                    namespace.index(device) if device else 0)


@pytest.fixture(params=[to_name, to_index], ids=["name", "index"])
def rebind(request):
    return request.param


def devices(run, port, proto):
    """What the device events of that port say, in their order."""
    return [x["sock_ifindex"] for x in run.devices
            if (x["lport"], x["proto"]) == (port, proto)]


def is_refused(lab):
    with lab.client.socket() as client:
        client.settimeout(20)
        return client.connect_ex(
            (lab.server_addr[4], OPEN)) == errno.ECONNREFUSED


def test_listener(labs, rebind):
    lab = labs.veth()
    server = lab.server
    with Trace(lab.namespaces) as run:
        with peers.listen(lab, port=OPEN) as listener:
            peers.visit(lab, listener, port=OPEN)
            rebind(listener, server, "lo")
            assert is_refused(lab)
            rebind(listener, server, "eth0")
            peers.visit(lab, listener, port=OPEN)
            rebind(listener, server, "lo")
            rebind(listener, server, "")
            peers.visit(lab, listener, port=OPEN)
    judge.check_accounting(run)
    judge.check_proved(run)
    assert devices(run, OPEN, "tcp") == [
        server.index("lo"), server.index("eth0"), server.index("lo"), 0]
    (nobody,) = [x for x in run.segments if x["lport"] == OPEN and
                 x.get("outcome", "none") == "none"]
    assert nobody["flags"] == "SYN"
    assert nobody["verdict"] == ("proved" if run.sees("none") else "explained")
    for event in run.devices:
        assert event["sock"] == run.listens[0]["sock"]


def test_connection(labs, rebind):
    """What it does not get any more, the listener answers with a reset."""
    lab = labs.veth()
    with Trace(lab.namespaces) as run:
        with peers.listen(lab, port=OPEN) as listener, \
                peers.connect(lab, port=OPEN) as client:
            conn, _ = peers.accept(listener, lab.server)
            peers.talk(client, conn)
            rebind(conn, lab.server, "eth0")
            peers.talk(client, conn)
            rebind(conn, lab.server, "lo")
            client.send(b"lost")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            assert not select.select([conn], [], [], 0)[0]
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            conn.close()
    judge.check_accounting(run)
    judge.check_proved(run)
    (event, last) = run.devices
    assert event["sock"] == last["sock"] == run.accepts[0]["sock"]
    assert devices(run, OPEN, "tcp") == [lab.server.index("eth0"),
                                         lab.server.index("lo")]
    (lost,) = [x for x in run.segments if x["lport"] == OPEN and
               x["mono_ns"] > last["mono_ns"]]
    assert judge.pick(lost, ("outcome", "sock", "len", "verdict")) == (
        "listener", run.listens[0]["sock"], 4, "proved")


def test_datagrams(labs, rebind, make_sockets):
    lab = labs.veth()
    sockets = make_sockets(lab)
    with Trace(lab.namespaces, "-u") as run:
        server = sockets.make(lab.server, "0.0.0.0", OPEN)
        other = sockets.make(lab.server, "0.0.0.0", OTHER)
        client = sockets.make(lab.client, lab.client_addr[4], 0)
        for number, device in enumerate(("", "lo", "eth0", "lo")):
            rebind(server, lab.server, device)
            client.sendto(b"%d" % number, (lab.server_addr[4], OPEN))
            # What came before this has been dealt with.
            client.sendto(b"done", (lab.server_addr[4], OTHER))
            assert other.recv(9) == b"done"
    assert [server.recv(9) for _ in range(2)] == [b"0", b"2"]
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        server.recv(9)
    assert run.summary["verdict"] == "proved"
    assert not run.summary["unexplained"]
    assert devices(run, OPEN, "udp") == [
        0, *map(lab.server.index, ("lo", "eth0", "lo"))]
    assert [x["outcome"] for x in run.datagrams if x["lport"] == OPEN] == [
        "unconnected", "none", "unconnected", "none"]


@pytest.mark.parametrize("asked", ["-t", "-u", "-tu"])
def test_asked_for(labs, make_sockets, asked):
    """One program may serve both: each socket is told once, or not at all."""
    lab = labs.veth()
    with Trace(lab.namespaces, asked) as run:
        with peers.listen(lab, port=OPEN) as listener:
            server = make_sockets(lab).make(lab.server, "0.0.0.0", OPEN)
            for sock in listener, server:
                to_name(sock, lab.server, "lo")
    for proto in "tcp", "udp":
        told = [lab.server.index("lo")] if proto[0] in asked else []
        assert devices(run, OPEN, proto) == told
