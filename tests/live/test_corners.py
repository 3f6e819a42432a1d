# SPDX-License-Identifier: GPL-2.0-only
"""Where the obvious reading of the hooks is wrong."""

import socket
import subprocess

import pytest

import judge
import peers
from lab import ip
from tracer import Trace, wait_until

IPPROTO_MPTCP, IPV6_ADDRFORM = 262, 1
PORT = 12100


def test_mapped_wildcard(labs):
    """::ffff:0.0.0.0 is any IPv4 address."""
    lab = labs.loopback()
    with Trace(lab.namespaces) as run:
        with peers.listen_at(lab.server, "::ffff:0.0.0.0", PORT) as listener:
            client = peers.connect(lab, port=PORT)
            conn, _ = peers.accept(listener, lab.server)
            peers.talk(client, conn)
            peers.hang_up(client, conn)
    judge.check_proved(run)
    judge.check_accounting(run)


def test_changes_family(labs):
    """A socket of IPv6 that has an IPv4 peer becomes one of IPv4."""
    lab = labs.veth()
    with Trace(lab.namespaces) as run:
        with peers.listen(lab, peers.MAPPED) as listener:
            client = peers.connect(lab, peers.MAPPED)
            conn, _ = peers.accept(listener, lab.server)
            peers.talk(client, conn)
            conn.setsockopt(socket.IPPROTO_IPV6, IPV6_ADDRFORM,
                            socket.AF_INET)
            peers.talk(client, conn)
            peers.hang_up(client, conn)
    judge.check_proved(run)
    judge.check_accounting(run)
    (accept,) = run.accepts
    here = [x for x in run.segments if x["lport"] == peers.MAPPED.port]
    assert {x["sock"] for x in here if x["outcome"] == "established"} == {
        accept["sock"]}
    assert {x.get("mapped", False) for x in here
            if x.get("sock") == accept["sock"]} == {True, False}
    assert accept["sock"] in [x["sock"] for x in run.closes]
    (port,) = [x for x in run.summary["ports"]
               if x["port"] == peers.MAPPED.port]
    assert port["sockets"] == port["remote_endpoints"] == 1


def test_own_link_local_address(labs):
    """It is looped back, but its sockets are bound to its device."""
    lab = labs.veth()

    def addr():
        shown = subprocess.run(
            ["ip", "-n", lab.server.name, "-6", "addr", "show", "dev", "eth0",
             "scope", "link", "-tentative"], capture_output=True, text=True,
            check=True).stdout
        return [x for x in shown.split() if x.startswith("fe80")]

    wait_until(addr, "a link-local address")
    with lab.server.inside():
        scope = socket.if_nametoindex("eth0")
    there = (addr()[0].split("/")[0], PORT, 0, scope)
    with Trace(lab.namespaces) as run:
        with lab.server.socket(socket.AF_INET6) as listener, \
                lab.server.socket(socket.AF_INET6) as client:
            listener.bind(there)
            listener.listen(4)
            client.connect(there)
            conn, _ = listener.accept()
            peers.talk(client, conn)
            peers.hang_up(client, conn)
    judge.check_proved(run)
    judge.check_accounting(run)
    (request,) = [x for x in run.segments if "child" in x]
    if run.sees("looped request"):
        assert request["outcome"] == "request"
    else:
        assert judge.pick(request, ("outcome", "detail", "predicted")) == (
            "listener", "child", "outcome")
    for segment in run.segments:
        if segment["outcome"] == "time_wait" and not run.sees("time_wait"):
            judge.check_verdict(segment)
            continue
        assert segment["verdict"] == "proved"


