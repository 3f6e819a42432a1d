# SPDX-License-Identifier: GPL-2.0-only
"""What a socket was found for, and which a check keeps from it: signatures
(TCP-MD5, TCP-AO), minimum TTL, IPsec's policy, filters; each of IPv4 and of IPv6.
The kernel's counters are the judges, and a segment beside each that passes."""

import contextlib
import ctypes
import errno
import hashlib
import hmac
import itertools
import os
import socket
import struct
import subprocess

import pytest

import bpf
import judge
import wire
from lab import ip
from stage import ENDS, PORT, netstat
from tracer import Trace

TCP_MD5SIG, TCP_AO_ADD_KEY, SO_ATTACH_FILTER = 14, 38, 26
MINIMUM = {4: (socket.IPPROTO_IP, 21), 6: (socket.IPPROTO_IPV6, 73)}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
KIND_MD5, KIND_AO, NOP = 19, 29, 1
KEY, WRONG = b"a key", b"another"
ACK = 16
# A port for each kind of listener; nobody has the last one.
PLAIN, MD5, TTL, FILTER, CGROUP, AO, CLOSED = range(PORT, PORT + 7)


def sockaddr(version):
    """The peer's, of any port; a struct sockaddr_storage."""
    addr = socket.inet_pton(FAMILY[version], ENDS[version][1])
    return struct.pack("HHI120s", FAMILY[version], 0, 0, addr) if (
        version == 6) else struct.pack("HH4s120x", FAMILY[4], 0, addr)


def addrs(version):
    here, there = (socket.inet_pton(FAMILY[version], x) for x in ENDS[version])
    return there + here


def pseudo(version, tcp):
    return addrs(version) + (struct.pack("!BBH", 0, 6, len(tcp))
                             if version == 4 else
                             struct.pack("!II", len(tcp), 6))


def draft(version, source, port, flags, seq, ack, options, payload):
    """The TCP part of that segment, without its checksum."""
    here, there = ENDS[version]
    tcp = wire.segment((there, source), (here, port), flags, seq=seq, ack=ack,
                       words=5 + len(options) // 4,
                       payload=options + payload)[20 if version == 4 else 40:]
    return tcp[:16] + b"\0\0" + tcp[18:]


def md5(version, source, port, flags, seq, ack=0, payload=b"", key=KEY):
    """The words and payload of that segment, signed after RFC 2385."""
    blank = bytes([NOP, NOP, KIND_MD5, 18]) + bytes(16)
    tcp = draft(version, source, port, flags, seq, ack, blank, payload)
    digest = hashlib.md5(pseudo(version, tcp) + tcp[:20] + payload +
                         key).digest()
    return {"words": 10, "payload": blank[:4] + digest + payload}


def ao(version, source, port, seq, key=KEY, number=1):
    """The same of a SYN after RFC 5925 and 5926, with HMAC-SHA-1-96."""
    blank = bytes([KIND_AO, 16, number, number]) + bytes(12)
    tcp = draft(version, source, port, "SYN", seq, 0, blank, b"")
    context = addrs(version) + struct.pack("!HHII", source, port, seq, 0)
    secret = hmac.digest(key, b"\1TCP-AO" + context + struct.pack("!H", 160),
                         "sha1")
    mac = hmac.digest(secret, bytes(4) + pseudo(version, tcp) + tcp, "sha1")
    return {"words": 9, "payload": blank[:4] + mac[:12]}


def listen(stage, version, port, *option):
    if (version, port) == (4, PLAIN):
        return stage.listener
    made = stage.listen(port=port, version=version)
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
    """Of the listeners, by port."""
    ports = [x.getsockname()[1] for x in listeners]
    return dict(zip(ports, judge.numbers(run, listeners)))


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
    if segment.get("outcome") == "refused":
        assert judge.pick(segment, ("verdict", "why")) == (
            ("proved", None) if number else
            ("explained", "refused before a hook could see which socket it "
             "was for"))


def check_reason(run, segment, name):
    """Only where the kernel gives one."""
    assert segment.get("drop_reason") == (
        name if run.sees("reason") else None), segment


def parts(told):
    """Of IPv4, then of IPv6."""
    half = len(told) // 2
    return (4, told[:half]), (6, told[half:])


