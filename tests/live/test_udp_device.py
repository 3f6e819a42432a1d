# SPDX-License-Identifier: GPL-2.0-only
"""UDP sockets that are bound to a device: the judge is which of them had the
datagram to read."""

import contextlib
import os
import socket
import struct
import subprocess
import time

import pytest

from lab import add_vrf, ip
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
        assert (event["ifindex"], event["sdif"]) == (vrf, member)
        assert event["verdict"] == "proved"


GROUP, IP_MULTICAST_ALL = "239.77.1.9", 49


def bridged_host(labs):
    """A host that has two devices on one bridge, and the host of that bridge;
    None where this kernel has no bridges."""
    here, there = labs.namespace(), labs.namespace()
    try:
        ip("-n", there.name, "link", "add", "br0", "type", "bridge",
           "mcast_snooping", "0")
    except subprocess.CalledProcessError:
        return None
    ip("-n", there.name, "-batch", "-", batch=(
        "addr add 10.78.0.2/24 dev br0\nlink set br0 up\n"))
    for number in 0, 1:
        device, port = f"eth{number}", f"port{number}"
        ip("link", "add", device, "netns", here.name, "type", "veth", "peer",
           "name", port, "netns", there.name)
        ip("-n", there.name, "-batch", "-", batch=(
            f"link set {port} master br0\nlink set {port} up\n"))
        ip("-n", here.name, "-batch", "-", batch=(
            f"addr add 10.78.{number}.1/16 dev {device}\n"
            f"link set {device} up\n"))
        here.sysctl(f"conf/{device}/rp_filter", 0)
    here.sysctl("conf/all/rp_filter", 0)
    return here, there


def member(stack, namespace, *devices):
    made = stack.enter_context(namespace.socket(socket.AF_INET,
                                                socket.SOCK_DGRAM))
    made.settimeout(20)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
    made.bind(("0.0.0.0", 12002))
    for device in devices:
        made.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
            socket.inet_aton(GROUP) + struct.pack(
                "4xi", namespace.index(device)))
    return made


def drain(sock):
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.recv(9)
    sock.settimeout(20)


def test_two_devices(labs):
    """What a bridge floods to both devices of a host is two datagrams, though
    each has the same header, and comes in right after the other."""
    hosts = bridged_host(labs)
    if not hosts:
        pytest.skip("this kernel has no bridges")
    here, there = hosts
    with contextlib.ExitStack() as stack:
        members = {("eth0",): 1, ("eth1",): 1, ("eth0", "eth1"): 2}
        socks = {x: member(stack, here, *x) for x in members}
        client = stack.enter_context(there.socket(socket.AF_INET,
                                                  socket.SOCK_DGRAM))
        client.bind(("10.78.0.2", 0))
        client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                          socket.inet_aton("10.78.0.2"))
        client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        for devices in ("eth0",), ("eth1",):
            wait_for_wire(client, socks[devices], (GROUP, 12002))
        for sock in socks.values():
            drain(sock)
        inodes = {os.fstat(x.fileno()).st_ino: y for y, x in socks.items()}
        with Trace([here, there], "-u", "-P", "12002") as run:
            client.sendto(b"x", (GROUP, 12002))
            for devices, count in members.items():
                for _ in range(count):
                    assert socks[devices].recv(9) == b"x"
    names = {x["sock"]: inodes[x["inode"]] for x in run.sockets
             if x.get("inode") in inodes}
    told = {(here.index("eth0"), x) for x in members if "eth0" in x} | {
        (here.index("eth1"), x) for x in members if "eth1" in x}
    assert sorted(told) == sorted((x["ifindex"], names[x["sock"]])
                                  for x in run.datagrams)
    assert (run.summary["verdict"], run.summary["datagrams"]) == ("proved", 2)
