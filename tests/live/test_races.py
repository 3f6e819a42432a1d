# SPDX-License-Identifier: GPL-2.0-only
"""What takes two CPUs and luck on a busy host, made to happen without: a segment
for a socket that a process holds, and one whose request is gone by the time that
it arrives. The kernel's counters and the test's own accepts are the judges."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import pathlib
import select
import shutil
import socket
import struct
import subprocess
import threading

import pytest

import bpf
import peers
from sight import release
from stage import PORT, netstat
from tracer import Trace, UnderTest, wait_until

SYS_USERFAULTFD = {"x86_64": 323, "aarch64": 282}[os.uname().machine]
SYS_ACCEPT4 = {"x86_64": 288, "aarch64": 242}[os.uname().machine]
UFFDIO_API, UFFDIO_REGISTER, REGISTER_MISSING = 0xC018AA3F, 0xC020AA00, 1
RST = 4
SO_ATTACH_REUSEPORT_CBPF = 51


@contextlib.contextmanager
def held(conn):
    """A process is in send(), has the socket's lock, and waits for a page of
    what it sends, which comes at the end of the block."""
    page = mmap.mmap(-1, mmap.PAGESIZE)
    fd = bpf.libc.syscall(SYS_USERFAULTFD, os.O_CLOEXEC | os.O_NONBLOCK)
    if fd < 0:
        pytest.skip("this kernel has no userfaultfd")
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    fcntl.ioctl(fd, UFFDIO_API, struct.pack("QQQ", 0xAA, 0, 0))
    fcntl.ioctl(fd, UFFDIO_REGISTER, struct.pack(
        "QQQQ", place, len(page), REGISTER_MISSING, 0))
    sender = threading.Thread(target=conn.send, args=(page,))
    sender.start()
    try:
        assert select.select([fd], [], [], 20)[0], "it does not wait"
        yield
    finally:
        os.close(fd)
        sender.join()


def test_backlog(stage):
    """Until the limit that its buffers make."""
    dropped = "TCPBacklogDrop"
    stage.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    stage.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    with Trace([stage.here]) as run:
        theirs = stage.tun.open(1)
        conn = stage.accept()
        before = netstat(stage.here, dropped)
        with held(conn):
            stage.send(1, "ACK", "established", "backlog", 1001, theirs)
            # The kernel merges those there that follow each other.
            for _ in range(500):
                stage.send(1, "PSH|ACK", "established", "backlog", 1001, theirs,
                           payload=b"x" * 1400)
                if netstat(stage.here, dropped) > before:
                    break
        stage.wanted[-1] = *stage.wanted[-1][:3], "backlog_full"
        stage.send(1, "ACK", "established", "taken_up", 2401, theirs)
        assert netstat(stage.here, dropped) == before + 1
        assert len(conn.recv(9999)) == 1400
    told = stage.check(run)
    for segment in told:
        assert segment.get("sock", 0) == run.accepts[0]["sock"]
    if run.sees("reason"):
        assert told[-2]["drop_reason"] == "SOCKET_BACKLOG"


def test_backlog_of_fast_open(stage):
    """A Fast Open connection is there before its last ACK, which waits while a
    process has the socket. What that makes of it then has nothing to do with the
    SYN that came in last on this CPU, in a process."""
    stage.here.sysctl("tcp_fastopen", 0x203)
    stage.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 4)
    stage.ends.append(stage.listen(port=PORT + 1))
    with Trace([stage.here]) as run:
        stage.tun.send(1, "SYN", 1000, payload=b"hello")
        theirs = (stage.tun.answer(1) + 1) % 2**32
        conn = stage.accept()
        one = {min(os.sched_getaffinity(0))}
        with peers.on(one), held(conn):
            stage.send(1, "ACK", "established", "backlog", 1006, theirs)
            for source in range(2, 50):
                stage.tun.send(source, "SYN", 1000, port=PORT + 1)
    stage.check(run)
    for segment in run.segments:
        assert "child" not in segment or segment["rport"] == 1


NFNL_QUEUE, PACKET, VERDICT, CONFIG = 3 << 8, 0, 1, 2
NETLINK_NETFILTER, NLM_F_REQUEST, NLM_F_ACK, NF_ACCEPT = 12, 1, 4, 1
RULES = """table ip test {
    chain before {
        type filter hook input priority 0;
        tcp dport %d tcp flags & (syn|ack) == ack queue num 0
    }
}"""


class Queue:
    """ACKs wait here, after early demux and before TCP, until they are let go."""

    def __init__(self, namespace):
        for module in "nfnetlink_queue", "nft_queue":
            subprocess.run(["modprobe", "-q", module], check=False)
        if not shutil.which("nft"):
            pytest.skip("no nft")
        try:
            self.netlink = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                            NETLINK_NETFILTER)
            self.netlink.settimeout(20)
            self.tell(CONFIG, 1, struct.pack("BxH", 1, 0))
            self.tell(CONFIG, 2, struct.pack("!IB", 0, 1))
            subprocess.run(["ip", "netns", "exec", namespace.name, "nft", "-f",
                            "-"], input=RULES % PORT, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("this kernel has no queues for packets")

    def tell(self, what, kind, value):
        body = struct.pack("BBH", socket.AF_UNSPEC, 0, 0) + bpf.attribute(
            kind, value)
        self.netlink.send(struct.pack(
            "IHHII", 16 + len(body), NFNL_QUEUE | what,
            NLM_F_REQUEST | (NLM_F_ACK if what == CONFIG else 0), 0, 0) + body)
        if what == CONFIG:
            error = struct.unpack_from("i", self.netlink.recv(4096), 16)[0]
            if error:
                raise OSError(-error, os.strerror(-error))

    def let_go(self):
        """The first of those that wait."""
        message = self.netlink.recv(4096)
        assert struct.unpack_from("H", message, 4)[0] == NFNL_QUEUE | PACKET
        (number,) = struct.unpack_from("!I", message, 24)
        self.tell(VERDICT, 2, struct.pack("!II", NF_ACCEPT, number))


def test_stolen(stage):
    """Early demux found the request for both of two equal ACKs; the second comes
    to it when the first one's child has taken its place. And of one whose
    listener has closed meanwhile."""
    queue = Queue(stage.here)
    with Trace([stage.here]) as run, queue.netlink:
        theirs = stage.tun.ask(1)
        stage.send(1, "ACK", "request", "child", 1001, theirs)
        stage.send(1, "ACK", "established", "stolen", 1001, theirs)
        for _ in range(2):
            queue.let_go()
        conn = stage.accept()
        assert conn.getpeername()[1] == 1
        stage.listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            stage.listener.accept()
        theirs = stage.tun.ask(2)
        stage.send(2, "ACK", "none", "listener_closed", 1001, theirs)
        stage.listener.close()
        stage.tun.replies()
        queue.let_go()
        assert [x for _, x, _ in stage.tun.replies()] == [RST]
    told = stage.check(run)
    assert told[0]["child"] == told[1]["sock"] == run.accepts[0]["sock"]
    assert "child" not in told[1]
    for segment, detail in zip(told[1:], ("stolen", "listener closed")):
        assert segment.get("repeated_lookup", False) == run.sees(detail)


def timestamp(value):
    """As an option, for a header of 8 words."""
    return struct.pack("!BBBBII", 1, 1, 8, 10, value, 0)


def test_older_ack(stage):
    """As above, but the second ACK is the older one. Kernels that have noted the
    first one's timestamp in the request (before 8d52da23b6c6, "tcp: Defer ts_recent
    changes until req is owned") take it for out of window. The request is gone
    then, but no reset ended it."""
    UnderTest.sees().need("request")
    queue = Queue(stage.here)
    with Trace([stage.here]) as run, queue.netlink:
        theirs = stage.tun.ask(1, words=8, payload=timestamp(1000))
        for value, *fate in ((1002, "request", "child"),
                             (1001, "established", "stolen")):
            stage.send(1, "ACK", *fate, 1001, theirs, words=8,
                       payload=timestamp(value))
        before = netstat(stage.here, "PAWSEstab")
        for _ in range(2):
            queue.let_go()
        if netstat(stage.here, "PAWSEstab") > before:
            stage.wanted[-1] = 1, "ACK", "request", None
        stage.accept()
    stage.check(run)


def stopping_group(stage):
    """Two listeners of a group, all asking the first; what is there when that stops
    goes to the other."""
    if release() < (5, 14):
        pytest.skip("no listener takes over requests (before 5.14)")
    stage.here.sysctl("tcp_migrate_req", 1)
    stage.listener.close()
    group = [stage.listen(reuse_port=True) for _ in range(2)]
    stage.ends += group
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    group[0].setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
                        struct.pack("HP", 1, ctypes.addressof(code)))
    return group


def test_migrated(stage):
    """A request's listener has closed, and another one of its group takes the
    request over."""
    group = stopping_group(stage)
    with Trace([stage.here]) as run:
        theirs = stage.tun.ask(1)
        group[0].close()
        stage.send(1, "ACK", "request", "child", 1001, theirs)
        assert stage.accept(group[1]).getpeername()[1] == 1
    (told,) = stage.check(run)
    assert run.segments[0]["sock"] != told["parent"] == run.accepts[0]["parent"]
    assert told["child"] == run.accepts[0]["sock"]
    assert "repeated_lookup" not in told


@pytest.mark.parametrize("how", ["closed", "shut"])
def test_child_migrated(stage, how):
    """A listener stops with a complete child in its accept queue, which goes to the
    queue of another one of the group: accept() takes it from there (I7)."""
    group = stopping_group(stage)
    inodes = [os.fstat(one.fileno()).st_ino for one in group]
    with Trace([stage.here]) as run:
        theirs = stage.tun.ask(1)
        stage.send(1, "ACK", "request", "child", 1001, theirs)
        if how == "closed":
            group[0].close()
        else:
            group[0].shutdown(socket.SHUT_RDWR)
            group[0].listen()
        assert stage.accept(group[1]).getpeername()[1] == 1
    (told,) = stage.check(run)
    (accept,) = run.accepts
    assert told["child"] == accept["sock"]
    was = {event["sock"]: event.get("inode") for event in run.events
           if event["event"] == "socket"}
    assert [was[number] for number in (told["parent"], accept["parent"])] == inodes


def test_descriptor_replaced(stage):
    """While a thread waits in accept(), its descriptor becomes another listener."""
    other = stage.listen(port=PORT + 1)
    stage.ends.append(other)
    stage.listener.setblocking(True)
    with Trace([stage.here]) as run:
        thread = threading.Thread(target=stage.accept)
        thread.start()
        call = pathlib.Path(f"/proc/self/task/{thread.native_id}/syscall")
        wait_until(lambda: call.read_text().startswith(f"{SYS_ACCEPT4} "), "accept()")
        os.dup2(other.fileno(), stage.listener.fileno())
        stage.tun.open(1)
        thread.join(20)
    stage.check(run)
    (birth,) = [segment for segment in run.segments if "child" in segment]
    (accept,) = run.accepts
    assert (accept["sock"], accept["parent"]) == (birth["child"], birth["parent"])
