# SPDX-License-Identifier: GPL-2.0-only
"""Why it was this socket: which listeners there were, by which rule one won, and
what stands in the kernel's tables. The judges are the rules of the lookup, the
test's own sockets, sysctls and /proc/net/tcp."""

import contextlib
import ctypes
import os
import select
import socket
import struct
import subprocess

import pytest

import judge
from lab import NewNamespace
from tracer import Trace

PORT, CLOSED = 12000, 12999
SO_ATTACH_REUSEPORT_CBPF = 51
BPF_RET_2 = struct.pack("HBBI", 6, 0, 0, 2)
LISTEN = "0A"
PICKED = "candidates", "candidate_list", "won_by"
GROUPED = "candidates", "won_by", "group_size", "group_by", "group_index"
FOUND = "hash_slots", "hash_slot", "chain_length", "chain_position"


class Listeners:
    """A test's own, by name, all with SO_REUSEPORT: others with one port may not
    be on an address and on any."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.stack = contextlib.ExitStack()
        self.named = {}

    def make(self, name, port, addr="0.0.0.0", device=None, reuse=1):
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        made = self.stack.enter_context(
            self.namespace.socket(family, socket.SOCK_STREAM))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if device:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
        made.bind((addr, port))
        made.listen()
        self.named[name] = made

    def connect(self, addr, port, own_port=0):
        """Returns the name of the listener that has it, and the SYN's source
        port. Both ends are gone then, and leave no TIME_WAIT."""
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        with self.namespace.socket(family, socket.SOCK_STREAM) as client:
            client.bind((addr, own_port))
            client.connect((addr, port))
            source = client.getsockname()[1]
            ready = select.select(self.named.values(), [], [], 20)[0]
            (name,) = [x for x, y in self.named.items() if y in ready]
            conn, _ = self.named[name].accept()
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            conn.close()
        return name, source

    def names(self, run):
        """Of the tool's sockets, which are known by their inodes."""
        inodes = {os.fstat(y.fileno()).st_ino: x
                  for x, y in self.named.items()}
        return {x["sock"]: inodes[x["inode"]] for x in run.sockets
                if x.get("inode") in inodes}


@pytest.fixture
def lab(labs):
    return labs.loopback()


@pytest.fixture
def listeners(lab):
    made = Listeners(lab.server)
    with made.stack:
        yield made


def syns(run):
    return [x for x in run.segments if x["flags"] == "SYN"]


def candidates(event, names):
    """The list, with the test's names for the sockets."""
    shown = []
    for one in event.get("candidate_list", "").split():
        number, rest = one.split("@")
        shown.append(names[int(number.lstrip("#"))] + "@" + rest)
    return " ".join(shown)


# By port: the listeners in the order in which they are made, and then where a
# client connects to, who has it, who could have had it, and why.
RULES = {
    PORT: ([("alone", "0.0.0.0", None, 0)],
           [("127.0.0.1", "alone", "alone@0.0.0.0=2", "only")]),
    PORT + 1: ([("any", "0.0.0.0"), ("own", "127.0.0.1")],
               [("127.0.0.1", "own", "own@127.0.0.1=2 any@0.0.0.0=2",
                 "address"),
                ("127.0.0.2", "any", "any@0.0.0.0=2", "only")]),
    PORT + 2: ([("unbound", "0.0.0.0"), ("bound", "0.0.0.0", b"lo")],
               [("127.0.0.1", "bound",
                 "bound@0.0.0.0%1=3 unbound@0.0.0.0=2", "device")]),
    # The newest stands first, and a group ends the search.
    PORT + 3: ([("later bound", "0.0.0.0", b"lo"), ("first", "0.0.0.0")],
               [("127.0.0.1", "first",
                 "first@0.0.0.0=2 later bound@0.0.0.0%1=3", "reuseport")]),
    PORT + 4: ([("four", "0.0.0.0"), ("six", "::")],
               [("127.0.0.1", "four", "four@0.0.0.0=2 six@::=1", "family"),
                ("::1", "six", "six@::=1", "only")]),
}


