# SPDX-License-Identifier: GPL-2.0-only
"""Sockets of every kind, and what ss(8) says of them."""

import array
import contextlib
import os
import re
import socket
import subprocess
import threading
import time

import peers
import wire
from lab import ip

# As ss writes them.
STATES = {"ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT",
          "SYN-RECV": "SYN_RECV", "FIN-WAIT-1": "FIN_WAIT1",
          "FIN-WAIT-2": "FIN_WAIT2", "TIME-WAIT": "TIME_WAIT",
          "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK",
          "LISTEN": "LISTEN", "CLOSING": "CLOSING"}
UDP_STATES = {"ESTAB": "CONNECTED", "UNCONN": "UNCONNECTED"}
SO_REUSEPORT = 15


def plain(address):
    """And the device that it is bound to, or None."""
    address, port = address.rsplit(":", 1)
    address, _, device = address.replace("]", "").strip("[").partition("%")
    return ("::" if address == "*" else address,
            int(port.replace("*", "0"))), device


def ss_lines(namespace, proto):
    """(laddr, lport, raddr, rport, state, device), and the rest of the line."""
    said = subprocess.run(["ip", "netns", "exec", namespace.name, "ss",
                           "-tanpeOH" if proto == "tcp" else "-uanpeOH"],
                          check=True, capture_output=True, text=True)
    states = STATES if proto == "tcp" else UDP_STATES
    for line in said.stdout.splitlines():
        state, _, _, here, there, rest = (line + " ").split(None, 5)
        state = states.get(state)
        if not state:
            continue  # UNCONN: in no lookup table
        (here, device), (there, _) = plain(here), plain(there)
        if there[0] in ("::", "0.0.0.0"):
            there = ("::" if ":" in here[0] else "0.0.0.0", 0)
        yield (*here, *there, state,
               namespace.index(device) if device else None), rest


def ss_rows(namespace, proto="tcp"):
    """The same as the key of (inode, {(comm, pid, fd)})"""
    rows = {}
    for key, rest in ss_lines(namespace, proto):
        inode = int(re.search(r"\bino:(\d+)", rest)[1])
        owners = re.findall(r'\("([^"]*)",pid=(\d+),fd=(\d+)\)', rest)
        kept = rows.setdefault(key, [])
        kept.append((inode, {(x, int(y), int(z)) for x, y, z in owners}))
    return rows


def key_of(event):
    return tuple(event.get(x) for x in ("laddr", "lport", "raddr", "rport",
                                        "sock_state", "sock_ifindex"))


def rows_of(events, namespace):
    socks = {}
    nobodys = set()
    for event in events:
        if event["netns"] != namespace.inode:
            continue
        key = key_of(event)
        _, inode, owners = socks.setdefault(event["sock"],
                                            (key, event.get("inode", 0),
                                             set()))
        assert inode == event.get("inode", 0)
        if "pid" in event:
            owner = (event["comm"], event["pid"], event["fd"])
            assert owner not in owners, "one descriptor, told twice"
            owners.add(owner)
        else:
            assert event["sock"] not in nobodys, "nobody's, and told twice"
            nobodys.add(event["sock"])
    rows = {}
    for sock, (key, inode, owners) in socks.items():
        assert not (owners and sock in nobodys), "somebody's and nobody's"
        rows.setdefault(key, []).append((inode, owners))
    return rows


def in_order(rows):
    return {key: sorted(values, key=lambda x: x[0])
            for key, values in rows.items()}


