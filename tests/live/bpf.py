# SPDX-License-Identifier: GPL-2.0-only
"""The few BPF programs that tests put in a segment's way: written out in
instructions, loaded by bpf(2) itself, and gone when their descriptors are
closed."""

import contextlib
import ctypes
import errno
import os
import resource
import socket
import struct

SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
MAP_CREATE, MAP_UPDATE, PROG_LOAD, LINK_CREATE = 0, 2, 5, 28
OBJ_GET_INFO_BY_FD, RAW_TRACEPOINT_OPEN, MAP_LOOKUP_BATCH = 15, 17, 24
ARRAY = 2
SOCKMAP, SK_LOOKUP, SCHED_CLS, ATTACH_SK_LOOKUP = 15, 30, 3, 36
CGROUP_SKB, ATTACH_CGROUP_INGRESS = 8, 0
LSM, ATTACH_LSM = 29, 27
SK_REUSEPORT, SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF = 21, 51, 52
MAP_LOOKUP_ELEM, SKB_LOAD_BYTES, SK_RELEASE, SK_ASSIGN = 1, 26, 86, 124
DROP, PASS = 0, 1
CONST, ZERO, EQUAL, NOT_EQUAL = 0xB7, 0, 0x15, 0x55
LOCAL_PORT = 60  # of struct bpf_sk_lookup, in host order
SKC_NUM, SKC_FAMILY = 14, 16  # of struct sock, on every kernel here

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    buffer = ctypes.create_string_buffer(attr, max(len(attr), 128))
    result = libc.syscall(SYS_BPF, command, buffer, len(buffer))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return result


def insn(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("BBhi", code, dst | src << 4, off, imm)


def move(dst, src):
    return insn(0xBF, dst, src)


def const(dst, value):
    return insn(CONST, dst, imm=value)


def call(helper):
    return insn(0x85, imm=helper)


def exit_with(value):
    return const(0, value) + insn(0x95)


def jump(condition, dst, value, over):
    """Over that much code."""
    return insn(condition, dst, off=len(over) // 8, imm=value) + over


def assign(sockmap):
    """Gives what r6 is about to the one socket of @sockmap."""
    give = (move(7, 0) + move(1, 6) + move(2, 7) + const(3, 0) +
            call(SK_ASSIGN) + move(1, 7) + call(SK_RELEASE))
    return (insn(0x62, 10, off=-4, imm=0) +
            insn(0x18, 1, 1, imm=sockmap) + insn(0) +
            move(2, 10) + insn(0x07, 2, imm=-4) + call(MAP_LOOKUP_ELEM) +
            jump(EQUAL, 0, 0, give))


def load(kind, code, attach=0, function=0):
    log = ctypes.create_string_buffer(1 << 16)
    code = ctypes.create_string_buffer(code, len(code))
    license = ctypes.create_string_buffer(b"GPL")
    # ... log_buf; version, flags, name, ifindex; expected_attach_type;
    # what tells of types and lines; attach_btf_id
    attr = struct.pack("IIQQIIQII16sII36xI", kind, len(code) // 8,
                       ctypes.addressof(code), ctypes.addressof(license), 1,
                       len(log), ctypes.addressof(log), 0, 0, b"", 0, attach,
                       function)
    try:
        return bpf(PROG_LOAD, attr)
    except OSError as error:
        raise AssertionError(f"{error}: {log.value.decode()}") from None


def program_id(fd):
    info = ctypes.create_string_buffer(8)
    bpf(OBJ_GET_INFO_BY_FD, struct.pack("IIQ", fd, len(info),
                                        ctypes.addressof(info)))
    return struct.unpack("II", info)[1]


def poll_a_map(cpus):
    """For peers.beside(): while it is in bpf(), or is preempted in it, no program of a
    perf event, as a kprobe's is, runs on that CPU."""
    os.sched_setaffinity(0, cpus)
    count, size = 100, 4096
    fd = bpf(MAP_CREATE, struct.pack("IIIII", ARRAY, 4, size, count, 0))
    buffers = [ctypes.create_string_buffer(x)
               for x in (4, 4 * count, size * count)]
    # Begin with the first, note where it ended
    attr = struct.pack("QQQQIIQQ", 0, *map(ctypes.addressof, buffers), count, fd,
                       0, 0)
    while True:
        try:
            bpf(MAP_LOOKUP_BATCH, attr)
        except FileNotFoundError:
            pass  # That was all.


class Program:
    """`with`: what it holds is closed at the end."""

    def __init__(self, listener):
        key, value = struct.pack("I", 0), struct.pack("Q", listener.fileno())
        self.fds = [bpf(MAP_CREATE, struct.pack("IIIII", SOCKMAP, 4, 8, 1, 0))]
        keys = ctypes.create_string_buffer(key), ctypes.create_string_buffer(
            value)
        bpf(MAP_UPDATE, struct.pack("IIQQQ", self.fds[0], 0,
                                    *map(ctypes.addressof, keys), 0))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for fd in self.fds[::-1]:
            os.close(fd)


class SkLookup(Program):
    """In that namespace: who asks for @port gets @listener, who asks for
    @refused nobody."""

    def __init__(self, namespace, port, listener, refused):
        super().__init__(listener)
        code = (move(6, 1) + insn(0x61, 7, 6, LOCAL_PORT) +
                jump(NOT_EQUAL, 7, refused, exit_with(DROP)) +
                jump(NOT_EQUAL, 7, port, assign(self.fds[0])) +
                exit_with(PASS))
        self.fds.append(load(SK_LOOKUP, code, ATTACH_SK_LOOKUP))
        self.id = program_id(self.fds[1])
        self.fds.append(bpf(LINK_CREATE, struct.pack(
            "IIII", self.fds[1], namespace.fd, ATTACH_SK_LOOKUP, 0)))


def choose_member(sock, number):
    """A classic program for the SO_REUSEPORT group of @sock."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, number))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
                    struct.pack("HL", 1, ctypes.addressof(code)))


def choose_nobody(sock):
    """That group's program says SK_DROP."""
    program = load(SK_REUSEPORT, exit_with(DROP))
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, program)
    finally:
        os.close(program)


@contextlib.contextmanager
def unlimited_memory():
    """Before 5.11 what the maps of a running trace have counts too."""
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, [resource.RLIM_INFINITY] * 2)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, before)