def test_rules(lab, listeners):
    wanted = []
    for port, (made, _) in RULES.items():
        for name, *more in made:
            listeners.make(name, port, *more)
    with Trace(lab.namespaces, "--detail") as run:
        for port, (_, asked) in RULES.items():
            for addr, winner, shown, rule in asked:
                assert listeners.connect(addr, port)[0] == winner
                wanted.append((winner, shown, rule))
        with pytest.raises(ConnectionRefusedError):
            listeners.connect("127.0.0.1", CLOSED)
    judge.check_accounting(run)
    judge.check_proved(run)
    names = listeners.names(run)
    *told, last = syns(run)
    assert [(names[x["sock"]], candidates(x, names), x["won_by"])
            for x in told] == wanted
    for event in told:
        assert event["candidates"] == len(event["candidate_list"].split("#")) - 1
    assert judge.pick(last, PICKED) == (0, None, None)
    for event in run.segments:
        if event["outcome"] == "established":
            assert judge.pick(event, PICKED) == (None, None, None)


def test_groups(lab, listeners):
    """Of three, that choose by hash; and of three that a program chooses of."""
    for name in "012345":
        listeners.make(name, PORT + (name > "2"))
    code = ctypes.create_string_buffer(BPF_RET_2)
    listeners.named["3"].setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
        struct.pack("HP", 1, ctypes.addressof(code)))
    with Trace(lab.namespaces, "--detail") as run:
        chosen = [listeners.connect("127.0.0.1", PORT) for _ in range(12)]
        # The same two ends once more.
        chosen.append(listeners.connect("127.0.0.1", PORT, chosen[0][1]))
        assert listeners.connect("127.0.0.1", PORT + 1)[0] == "5"
    judge.check_accounting(run)
    judge.check_proved(run)
    names = listeners.names(run)
    *told, last = syns(run)
    assert [(names[x["sock"]], x["rport"]) for x in told] == chosen
    assert len({x["group_index"] for x in told}) > 1
    for event in told:
        # In the order in which they began to listen.
        assert judge.pick(event, GROUPED) == (
            3, "reuseport", 3, "hash", int(names[event["sock"]]))
        if run.sees("group hash"):
            assert event["group_hash"] * 3 >> 32 == event["group_index"]
    assert told[0].get("group_hash") == told[-1].get("group_hash")
    # A port that was let go may be had again.
    assert len({x.get("group_hash") for x in told}) == (
        len({x["rport"] for x in told}) if run.sees("group hash") else 1)
    assert judge.pick(last, GROUPED) == (3, "reuseport", 3, "bpf", 2)


def hash_slots(namespace):
    """As the kernel tells it; a namespace that shares the host's has it
    negative."""
    try:
        with namespace.inside(), open(
                "/proc/sys/net/ipv4/tcp_ehash_entries") as file:
            return abs(int(file.read()))
    except FileNotFoundError:
        log = subprocess.run(["dmesg"], capture_output=True, text=True,
                             check=True).stdout
        return int(log.split("TCP established hash table entries: ")[1]
                   .split()[0])


def chain(namespace):
    """What /proc/net/tcp lists of the established hash, slot by slot, each from
    its head: (local port, remote port)."""
    with namespace.inside(), open("/proc/thread-self/net/tcp") as table:
        rows = [x.split() for x in table][1:]
    return [tuple(int(x.split(":")[1], 16) for x in row[1:3])
            for row in rows if row[3] != LISTEN]


def exchange(listener, clients):
    """A byte each way. Where two CPUs bring the last ACKs, the accept queue may
    have another order than the clients."""
    by_name = {client.getsockname(): client for client in clients}
    for _ in clients:
        server, name = listener.accept()
        client = by_name[name]
        with server:
            client.sendall(b"x")
            server.recv(1)
            server.sendall(b"y")
            client.recv(1)
            yield server


def make_one_bucket(labs):
    """A namespace whose established hash has a single slot."""
    above = labs.namespace()
    try:
        above.sysctl("tcp_child_ehash_entries", 1)
    except FileNotFoundError:
        pytest.skip("one established hash for all namespaces (before 6.1)")
    with above.inside():
        made = NewNamespace()
    labs.stack.callback(made.close)
    return made


def talk_in_chain(here, ends):
    """Each end of each connection says something; where they stand meanwhile."""
    before = chain(here)
    for end in ends:
        end.sendall(b"x")
    for end in ends:
        end.recv(1)
    assert chain(here) == before
    return before


