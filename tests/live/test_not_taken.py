# SPDX-License-Identifier: GPL-2.0-only
"""What TCP does not take, though it comes to its receive function: frames that the
link layer did not send to this host alone, and SYNs to an address of many. The
kernel's counters are the judges."""

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


def in_receives(namespace):
    return namespace.snmp("Ip", "InReceives")


@pytest.mark.parametrize("version", [4, 6])
def test_frame_for_all(labs, version):
    """A segment for this host in a frame for all: IP takes it, TCP does not, nor
    counts it. So it is in none of the tool's counts but that for such frames."""
    lab = labs.veth()
    ends = (lab.client_addr[version], 50001), (lab.server_addr[version], PORT)
    frame = ALL_ONES + bytes(6) + ETH_P[version].to_bytes(2, "big") + (
        wire.segment(*ends, "SYN"))
    if version == 4:
        header = frame[14:34]
        frame = (frame[:24] + wire.checksum(header).to_bytes(2, "big") +
                 frame[26:])
    with listen_at(lab.server, lab.server_addr[version], PORT) as listener, \
            lab.client.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((lab.device, 0))
        with Trace(lab.namespaces) as run:
            # What comes after it is taken.
            for _ in range(3):
                sender.send(frame)
            with lab.client.inside():
                client = socket.create_connection(ends[1], 20)
            conn, _ = listener.accept()
            client.close()
            conn.close()
    judge.check_accounting(run)
    judge.check_proved(run)
    assert run.summary["not_host"] == 3
    assert 50001 not in {x["rport"] for x in run.segments}


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