class Crowd:
    """Sockets of every kind and state, on both sides of a wire."""

    def __init__(self, lab):
        self.lab = lab
        self.kept = []
        self.listeners = {x: self.keep(peers.listen(lab, x, backlog=64))
                          for x in peers.FAMILIES}
        self.accepted = []
        for family, listener in self.listeners.items():
            for _ in range(3):
                self.keep(peers.connect(lab, family))
                conn, _ = peers.accept(listener, lab.server)
                self.accepted.append(self.keep(conn))
        self.share_a_port()
        self.die_halfway()
        self.half_open()
        self.hand_over()
        for family in self.listeners:  # nobody accepts these
            self.keep(peers.connect(lab, family))
        self.datagrams()
        self.child = peers.Process(time.sleep, 0)  # holds all of it as well
        self.thread = threading.Event()
        threading.Thread(target=self.thread.wait).start()
        # In no table: neither of these is told.
        self.keep(lab.server.socket())
        bound = self.keep(lab.server.socket())
        bound.bind(("127.0.0.1", 4999))

    def keep(self, one):
        self.kept.append(one)
        return one

    def share_a_port(self):
        for _ in range(2):
            one = self.keep(self.lab.server.socket())
            one.setsockopt(socket.SOL_SOCKET, SO_REUSEPORT, 1)
            one.bind(("127.0.0.1", 4998))
            one.listen(5)
        bound = self.keep(self.lab.server.socket(socket.AF_INET6))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        bound.bind(("::", 4997))
        bound.listen(5)

    def pair(self):
        client = peers.connect(self.lab)
        conn, _ = peers.accept(self.listeners[peers.IPV4], self.lab.server)
        return client, conn

    def die_halfway(self):
        client, conn = self.pair()
        peers.hang_up(client, conn)  # TIME_WAIT
        client, conn = self.pair()
        client.close()  # FIN_WAIT2, of a TIME_WAIT minisock
        assert self.keep(conn).recv(1) == b""
        client, conn = self.pair()
        self.keep(client).shutdown(socket.SHUT_WR)  # FIN_WAIT2, CLOSE_WAIT
        assert self.keep(conn).recv(1) == b""
        client, conn = self.pair()
        self.keep(conn)
        client.settimeout(0.1)
        with contextlib.suppress(TimeoutError):
            while True:
                client.send(bytes(1 << 20))
        client.close()  # FIN_WAIT1, and no process has it open
        client, conn = self.pair()
        self.keep(client).shutdown(socket.SHUT_WR)
        self.keep(conn).shutdown(socket.SHUT_WR)
        # TIME_WAIT, and two in CLOSE, which are in no table
        assert client.recv(1) == conn.recv(1) == b""
        # As dup() and fork() do it.
        self.keep(socket.socket(fileno=os.dup(self.accepted[0].fileno())))

    def half_open(self):
        """A request, and a client whose SYN goes into the void."""
        addr = self.lab.server_addr[4]
        self.lab.client.sysctl("tcp_syn_retries", 6)
        ip("-n", self.lab.client.name, "neigh", "add", "10.77.0.9", "lladdr",
           "02:00:00:00:00:09", "dev", "eth0")
        client = self.keep(peers.client_socket(self.lab))
        client.setblocking(False)
        assert client.connect_ex(("10.77.0.9", 80))
        ip("-n", self.lab.server.name, "neigh", "add", "10.77.0.8", "lladdr",
           "02:00:00:00:00:08", "dev", "eth0")
        ip("-n", self.lab.client.name, "addr", "add", "10.77.0.8/32", "dev",
           "lo")
        wire.send_raw(self.lab.client, wire.segment(
            ("10.77.0.8", 7777), (addr, peers.IPV4.port), "SYN"))

    def hand_over(self):
        """Open in no process: it is on its way in a message of a UNIX socket."""
        here, there = socket.socketpair(socket.AF_UNIX)
        self.kept += [here, there]
        client, conn = self.pair()
        self.keep(client)
        here.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                               array.array("i", [conn.fileno()]))])
        conn.close()

    def datagrams(self):
        """UDP: a socket for all, on each family and both; each one's client;
        one that serves a client alone; and two on one port."""
        for family in peers.FAMILIES:
            one = self.keep(self.lab.server.socket(family.domain,
                                                   socket.SOCK_DGRAM))
            if family.domain == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY,
                               family is peers.IPV6)
            one.bind((family.any, family.port))
            client = self.keep(self.lab.client.socket(
                family.domain, socket.SOCK_DGRAM))
            addr = self.lab.server_addr[family.version]
            mapped = "::ffff:" if family is peers.MAPPED else ""
            client.connect((mapped + addr, family.port))
            if family is peers.MAPPED:
                client.send(b"x")
                one.connect(one.recvfrom(1)[1])
        for _ in range(2):
            one = self.keep(self.lab.server.socket(socket.AF_INET,
                                                   socket.SOCK_DGRAM))
            one.setsockopt(socket.SOL_SOCKET, SO_REUSEPORT, 1)
            one.bind(("127.0.0.1", 4998))
        # In no table.
        self.keep(self.lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def close(self):
        self.thread.set()
        self.child.go()
        self.child.join()
        for one in self.kept:
            one.close()
