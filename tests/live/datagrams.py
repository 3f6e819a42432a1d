# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of UDP share: their sockets, what these got, and what must
then hold of the datagrams that were told."""

import collections
import contextlib
import ctypes
import errno
import os
import socket
import struct
import time

import judge

PORT, PATIENCE = 12000, 10
GROUPS = {4: "239.77.1.2", 6: "ff02::7777"}
SO_ATTACH_FILTER = 26
LOAD_LENGTH = 0x80, 0, 0, 0
RETURN_NOTHING, RETURN_ALL = (6, 0, 0, 0), (6, 0, 0, 0xFFFFFFFF)
BROADCAST = "10.77.0.255"
DELIVERED = ("connected", "unconnected", "multicast")


class Sockets:
    """A test's own, and what each of them got."""

    def __init__(self, lab):
        self.lab = lab
        self.stack = contextlib.ExitStack()
        self.servers = {}
        self.clients = []

    def make(self, namespace, addr, port, options=()):
        """@options: of SOL_SOCKET, to be 1, or what setsockopt() takes."""
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        made = self.stack.enter_context(
            namespace.socket(family, socket.SOCK_DGRAM))
        made.settimeout(PATIENCE)
        for option in options:
            made.setsockopt(*(option if isinstance(option, tuple) else
                              (socket.SOL_SOCKET, option, 1)))
        made.bind((addr, port))
        return made

    def server(self, name, addr=None, port=PORT, options=()):
        made = self.make(self.lab.server, addr or self.lab.server_addr[4],
                         port, options)
        self.servers[name] = made
        return made

    def client(self, version=4, options=()):
        made = self.make(self.lab.client, self.lab.client_addr[version], 0,
                         options)
        self.clients.append(made)
        return made

    def send(self, client, data, addr=None, port=PORT):
        """The route of IPv6's multicast is there some time after the wire."""
        version = 6 if client.family == socket.AF_INET6 else 4
        end = time.monotonic() + 10
        while True:
            try:
                client.sendto(data, (addr or self.lab.server_addr[version],
                                     port))
                return
            except OSError as error:
                if error.errno != errno.ENETUNREACH or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def take(self, name, count=1):
        """Waits for that many, and returns what else there is."""
        got = []
        for _ in range(count):
            data, peer = self.servers[name].recvfrom(2048)
            got.append((name, judge.unmapped(peer[0]), peer[1], len(data)))
        return got

    def is_empty(self, name):
        """Asked by reading, which verifies a long one's checksum."""
        sock = self.servers[name]
        sock.setblocking(False)
        try:
            sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            sock.settimeout(PATIENCE)
        return False


def attach_filter(sock, *code):
    """Of classic BPF; each instruction is (code, jt, jf, k)."""
    program = ctypes.create_string_buffer(b"".join(
        struct.pack("HBBI", *x) for x in code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                    struct.pack("HL", len(code), ctypes.addressof(program)))


def filter_all(sock):
    attach_filter(sock, RETURN_NOTHING)


def filter_short(sock, size):
    """Those of fewer than @size bytes of payload."""
    attach_filter(sock, LOAD_LENGTH, (0x35, 0, 1, 8 + size), RETURN_ALL,
                  RETURN_NOTHING)


def told(run, sockets):
    """Who got what, as the tool says; its sockets are known by their inodes."""
    inodes = {os.fstat(x.fileno()).st_ino: y
              for y, x in sockets.servers.items()}
    names = {x["sock"]: inodes[x["inode"]] for x in run.sockets
             if x.get("inode") in inodes}
    return [(names[x["sock"]], x["raddr"], x["rport"], x["len"])
            for x in run.datagrams if x["outcome"] in DELIVERED]


def arrivals(run):
    """Each datagram once."""
    firsts = [x for x in run.datagrams if not x.get("copy")]
    counts = collections.Counter(x.get("lport") for x in firsts)
    copies = collections.Counter(x.get("lport") for x in run.datagrams
                                 if x.get("outcome") in DELIVERED)
    return len(firsts), counts, copies


def check_verdict(run, event):
    """Where no socket is seen and the kernel does not say why, as 5.10 by a
    drop, nobody's is predicted."""
    is_guess = event["outcome"] == "none" and not (
        run.sees("none") or is_group(event["laddr"]))
    assert event["verdict"] == ("explained" if is_guess else "proved")
    lost = event.get("dropped") and not run.sees("lost")
    assert event.get("predicted") == ("outcome" if is_guess or lost else None)


def is_group(addr):
    return addr in GROUPS.values() or addr == BROADCAST


def check(run, sockets, got, is_odd=lambda event: False):
    """@got is what all sockets had to read. The verdict on what @is_odd is
    another test's business."""
    assert collections.Counter(told(run, sockets)) == collections.Counter(got)
    assert all(sockets.is_empty(x) for x in sockets.servers)
    count, ports, copies = arrivals(run)
    summary = run.summary
    assert (summary["verdict"], summary["why"]) == ("proved", [])
    assert summary["datagrams"] == count
    assert summary["copies"] == len(run.datagrams)
    for event in run.datagrams:
        if not is_odd(event):
            check_verdict(run, event)
    for name in ("segments", "datagrams_filtered", "datagrams_skipped",
                 "copies_lost"):
        assert summary[name] == 0
    for port in summary["udp_ports"]:
        assert port["datagrams"] == ports[port["port"]]
        assert port["copies"] == copies[port["port"]]
        assert port["misdelivered"] == 0


def check_via(run, event, right):
    assert event.get("via") == (right if run.sees("via") else None)
