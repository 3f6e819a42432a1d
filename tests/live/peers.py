# SPDX-License-Identifier: GPL-2.0-only
"""Servers and clients, and the server's own list of what it accepted."""

import collections
import contextlib
import ctypes
import json
import os
import signal
import socket
import struct
import threading

SO_COOKIE = 57
PR_SET_NAME = 15

# How a server listens and how its clients connect.
Family = collections.namedtuple("Family", "name domain any version port")
IPV4 = Family("ipv4", socket.AF_INET, "0.0.0.0", 4, 12004)
IPV6 = Family("ipv6", socket.AF_INET6, "::", 6, 12006)
MAPPED = Family("mapped", socket.AF_INET6, "::", 4, 12046)
FAMILIES = (IPV4, IPV6, MAPPED)

Accepted = collections.namedtuple(
    "Accepted",
    "netns laddr lport raddr rport fd pid tid uid comm inode cookie")


def accepted(conn, namespace):
    """What the server knows of a socket that accept() gave it."""
    with open("/proc/thread-self/comm") as comm:
        name = comm.read()[:-1]
    cookie = conn.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8)
    return Accepted(namespace.inode, *conn.getsockname()[:2],
                    *conn.getpeername()[:2], conn.fileno(), os.getpid(),
                    threading.get_native_id(), os.getuid(), name,
                    os.fstat(conn.fileno()).st_ino,
                    struct.unpack("Q", cookie)[0])


def listen_at(namespace, addr, port, device="", options=(), backlog=64):
    """Each option is (level, name, value)."""
    sock = namespace.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
    for option in ((socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), *options):
        sock.setsockopt(*option)
    if device:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                        device.encode())
    sock.bind((addr, port))
    sock.listen(backlog)
    sock.settimeout(20)
    return sock


def listen(lab, family=IPV4, port=None, backlog=512):
    options = []
    if family.domain == socket.AF_INET6:
        options = [(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, family is IPV6)]
    return listen_at(lab.server, family.any, port or family.port,
                     options=options, backlog=backlog)


def is_listening(namespace, port):
    with namespace.inside(), open("/proc/thread-self/net/tcp") as table:
        rows = [x.split() for x in table]
    return any(x[1].endswith(f":{port:04X}") and x[3] == "0A"
               for x in rows[1:])


def client_socket(lab, family=IPV4, source=0):
    sock = lab.client.socket(socket.AF_INET if family.version == 4
                             else socket.AF_INET6)
    sock.settimeout(20)
    if source:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", source))
    return sock


def connect(lab, family=IPV4, port=None, source=0):
    sock = client_socket(lab, family, source)
    sock.connect((lab.server_addr[family.version], port or family.port))
    return sock


def accept(listener, namespace):
    conn, _ = listener.accept()
    conn.settimeout(20)
    return conn, accepted(conn, namespace)


def talk(client, conn, words=b"hello"):
    """There and back."""
    client.sendall(words)
    assert conn.recv(len(words)) == words
    conn.sendall(words)
    assert client.recv(len(words)) == words


def hang_up(first, second):
    first.close()
    assert second.recv(1) == b""
    # The ACK of that FIN goes out now, and not with the next one.
    second.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    second.close()


@contextlib.contextmanager
def beside(work, *args):
    """A process of its own does that meanwhile, without an end."""
    worker = os.fork()
    if not worker:
        try:
            work(*args)
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)


@contextlib.contextmanager
def on(cpus):
    """This thread runs there. What it sends by loopback is received there."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def reset(sock):
    """Closes with a reset, so that no TIME_WAIT stays."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def visit(lab, listener, family=IPV4, port=None, source=0):
    """One whole connection; the client closes first."""
    client = connect(lab, family, port, source)
    conn, record = accept(listener, lab.server)
    talk(client, conn)
    hang_up(client, conn)
    return record


# --- servers that run beside the test ---------------------------------------


def serve(listener, namespace):
    """Accepts and echoes until the listener is shut down, then closes each
    after its client: who does not wait may close at the same time as the
    client, and then both ends go to TIME_WAIT."""
    conns, records = [], []
    listener.settimeout(None)
    while True:
        try:
            conn, record = accept(listener, namespace)
        except OSError:
            break
        conn.sendall(conn.recv(64))
        conns.append(conn)
        records.append(record)
    for conn in conns:
        assert conn.recv(1) == b""
        conn.close()
    return records


class Process:
    """Runs a function in a child, which may wait for go()."""

    def __init__(self, function, *args):
        out, self.out = os.pipe()
        self.result, result = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            code = 1
            try:
                os.close(self.out)
                os.read(out, 1)
                value = function(*args)
                with os.fdopen(result, "w") as pipe:
                    json.dump(value, pipe)
                code = 0
            finally:
                os._exit(code)
        os.close(out)
        os.close(result)

    def go(self):
        os.write(self.out, b"x")

    def join(self):
        os.close(self.out)
        with os.fdopen(self.result) as pipe:
            text = pipe.read()
        _, status = os.waitpid(self.pid, 0)
        assert status == 0
        return json.loads(text)


def start_thread(function, *args):
    """Returns a function that waits for the end and gives the result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*args)))
    thread.start()

    def join():
        thread.join(60)
        return results[0]
    return join


def start_process(function, *args):
    process = Process(function, *args)
    process.go()
    return process.join


def one_shot_server(lab, port, count, name=None):
    """For Process: listens, accepts that many, each until its client goes."""
    if name:
        ctypes.CDLL(None).prctl(PR_SET_NAME, name, 0, 0, 0)
    listener = listen(lab, port=port)
    listener.settimeout(None)
    records = []
    for _ in range(count):
        conn, record = accept(listener, lab.server)
        talk_back(conn)
        records.append(record)
    listener.close()
    return records


def talk_back(conn):
    while True:
        words = conn.recv(64)
        if not words:
            break
        conn.sendall(words)
    conn.close()
