# SPDX-License-Identifier: GPL-2.0-only
"""What TCP does not take, though it comes to its receive function: frames that the
link layer did not send to this host alone, and SYNs to an address of many; and what
UDP does not answer. The kernel's counters are the judges."""

import contextlib
import socket

import pytest

import judge
import wire
from peers import listen_at
from stage import ENDS, netstat
from tracer import Trace, wait_until

PORT, CLOSED = 12900, 12999
BROADCAST, MULTICAST = "10.79.0.255", "ff02::1"
ALL_ONES = b"\xff" * 6
ETH_P = {4: 0x0800, 6: 0x86DD}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


@contextlib.contextmanager
def sender_to_all(lab):
    """Yields a function that sends a packet from the client in a frame for all."""
    with lab.client.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((lab.device, 0))

        def send(packet):
            version = packet[0] >> 4
            if version == 4:
                packet = packet[:10] + wire.checksum(packet[:20]).to_bytes(
                    2, "big") + packet[12:]
            raw.send(ALL_ONES + bytes(6) + ETH_P[version].to_bytes(2, "big") +
                     packet)
        yield send


@pytest.mark.parametrize("version", [4, 6])
def test_frame_for_all(labs, version):
    """A segment for this host in a frame for all: IP takes it, TCP does not, nor
    counts it. So it is in none of the tool's counts but that for such frames."""
    lab = labs.veth()
    ends = (lab.client_addr[version], 50001), (lab.server_addr[version], PORT)
    with listen_at(lab.server, lab.server_addr[version], PORT) as listener, \
            sender_to_all(lab) as send, Trace(lab.namespaces) as run:
        # What comes after it is taken.
        for _ in range(3):
            send(wire.segment(*ends, "SYN"))
        with lab.client.inside():
            client = socket.create_connection(ends[1], 20)
        conn, _ = listener.accept()
        client.close()
        conn.close()
    judge.check_accounting(run)
    judge.check_proved(run)
    assert run.summary["not_host"] == 3
    assert 50001 not in {x["rport"] for x in run.segments}


def unreachables(namespace, version):
    """How many of these it has sent."""
    if version == 4:
        return namespace.snmp("Icmp", "OutDestUnreachs")
    with namespace.inside(), open("/proc/thread-self/net/snmp6") as table:
        counts = dict(x.split() for x in table)
    return int(counts["Icmp6OutDestUnreachs"])


@pytest.mark.parametrize("version", [4, 6])
def test_datagram_for_all(labs, version):
    """UDP takes it; but where nobody has it, the sender is not told."""
    lab = labs.veth()
    here, there = lab.server_addr[version], lab.client_addr[version]
    with lab.server.socket(FAMILY[version], socket.SOCK_DGRAM) as server, \
            sender_to_all(lab) as send, Trace(lab.namespaces, "-u") as run:
        server.settimeout(20)
        server.bind((here, PORT))
        before = unreachables(lab.server, version)
        for port in CLOSED, PORT:
            send(wire.datagram((there, 50001), (here, port), b"x"))
        assert server.recv(9) == b"x"
        assert unreachables(lab.server, version) == before
    assert run.summary["verdict"] == "proved"
    assert [judge.pick(x, ("lport", "outcome", "icmp")) for x in run.datagrams
            if x["rport"] == 50001] == [(CLOSED, "none", None),
                                        (PORT, "unconnected", None)]


@pytest.mark.parametrize("version, addr", [(4, BROADCAST), (6, MULTICAST)])
def test_syn_to_many(stage, version, addr):
    """A listener on any address gets it, and drops it without an answer."""
    _, there = ENDS[version]
    any_addr = {4: "0.0.0.0", 6: "::"}[version]
    stage.here.sysctl("icmp_echo_ignore_broadcasts", 1)
    before = netstat(stage.here, "ListenDrops")
    with listen_at(stage.here, any_addr, PORT) as listener:
        with Trace([stage.here]) as run:
            for source, port in (1, PORT), (2, CLOSED):
                stage.tun.write(wire.segment((there, source), (addr, port),
                                             "SYN"))
            wait_until(lambda: netstat(stage.here, "ListenDrops") > before,
                       "the drop")
            assert not [x for x in stage.tun.replies() if x[2] in (1, 2)]
        (number,) = judge.numbers(run, [listener])
    judge.check_accounting(run)
    judge.check_proved(run)
    syn, nobodys = [x for x in run.segments if x["laddr"] == addr]
    assert judge.pick(syn, ("outcome", "detail")) == run.sees.detail(
        "listener", "syn_dropped")
    assert (syn["sock"], syn["verdict"]) == (number, "proved")
    # The kernel begins to make a reset, and then asks what address it was for.
    assert "reset" not in nobodys
    assert judge.pick(nobodys, ("outcome", "detail")) == (
        "none", "silent" if run.sees("reset") else None)