def test_one_bucket(labs):
    """All sockets stand in one chain: /proc/net/tcp has it in its order."""
    here = make_one_bucket(labs)
    with contextlib.ExitStack() as stack:
        with here.inside():
            listener = stack.enter_context(
                socket.create_server(("127.0.0.1", PORT)))
            ends = [stack.enter_context(
                socket.create_connection(("127.0.0.1", PORT)))
                for _ in range(4)]
        ends += [stack.enter_context(listener.accept()[0]) for _ in range(4)]
        with Trace([here], "--detail") as run:
            before = talk_in_chain(here, ends)
            with here.inside():
                ends.append(stack.enter_context(
                    socket.create_connection(("127.0.0.1", PORT))))
    assert len(before) == 8
    judge.check_accounting(run)
    data = [x for x in run.segments if x.get("len")]
    assert len(data) == 8
    for event in data:
        ports = event["lport"], event["rport"]
        assert judge.pick(event, FOUND) == (1, 0, 8, before.index(ports))
    # The one that asks, in SYN_SENT, is there too.
    (syn,) = syns(run)
    assert judge.pick(syn, FOUND) == (1, 0, 9, None)


def test_long_chain_and_bucket(labs):
    """Walks are bounded: of more than 128 sockets in a chain, and more than 64
    listeners in a bucket, the number is not told, and what is told is right."""
    here = make_one_bucket(labs)
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        listener = enter(here.socket())
        listener.bind(("127.0.0.1", PORT))
        listener.listen(8)
        group = Listeners(here)
        enter(group.stack)
        for name in range(65):
            group.make(name, PORT + 1)
        ends = []
        for _ in range(70):
            ends.append(enter(here.socket()))
            ends[-1].connect(("127.0.0.1", PORT))
            ends.append(enter(listener.accept()[0]))
        with Trace([here], "--detail") as run:
            before = talk_in_chain(here, ends)
            chosen, _ = group.connect("127.0.0.1", PORT + 1)
    judge.check_accounting(run)
    judge.check_proved(run)
    data = [x for x in run.segments if x.get("len")]
    assert len(data) == len(before) == 140
    places = [x["chain_position"] for x in data if "chain_position" in x]
    assert set(range(128)) <= set(places) <= set(range(140))
    for event in data:
        place = before.index((event["lport"], event["rport"]))
        assert event.get("chain_position", place) == place
        assert "chain_length" not in event
    (syn,) = syns(run)
    assert judge.pick(syn, (*PICKED, "group_size", "group_index")) == (
        None, None, None, 65, chosen)


def test_slots(lab):
    """Where the table is large: its size, one slot for one pair of ends, and the
    order of the slots, in which /proc/net/tcp goes through them."""
    slots = hash_slots(lab.server)
    with contextlib.ExitStack() as stack:
        with lab.server.inside():
            listener = stack.enter_context(
                socket.create_server(("127.0.0.1", PORT)))
        with Trace(lab.namespaces, "--detail") as run:
            with lab.server.inside():
                clients = [stack.enter_context(
                    socket.create_connection(("127.0.0.1", PORT)))
                    for _ in range(8)]
            in_order = chain(lab.server)
            list(exchange(listener, clients))
    judge.check_proved(run)
    found, places = {}, {}
    for event in run.segments:
        if event["outcome"] != "established":
            continue
        assert event["hash_slots"] == slots
        assert 0 <= event["chain_position"] < event["chain_length"]
        found.setdefault((event["lport"], event["rport"]), set()).add(
            event["hash_slot"])
        if event["len"]:
            places[event["lport"], event["rport"]] = (
                event["hash_slot"], event["chain_position"])
    assert len(found) == len(places) == 16
    assert sorted(places, key=places.get) == in_order
    assert all(len(x) == 1 for x in found.values())
    taken = set.union(*found.values())
    assert max(taken) < slots
    assert len(taken) > 8


def test_options(lab):
    shown = []
    with lab.server.inside():
        listener = socket.create_server(("127.0.0.1", PORT))
    with listener, Trace(lab.namespaces, "--detail") as run:
        for wanted in 1, 0:
            for name in "sack", "timestamps", "window_scaling":
                lab.server.sysctl("tcp_" + name, wanted)
            with lab.server.socket() as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
                client.connect(("127.0.0.1", PORT))
                client.sendall(b"x")
                with listener.accept()[0] as server:
                    server.recv(1)
    for event in run.segments:
        if event["flags"] == "SYN" or event.get("len"):
            shown.append(event.get("options", "").split(","))
    assert shown[0][:3] == ["mss=1000", "sackok", "ts"]
    assert shown[0][3].startswith("wscale=")
    assert shown[1:] == [["ts"], ["mss=1000"], [""]]