def exchange_md5(stage, version, signed):
    """Each source port is of one version alone."""
    first, refused = version * 100, ("refused", "md5")

    def send(source, flags, shown, seq, ack=0, port=MD5, key=None,
             payload=b""):
        kind = {"payload": payload} if key is None else md5(
            version, first + source, port, flags, seq, ack, payload, key)
        return stage.send(first + source, flags, *shown, seq, ack, port=port,
                          version=version, **kind)

    assert not send(1, "SYN", refused, 1000)
    assert not send(2, "SYN", refused, 1000, key=WRONG)
    assert not send(3, "SYN", refused, 1000, port=PLAIN, key=KEY)
    stage.tun.send(first + 4, "SYN", 1000, port=MD5, version=version,
                   **md5(version, first + 4, MD5, "SYN", 1000))
    theirs = stage.tun.answer(first + 4) + 1 & 0xFFFFFFFF
    assert not send(4, "ACK", refused, 1001, theirs)
    send(4, "ACK", ("request", "child"), 1001, theirs, key=KEY)
    conn = stage.accept(signed)
    assert not send(4, "PSH|ACK", refused, 1001, theirs, payload=b"forged")
    assert send(4, "PSH|ACK", ("established", "taken_up"), 1001, theirs,
                key=KEY, payload=b"right") == [ACK]
    assert conn.recv(9) == b"right"
    conn.close()
    send(4, "ACK", ("established", "taken_up"), 1006, theirs + 1, key=KEY)
    # Data for nobody to read: the reset would have to be signed, and what is left
    # of the connection is not asked for its key.
    assert not send(4, "PSH|ACK", ("time_wait", "swallowed"), 1006, theirs + 1,
                    key=KEY, payload=b"late")
    # Whose key nobody has: not even a reset.
    stage.tun.replies()
    stage.tun.send(first + 5, "SYN", 1000, port=CLOSED, version=version,
                   **md5(version, first + 5, CLOSED, "SYN", 1000))
    assert not [x for x in stage.tun.replies() if x[2] == first + 5]


def test_md5(stage):
    signed, plain = ({x: listen(stage, x, port, *option(x)) for x in (4, 6)}
                     for port, option in (
        (MD5, lambda x: (socket.IPPROTO_TCP, TCP_MD5SIG, sockaddr(x) +
                         struct.pack("BBHi80s", 0, 0, len(KEY), 0, KEY))),
        (PLAIN, lambda x: ())))
    names = ["TCP_MD5NOTFOUND", "TCP_MD5FAILURE", "TCP_MD5UNEXPECTED",
             "TCP_MD5NOTFOUND", "TCP_MD5NOTFOUND"]
    with Trace([stage.here], "--detail") as run, counted(
            stage, TCPMD5NotFound=6, TCPMD5Failure=2, TCPMD5Unexpected=2):
        for version in 4, 6:
            exchange_md5(stage, version, signed[version])
    nobodys = [x for x in run.segments if x["lport"] == CLOSED]
    assert [judge.pick(x, ("outcome", "detail", "reset")) for x in nobodys] == [
        ("none", "silent" if run.sees("reset") else None, None)] * 2
    for version, told in parts(stage.check(run)):
        socks = numbers(run, [plain[version], signed[version]])
        request = told[4]["sock"] if run.sees("refused request") else (
            socks[MD5])
        child = told[4]["child"]
        wanted = [(socks[MD5], False), (socks[MD5], False),
                  (socks[PLAIN], False), (request, True), (child, True)]
        for segment, name, (number, carried) in zip(told[:4] + told[5:],
                                                    names, wanted):
            check_reason(run, segment, name)
            check_socket(run, segment, number, carried)
            # What is in the hash table has its place told.
            assert (segment.get("sock") in (told[4]["sock"], child)) is (
                "chain_position" in segment), segment
        assert told[6]["sock"] == child


def ao_key(version):
    key = sockaddr(version) + struct.pack(
        "64siIHBBBBBB80s", b"hmac(sha1)", 0, 0, 0, {4: 32, 6: 128}[version], 1,
        1, 12, 0, len(KEY), KEY)
    return socket.IPPROTO_TCP, TCP_AO_ADD_KEY, key + bytes(-len(key) % 8)


def exchange_ao(stage, version):
    first, refused = version * 100, ("refused", "ao")

    def send(source, shown, port=AO, **kind):
        if kind:
            kind = ao(version, first + source, port, 1000, **kind)
        return stage.send(first + source, "SYN", *shown, 1000, port=port,
                          version=version, **kind)

    assert not send(1, refused)
    assert not send(2, refused, key=WRONG)
    assert not send(3, refused, number=2)
    assert not send(4, refused, PLAIN, number=1)
    assert send(5, ("listener", "request_made"), number=1)


