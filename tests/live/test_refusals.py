# SPDX-License-Identifier: GPL-2.0-only
"""What a socket was found for, and which a check keeps from it: signatures
(TCP-MD5, TCP-AO), minimum TTL, IPsec's policy, filters. The kernel's counters
are the judges, and a segment beside each that passes."""

import contextlib
import ctypes
import hashlib
import hmac
import os
import socket
import struct
import subprocess

import pytest

import bpf
import judge
import wire
from lab import ip
from stage import HERE, PORT, THERE, netstat
from tracer import Trace

TCP_MD5SIG, TCP_AO_ADD_KEY, IP_MINTTL, SO_ATTACH_FILTER = 14, 38, 21, 26
KIND_MD5, KIND_AO, NOP = 19, 29, 1
KEY, WRONG = b"a key", b"another"
ACK = 16
# A port for each kind of listener; nobody has the last one.
PLAIN, MD5, TTL, FILTER, CGROUP, AO, CLOSED = range(PORT, PORT + 7)


def sockaddr(addr):
    return struct.pack("HH4s120x", socket.AF_INET, 0, socket.inet_aton(addr))


def pseudo(tcp):
    return (socket.inet_aton(THERE) + socket.inet_aton(HERE) +
            struct.pack("!BBH", 0, 6, len(tcp)))


def draft(source, port, flags, seq, ack, options, payload):
    """The TCP part of that segment, without its checksum."""
    tcp = wire.segment((THERE, source), (HERE, port), flags, seq=seq, ack=ack,
                       words=5 + len(options) // 4,
                       payload=options + payload)[20:]
    return tcp[:16] + b"\0\0" + tcp[18:]


def md5(source, port, flags, seq, ack=0, payload=b"", key=KEY):
    """The words and payload of that segment, signed after RFC 2385."""
    blank = bytes([NOP, NOP, KIND_MD5, 18]) + bytes(16)
    tcp = draft(source, port, flags, seq, ack, blank, payload)
    digest = hashlib.md5(pseudo(tcp) + tcp[:20] + payload + key).digest()
    return {"words": 10, "payload": blank[:4] + digest + payload}


def ao(source, port, seq, key=KEY, number=1):
    """The same of a SYN after RFC 5925 and 5926, with HMAC-SHA-1-96."""
    blank = bytes([KIND_AO, 16, number, number]) + bytes(12)
    tcp = draft(source, port, "SYN", seq, 0, blank, b"")
    context = (pseudo(tcp)[:8] + struct.pack("!HHII", source, port, seq, 0))
    secret = hmac.digest(key, b"\1TCP-AO" + context + struct.pack("!H", 160),
                         "sha1")
    mac = hmac.digest(secret, bytes(4) + pseudo(tcp) + tcp, "sha1")
    return {"words": 9, "payload": blank[:4] + mac[:12]}


def listen(stage, port, *option):
    made = stage.listen(port=port)
    if option:
        made.setsockopt(*option)
    stage.ends.append(made)
    return made


@contextlib.contextmanager
def counted(stage, **wanted):
    """These counters grow by that much."""
    before = {x: netstat(stage.here, x) for x in wanted}
    yield
    assert {x: netstat(stage.here, x) - before[x] for x in wanted} == wanted


def numbers(run, listeners):
    """Of the listeners, by port, as the trace has them."""
    inodes = {os.fstat(x.fileno()).st_ino: x.getsockname()[1]
              for x in listeners}
    return {inodes[x["inode"]]: x["sock"] for x in run.sockets
            if x.get("inode") in inodes}


def check_socket(run, segment, number, carried=False):
    """@number is the one that was found: the kernel names it, or the segment
    brought it along."""
    if segment.get("outcome") not in ("refused", None):
        return
    if segment.get("detail") != "filter" and not (
            run.sees("refused") if run.sees.backend == "stable" else
            carried or run.sees("refused for")):
        number = None
    assert segment.get("sock") == number, segment


def check_reason(segment, name):
    """Only where the kernel gives one."""
    assert segment.get("drop_reason", name) == name


