# SPDX-License-Identifier: GPL-2.0-only
"""Network namespaces to make traffic in, and what the kernel counts there."""

import contextlib
import ctypes
import fcntl
import itertools
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
SIOCETHTOOL = 0x8946
# linux/ethtool.h: the older one-value commands, which every kernel has.
ETHTOOL_SGRO, ETHTOOL_STSO, ETHTOOL_SGSO = 0x2C, 0x1F, 0x24

libc = ctypes.CDLL(None, use_errno=True)


def setns(fd):
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def ip(*args, batch=None):
    subprocess.run(["ip", *args], input=batch, check=True, text=True)


class Namespace:
    """The one this process is in."""

    def __init__(self, path="/proc/thread-self/ns/net"):
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.inode = os.fstat(self.fd).st_ino

    @contextlib.contextmanager
    def inside(self):
        """This thread, the sockets it makes and the threads it starts."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        setns(self.fd)
        try:
            yield self
        finally:
            setns(before)
            os.close(before)

    def socket(self, *args):
        with self.inside():
            return socket.socket(*args)

    def snmp(self, line, counter):
        """A counter of that line in /proc/net/snmp."""
        with self.inside(), open("/proc/thread-self/net/snmp") as snmp:
            names, values = [x.split() for x in snmp
                             if x.startswith(line + ":")]
        return int(values[names.index(counter)])

    def tcp(self, counter):
        return self.snmp("Tcp", counter)

    def not_sent(self, device):
        """Frames that the device was given and dropped."""
        with self.inside(), open("/proc/thread-self/net/dev") as table:
            rows = [x.replace(":", " ").split() for x in table]
        return int({x[0]: x for x in rows}[device][12])

    def index(self, device):
        with self.inside():
            return socket.if_nametoindex(device)

    def sysctl(self, name, value):
        with self.inside(), open("/proc/sys/net/ipv4/" + name, "w") as file:
            file.write(str(value))

    def offload(self, device, command, on):
        value = ctypes.create_string_buffer(struct.pack("II", command, on))
        request = struct.pack("16sP16x", device.encode(),
                              ctypes.addressof(value))
        with self.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, SIOCETHTOOL, request)

    def close(self):
        os.close(self.fd)


class NewNamespace(Namespace):
    """One that `ip netns` knows, for as long as this object is open."""

    numbers = itertools.count(1)

    def __init__(self):
        self.name = f"sdt-{os.getpid()}-{next(self.numbers)}"
        ip("netns", "add", self.name)
        try:
            super().__init__("/run/netns/" + self.name)
            ip("-n", self.name, "link", "set", "lo", "up")
        except BaseException:
            ip("netns", "del", self.name)
            raise

    def close(self):
        super().close()
        ip("netns", "del", self.name)


def add_vrf(namespace):
    """Makes its eth0, where labs.veth() has the server, a member of a VRF, vrf0.
    False where the kernel has no such thing. The link goes down and up for that,
    which takes the addresses of IPv6 away."""
    try:
        ip("-n", namespace.name, "-batch", "-", batch=(
            "link add vrf0 type vrf table 10\nlink set vrf0 up\n"
            "link set eth0 master vrf0\n"
            "addr replace fd77::1/64 dev eth0 nodad\n"))
    except subprocess.CalledProcessError:
        return False
    return True


class Lab:
    """Where the servers are and where the clients are."""

    def __init__(self, server, client, server_addr, client_addr, device, via):
        self.server = server
        self.client = client
        self.server_addr = server_addr
        self.client_addr = client_addr
        # Where segments come in, and how those of a known connection find
        # their sockets there.
        self.device = device
        self.via = via
        self.namespaces = [server] if server is client else [server, client]


class Labs:
    """Makes labs, and removes them all at the end."""

    def __init__(self):
        self.stack = contextlib.ExitStack()

    def namespace(self):
        made = NewNamespace()
        self.stack.callback(made.close)
        return made

    def loopback(self):
        here = self.namespace()
        addrs = {4: "127.0.0.1", 6: "::1"}
        # loopback keeps the route on the skb, so early demux is passed by.
        return Lab(here, here, addrs, addrs, "lo", "lookup")

    def veth(self):
        """Two hosts and a wire, eth0 at both ends."""
        server, client = self.namespace(), self.namespace()
        ip("link", "add", "eth0", "netns", server.name, "type", "veth",
           "peer", "name", "eth0", "netns", client.name)
        for end, number in (server, 1), (client, 2):
            ip("-n", end.name, "-batch", "-", batch=(
                f"addr add 10.77.0.{number}/24 dev eth0\n"
                f"addr add fd77::{number}/64 dev eth0 nodad\n"
                "link set eth0 up\n"))
        return Lab(server, client, {4: "10.77.0.1", 6: "fd77::1"},
                   {4: "10.77.0.2", 6: "fd77::2"}, "eth0", "early_demux")

    def make(self, kind):
        return {"loopback": self.loopback, "veth": self.veth}[kind]()

    def close(self):
        self.stack.close()