def test_ao(stage):
    """As MD5, of a SYN alone."""
    try:
        signed = {x: listen(stage, x, AO, *ao_key(x)) for x in (4, 6)}
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            raise
        pytest.skip(f"this kernel has no TCP-AO: {error}")
    plain = {x: listen(stage, x, PLAIN) for x in (4, 6)}
    with Trace([stage.here]) as run, counted(
            stage, TCPAORequired=2, TCPAOBad=2, TCPAOKeyNotFound=4,
            TCPAOGood=2):
        for version in 4, 6:
            exchange_ao(stage, version)
    for version, told in parts(stage.check(run)):
        socks = numbers(run, [plain[version], signed[version]])
        for segment, name, port in zip(told, (
                "TCP_AONOTFOUND", "TCP_AOFAILURE", "TCP_AOKEYNOTFOUND",
                "TCP_AOUNEXPECTED"), (AO, AO, AO, PLAIN)):
            check_reason(run, segment, name)
            check_socket(run, segment, socks[port])


def xfrm_blocked(stage):
    with stage.here.inside(), open("/proc/thread-self/net/xfrm_stat") as table:
        return dict(x.split() for x in table)["XfrmInPolBlock"]


def test_policy(stage):
    """IPsec's: from two ports of the peer nothing is to come in."""
    subprocess.run(["modprobe", "-q", "xfrm_user"], check=False)
    plain = {x: listen(stage, x, PLAIN) for x in (4, 6)}
    for version, source in itertools.product((4, 6), (1, 3)):
        here, there = ENDS[version]
        try:
            ip("-n", stage.here.name, "xfrm", "policy", "add", "src", there,
               "dst", here, "proto", "tcp", "sport",
               str(version * 100 + source), "dir", "in", "action", "block")
        except subprocess.CalledProcessError:
            pytest.skip("this kernel has no IPsec policies")
    assert xfrm_blocked(stage) == "0"
    with Trace([stage.here]) as run:
        for version in 4, 6:
            def send(source, *shown, port=PLAIN):
                return stage.send(version * 100 + source, "SYN", *shown, 1000,
                                  port=port, version=version)

            assert not send(1, "refused", "policy")
            assert send(2, "listener", "request_made")
            # Nobody's: on 5.10 nothing tells that there was no socket.
            assert not send(3, "none", "denied", port=CLOSED)
    assert xfrm_blocked(stage) == "4"
    for version, told in parts(stage.check(run)):
        check_socket(run, told[0], numbers(run, [plain[version]])[PLAIN])
        check_reason(run, told[0], "XFRM_POLICY")
        check_reason(run, told[2], "NO_SOCKET")


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


def own_listeners(stage, version, inside):
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    return [listen(stage, version, PLAIN),
            listen(stage, version, TTL, *MINIMUM[version], 65),
            listen(stage, version, FILTER, socket.SOL_SOCKET, SO_ATTACH_FILTER,
                   struct.pack("HP", 1, ctypes.addressof(code))),
            inside(listen, stage, version, CGROUP)]


def test_listeners_own(stage):
    """What a listener asks for itself: a minimum TTL (of IPv6: hop limit), a
    socket filter, and a BPF program of its cgroup."""
    with refusing_cgroup() as inside:
        listeners = {x: own_listeners(stage, x, inside) for x in (4, 6)}
        with Trace([stage.here]) as run, counted(stage, TCPMinTTLDrop=2):
            for version in 4, 6:
                def send(source, *shown, port):
                    return stage.send(version * 100 + source, "SYN", *shown,
                                      1000, port=port, version=version)

                assert not send(1, "refused", "ttl", port=TTL)
                assert not send(2, "refused", "filter", port=FILTER)
                assert not send(3, "refused", "filter", port=CGROUP)
                listeners[version][1].setsockopt(*MINIMUM[version], 64)
                for source, port in (4, TTL), (5, PLAIN):
                    assert send(source, "listener", "request_made", port=port)
    for version, told in parts(stage.check(run)):
        socks = numbers(run, listeners[version])
        for segment, port in zip(told, (TTL, FILTER, CGROUP, TTL, PLAIN)):
            check_socket(run, segment, socks[port])
        check_reason(run, told[0],
                     "TCP_MINTTL" if run.sees("ttl") else "NOT_SPECIFIED")
        for segment in told[1:3]:
            check_reason(run, segment, "SOCKET_FILTER")