def test_md5(stage):
    signed = listen(stage, MD5, socket.IPPROTO_TCP, TCP_MD5SIG,
                    sockaddr(THERE) + struct.pack("BBHi80s", 0, 0, len(KEY), 0,
                                                  KEY))
    names = ["TCP_MD5NOTFOUND", "TCP_MD5FAILURE", "TCP_MD5UNEXPECTED",
             "TCP_MD5NOTFOUND", "TCP_MD5NOTFOUND"]
    refused = "refused", "md5"
    with Trace([stage.here]) as run, counted(
            stage, TCPMD5NotFound=3, TCPMD5Failure=1, TCPMD5Unexpected=1):
        def send(source, flags, shown, seq, ack=0, port=MD5, **kind):
            return stage.send(source, flags, *shown, seq, ack, port=port,
                              **kind)

        assert not send(1, "SYN", refused, 1000)
        assert not send(2, "SYN", refused, 1000,
                        **md5(2, MD5, "SYN", 1000, key=WRONG))
        assert not send(3, "SYN", refused, 1000, port=PLAIN,
                        **md5(3, PLAIN, "SYN", 1000))
        stage.tun.send(4, "SYN", 1000, port=MD5, **md5(4, MD5, "SYN", 1000))
        theirs = stage.tun.answer(4) + 1 & 0xFFFFFFFF
        assert not send(4, "ACK", refused, 1001, theirs)
        send(4, "ACK", ("request", "child"), 1001, theirs,
             **md5(4, MD5, "ACK", 1001, theirs))
        conn = stage.accept(signed)
        assert not send(4, "PSH|ACK", refused, 1001, theirs, payload=b"forged")
        assert send(4, "PSH|ACK", ("established", "taken_up"), 1001, theirs,
                    **md5(4, MD5, "PSH|ACK", 1001, theirs, b"right")) == [ACK]
        assert conn.recv(9) == b"right"
    told = stage.check(run)
    socks = numbers(run, [stage.listener, signed])
    request = told[4]["sock"] if run.sees("refused request") else socks[MD5]
    child = told[4]["child"]
    wanted = [(socks[MD5], False), (socks[MD5], False), (socks[PLAIN], False),
              (request, True), (child, True)]
    for segment, name, (number, carried) in zip(told[:4] + told[5:], names,
                                                wanted):
        check_reason(segment, name)
        check_socket(run, segment, number, carried)
    assert told[6]["sock"] == child


def test_ao(stage):
    """As MD5, of a SYN alone."""
    key = (sockaddr(THERE) + struct.pack(
        "64siIHBBBBBB80s", b"hmac(sha1)", 0, 0, 0, 32, 1, 1, 12, 0, len(KEY),
        KEY))
    key += bytes(-len(key) % 8)
    try:
        signed = listen(stage, AO, socket.IPPROTO_TCP, TCP_AO_ADD_KEY, key)
    except OSError as error:
        pytest.skip(f"this kernel has no TCP-AO: {error}")
    with Trace([stage.here]) as run, counted(
            stage, TCPAORequired=1, TCPAOBad=1, TCPAOKeyNotFound=2,
            TCPAOGood=1):
        def send(source, shown, port=AO, **kind):
            return stage.send(source, "SYN", *shown, 1000, port=port, **kind)

        assert not send(1, ("refused", "ao"))
        assert not send(2, ("refused", "ao"), **ao(2, AO, 1000, WRONG))
        assert not send(3, ("refused", "ao"), **ao(3, AO, 1000, number=2))
        assert not send(4, ("refused", "ao"), PLAIN, **ao(4, PLAIN, 1000))
        assert send(5, ("listener", "request_made"), **ao(5, AO, 1000))
    told = stage.check(run)
    socks = numbers(run, [stage.listener, signed])
    for segment, name, port in zip(told, (
            "TCP_AONOTFOUND", "TCP_AOFAILURE", "TCP_AOKEYNOTFOUND",
            "TCP_AOUNEXPECTED"), (AO, AO, AO, PLAIN)):
        check_reason(segment, name)
        check_socket(run, segment, socks[port])


