# SPDX-License-Identifier: GPL-2.0-only
"""UDP sockets that are bound to a device: the judge is which of them had the
datagram to read."""

import socket
import time

import pytest

from lab import add_vrf
from tracer import Trace

PORTS = {"vrf0": 12000, "eth0": 12001}
ANY = {4: "0.0.0.0", 6: "::"}


def server(namespace, device, version):
    made = namespace.socket(
        socket.AF_INET if version == 4 else socket.AF_INET6,
        socket.SOCK_DGRAM)
    made.settimeout(20)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if version == 6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                    device.encode())
    made.bind((ANY[version], PORTS[device]))
    return made


def wait_for_wire(client, made, to):
    """Until what is sent arrives, and nothing is under way."""
    made.settimeout(0.2)
    for number in range(100):
        data = b"%d" % number
        try:
            client.sendto(data, to)
            while made.recv(9) != data:
                pass
            break
        except OSError:
            time.sleep(0.1)  # no route, or it was lost
    else:
        raise AssertionError(f"nothing gets to {to}")
    made.settimeout(20)


def test_vrf(labs):
    """What comes in by a member of a VRF is the VRF's and the member's."""
    lab = labs.veth()
    if not add_vrf(lab.server):
        pytest.skip("this kernel has no VRFs")
    cases = [(x, y) for x in PORTS for y in ANY]
    servers = [server(lab.server, *x) for x in cases]
    clients = {x: lab.client.socket(y, socket.SOCK_DGRAM) for x, y in
               ((4, socket.AF_INET), (6, socket.AF_INET6))}
    for made, (device, version) in zip(servers, cases):
        wait_for_wire(clients[version], made,
                      (lab.server_addr[version], PORTS[device]))
    with Trace(lab.namespaces, "-u") as run:
        for made, (device, version) in zip(servers, cases):
            clients[version].sendto(
                b"x", (lab.server_addr[version], PORTS[device]))
            assert made.recv(9) == b"x"
    for made in *servers, *clients.values():
        made.close()
    assert run.summary["verdict"] == "proved"
    vrf, member = lab.server.index("vrf0"), lab.server.index("eth0")
    for (device, version), event in zip(cases, run.datagrams, strict=True):
        assert (event["family"], event["lport"]) == (version, PORTS[device])
        assert event["outcome"] == "unconnected"
        if run.sees("member"):
            assert (event["ifindex"], event["sdif"]) == (vrf, member)
            assert event["verdict"] == "proved"
        elif device == "eth0":
            assert event["verdict"] == "explained"
            assert event["why"].endswith("was not seen")
