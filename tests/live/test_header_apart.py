# SPDX-License-Identifier: GPL-2.0-only
"""What comes with its transport header outside of the skb's linear part, as a few
drivers give it: here a packet socket's ring, over a veth pair."""

import mmap
import socket
import struct
import subprocess

import pytest

import judge
import wire
from tracer import Trace, wait_until

SOL_PACKET, PACKET_VERSION, PACKET_TX_RING, TPACKET_V2 = 263, 10, 13, 1
SEND_REQUEST, HEADER, FRAME = 1, 32, 2048
PORT, OTHER, SOURCE = 12000, 12001, 5000


def mac(namespace, device):
    shown = subprocess.run(
        ["ip", "-n", namespace.name, "-br", "link", "show", device],
        capture_output=True, text=True, check=True).stdout
    return bytes.fromhex(shown.split()[2].replace(":", ""))


def send_apart(lab, *packets):
    """Up to two packets of IPv4, of which only the link's header is linear."""
    ends = mac(lab.server, lab.device) + mac(lab.client, lab.device)
    with lab.client.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((lab.device, 0))
        sender.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        sender.setsockopt(SOL_PACKET, PACKET_TX_RING,
                          struct.pack("IIII", 2 * FRAME, 1, FRAME, 2))
        with mmap.mmap(sender.fileno(), 2 * FRAME) as ring:
            for place, packet in enumerate(packets):
                check = wire.checksum(packet[:20])
                frame = (ends + b"\x08\x00" + packet[:10] +
                         struct.pack("!H", check) + packet[12:])
                start = place * FRAME + HEADER
                ring[start:start + len(frame)] = frame
                struct.pack_into("III", ring, place * FRAME, SEND_REQUEST,
                                 len(frame), len(frame))
                sender.send(b"")


@pytest.fixture
def lab(labs):
    """Without early demux, which pulls the header up."""
    made = labs.veth()
    made.server.sysctl("ip_early_demux", 0)
    return made


def ends(lab, port):
    return (lab.client_addr[4], SOURCE), (lab.server_addr[4], port)


def check(run, told, skipped):
    """Of two packets, one was asked for: what is not known to be another's is
    not counted as such."""
    summary = run.summary
    if run.sees("header apart"):
        judge.check_proved(run)
        assert len(told) == 1 and told[0]["lport"] == PORT
    else:
        assert not told
        assert summary[skipped] == 2
        assert summary["verdict"] == "not_proved"


def test_segment(lab):
    """Two, but one answer."""
    with lab.server.inside():
        listener = socket.create_server((lab.server_addr[4], PORT))
    with listener, Trace(lab.namespaces, "-P", str(PORT)) as run:
        send_apart(lab, wire.segment(*ends(lab, PORT), "SYN"),
                   wire.segment(*ends(lab, OTHER), "RST"))
    check(run, [x for x in run.segments if x["flags"] == "SYN"], "skipped")


def test_datagram(lab):
    with lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((lab.server_addr[4], PORT))
        sock.settimeout(20)
        with Trace(lab.namespaces, "-u", "-P", str(PORT)) as run:
            before = lab.server.snmp("Udp", "NoPorts")
            send_apart(lab, *(wire.datagram(*ends(lab, x), b"hello")
                              for x in (PORT, OTHER)))
            assert sock.recv(9) == b"hello"
            wait_until(lambda: lab.server.snmp("Udp", "NoPorts") > before,
                       "the other datagram")
    check(run, run.datagrams, "datagrams_skipped")