def xfrm_blocked(stage):
    with stage.here.inside(), open("/proc/thread-self/net/xfrm_stat") as table:
        return dict(x.split() for x in table)["XfrmInPolBlock"]


def test_policy(stage):
    """IPsec's: from two ports of the peer nothing is to come in."""
    subprocess.run(["modprobe", "-q", "xfrm_user"], check=False)
    for source in 1, 3:
        try:
            ip("-n", stage.here.name, "xfrm", "policy", "add", "src",
               THERE, "dst", HERE, "proto", "tcp", "sport", str(source), "dir",
               "in", "action", "block")
        except subprocess.CalledProcessError:
            pytest.skip("this kernel has no IPsec policies")
    assert xfrm_blocked(stage) == "0"
    with Trace([stage.here]) as run:
        assert not stage.send(1, "SYN", "refused", "policy", 1000)
        assert stage.send(2, "SYN", "listener", "request_made", 1000)
        # Nobody's: on 5.10 nothing tells that there was no socket.
        assert not stage.send(3, "SYN", "none", "denied", 1000, port=CLOSED)
    assert xfrm_blocked(stage) == "2"
    told = stage.check(run)
    check_socket(run, told[0], numbers(run, [stage.listener])[PLAIN])
    check_reason(told[0], "XFRM_POLICY")
    check_reason(told[2], "NO_SOCKET")


@contextlib.contextmanager
def refusing_cgroup():
    """Yields a function that calls another in there: the sockets that this makes
    get nothing."""
    with open("/proc/mounts") as mounts:
        top = next(x.split()[1] for x in mounts if x.split()[2] == "cgroup2")
    with open("/proc/self/cgroup") as own:
        (before,) = [x.strip()[3:] for x in own if x.startswith("0::")]
    path = f"{top}/sdt-{os.getpid()}"

    def move(to):
        with open(to + "/cgroup.procs", "w") as procs:
            procs.write(str(os.getpid()))

    def inside(function, *args):
        move(path)
        try:
            return function(*args)
        finally:
            move(top + before)

    os.mkdir(path)
    fds = []
    try:
        fds.append(bpf.load(bpf.CGROUP_SKB, bpf.exit_with(bpf.DROP)))
        fds.append(os.open(path, os.O_RDONLY))
        fds.append(bpf.bpf(bpf.LINK_CREATE, struct.pack(
            "IIII", *fds, bpf.ATTACH_CGROUP_INGRESS, 0)))
        yield inside
    finally:
        for fd in fds:
            os.close(fd)
        os.rmdir(path)


def test_listeners_own(stage):
    """What a listener asks for itself: a minimum TTL, a socket filter, and a BPF
    program of its cgroup."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    far = listen(stage, TTL, socket.IPPROTO_IP, IP_MINTTL, 65)
    listeners = [stage.listener, far, listen(
        stage, FILTER, socket.SOL_SOCKET, SO_ATTACH_FILTER,
        struct.pack("HP", 1, ctypes.addressof(code)))]
    with refusing_cgroup() as inside:
        listeners.append(inside(listen, stage, CGROUP))
        with Trace([stage.here]) as run, counted(stage, TCPMinTTLDrop=1):
            assert not stage.send(1, "SYN", "refused", "ttl", 1000, port=TTL)
            assert not stage.send(2, "SYN", "refused", "filter", 1000,
                                  port=FILTER)
            assert not stage.send(3, "SYN", "refused", "filter", 1000,
                                  port=CGROUP)
            far.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 64)
            assert stage.send(4, "SYN", "listener", "request_made", 1000,
                              port=TTL)
            assert stage.send(5, "SYN", "listener", "request_made", 1000)
    told = stage.check(run)
    socks = numbers(run, listeners)
    for segment, port in zip(told, (TTL, FILTER, CGROUP, TTL, PLAIN)):
        check_socket(run, segment, socks[port])
    check_reason(told[0], "TCP_MINTTL" if run.sees("ttl") else "NOT_SPECIFIED")
    for segment in told[1:3]:
        check_reason(segment, "SOCKET_FILTER")