def test_listener_gone_in_mid_handshake(labs):
    """Early demux brings a request, whose listener has closed: the kernel drops
    it, looks the segment up again and finds the other listener."""
    lab = labs.veth()
    options = [(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
               (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)]
    with Trace(lab.namespaces) as run:
        gone, stays = [peers.listen_at(lab.server, "0.0.0.0", PORT,
                                       options=options)
                       for _ in range(2)]
        clients = [peers.connect(lab, port=PORT) for _ in range(24)]
        gone.close()
        for client in clients:
            client.sendall(b"x")
        served = []
        stays.settimeout(1)
        with pytest.raises(socket.timeout):
            while True:
                served.append(stays.accept()[0])
        for sock in [*clients, *served, stays]:
            sock.close()
    judge.check_accounting(run)
    judge.check_proved(run)
    last = run.listens[1]["sock"]
    late = [x for x in run.segments if x["lport"] == PORT and x["len"]]
    orphans = [x for x in late if x.get("outcome") == "listener"]
    assert orphans and len(orphans) == len(clients) - len(served)
    for segment in orphans:
        assert segment["sock"] == last
        assert segment["sock_state"] == "LISTEN"
        assert segment["reset"]
        judge.check_via(run.sees, segment, ("lookup",))


@pytest.mark.parametrize("client_too", [False, True], ids=["server", "both"])
def test_mptcp_accepts(labs, client_too):
    """The descriptor is not the subflow's, but the accept must not be lost."""
    lab = labs.loopback()
    kind = socket.AF_INET, socket.SOCK_STREAM
    try:
        listener = lab.server.socket(*kind, IPPROTO_MPTCP)
    except OSError as error:
        pytest.skip(f"this kernel has no MPTCP: {error}")
    count = 10
    with Trace(lab.namespaces) as run, listener:
        listener.bind(("127.0.0.1", PORT))
        listener.listen(count)
        for _ in range(count):
            client = lab.client.socket(*kind,
                                       IPPROTO_MPTCP if client_too else 0)
            client.connect(("127.0.0.1", PORT))
            conn, _ = listener.accept()
            peers.reset(conn)
            client.close()
    judge.check_accounting(run)
    judge.check_proved(run)
    is_seen = not client_too or run.sees("mptcp")
    assert len(run.accepts) == (count if is_seen else 0)
    assert run.summary["accepted"] == len(run.accepts)


def mptcp_joins(namespace):
    """How many subflows have joined a connection there."""
    with namespace.inside(), open("/proc/thread-self/net/netstat") as table:
        names, values = [x.split() for x in table if x.startswith("MPTcpExt:")]
    return int(values[names.index("MPJoinAckRx")])


def test_mptcp_join(labs):
    """A second subflow is no connection to be accepted; the kernel ends its
    request in another way, as if the listener had closed."""
    lab = labs.veth()
    try:
        for name in lab.server.name, lab.client.name:
            ip("-n", name, "mptcp", "limits", "set", "subflow", "2")
        ip("-n", lab.client.name, "addr", "add", "10.77.0.3/24", "dev", "eth0")
        ip("-n", lab.client.name, "mptcp", "endpoint", "add", "10.77.0.3",
           "dev", "eth0", "subflow")
    except subprocess.CalledProcessError:
        pytest.skip("no MPTCP endpoints, of this kernel or of ip")
    kind = socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP
    with Trace(lab.namespaces) as run, lab.server.socket(*kind) as listener, \
            lab.client.socket(*kind) as client:
        listener.bind((lab.server_addr[4], PORT))
        listener.listen(4)
        client.connect((lab.server_addr[4], PORT))
        conn, _ = listener.accept()
        peers.talk(client, conn)
        wait_until(lambda: mptcp_joins(lab.server), "the second subflow")
        conn.close()
    judge.check_accounting(run)
    judge.check_proved(run)
    births = [x for x in run.segments if "child" in x]
    assert [judge.pick(x, ("raddr", "outcome", "detail")) for x in births] == [
        (x, "request", "child") for x in ("10.77.0.2", "10.77.0.3")]
    assert {x["raddr"] for x in run.accepts} == (
        {"10.77.0.2"} if run.sees("mptcp") else set())