@contextlib.contextmanager
def security_module(hook, port):
    """One that at this hook refuses what is for sockets of that port."""
    function = ctypes.CDLL("libbpf.so.1").libbpf_find_vmlinux_btf_id(
        hook.encode(), ATTACH_LSM)
    if function < 0:
        raise OSError(-function, "libbpf_find_vmlinux_btf_id")
    code = (insn(0x79, 1, 1) + insn(0x69, 2, 1, SKC_FAMILY) +
            jump(EQUAL, 2, socket.AF_INET,
                 jump(EQUAL, 2, socket.AF_INET6, exit_with(0))) +
            insn(0x69, 2, 1, SKC_NUM) +
            jump(NOT_EQUAL, 2, port, exit_with(-errno.EPERM)) + exit_with(0))
    with unlimited_memory():
        fds = [load(LSM, code, ATTACH_LSM, function)]
    try:
        fds.append(bpf(RAW_TRACEPOINT_OPEN, struct.pack("QI", 0, fds[0])))
        yield
    finally:
        for fd in fds[::-1]:
            os.close(fd)


RTM_NEWTFILTER, ACK_CREATE = 44, 0x1 | 0x4 | 0x400
KIND, OPTIONS, BPF_FD, BPF_NAME, BPF_FLAGS, DIRECT_ACTION = 1, 2, 6, 7, 8, 1
CLSACT_INGRESS, ETH_P_ALL = 0xFFFFFFF2, 3
TC_ACT_UNSPEC = -1  # the next program is asked


def attribute(kind, value):
    return (struct.pack("HH", 4 + len(value), kind) + value +
            bytes(-len(value) % 4))


def attach_to_ingress(namespace, device, fd):
    """What `tc filter add ... ingress bpf da` does, but with no pinned file:
    the device has to have a clsact qdisc."""
    options = (attribute(BPF_FD, struct.pack("I", fd)) +
               attribute(BPF_NAME, b"test\0") +
               attribute(BPF_FLAGS, struct.pack("I", DIRECT_ACTION)))
    body = struct.pack("BxxxiIII", 0, namespace.index(device), 0,
                       CLSACT_INGRESS, 1 << 16 | socket.htons(ETH_P_ALL))
    body += attribute(KIND, b"bpf\0") + attribute(OPTIONS, options)
    with namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.send(struct.pack("IHHII", 16 + len(body), RTM_NEWTFILTER,
                                 ACK_CREATE, 1, 0) + body)
        error = struct.unpack_from("i", netlink.recv(4096), 16)[0]
    if error:
        raise OSError(-error, os.strerror(-error))


class SkAssign(Program):
    """At the ingress of @device: a SYN, or a datagram, to @port is
    @listener's."""

    def __init__(self, namespace, device, port, listener):
        super().__init__(listener)

        def fetch(at, size):
            return (move(1, 6) + const(2, at) + move(3, 10) +
                    insn(0x07, 3, imm=-8) + const(4, size) +
                    call(SKB_LOAD_BYTES))

        # Ethernet and IPv4 without options.
        is_it = assign(self.fds[0])
        if listener.type == socket.SOCK_STREAM:
            is_it = (fetch(47, 1) + insn(0x71, 7, 10, -8) +
                     insn(0x57, 7, imm=0x12) + jump(NOT_EQUAL, 7, 2, is_it))
        code = (move(6, 1) + insn(0x7A, 10, off=-8, imm=0) + fetch(36, 2) +
                insn(0x69, 7, 10, -8) +
                jump(NOT_EQUAL, 7, socket.htons(port), is_it) +
                exit_with(TC_ACT_UNSPEC))
        self.fds.append(load(SCHED_CLS, code))
        attach_to_ingress(namespace, device, self.fds[1])
