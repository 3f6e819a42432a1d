# SPDX-License-Identifier: GPL-2.0-only
"""Which of several listeners, by an account of the test's own: what `ss` lists of
them, scored here after the rules of the lookup; and the listener that accepts."""

import collections
import contextlib
import os
import random
import re
import socket
import subprocess

import judge
import peers
from test_why import GROUPED, Listeners, candidates, syns
from tracer import Trace

PORT, PORTS = 12300, 6
SO_INCOMING_CPU = 49
ANY = "0.0.0.0", "::"

Row = collections.namedtuple("Row", "inode addr device port family only6")


def listed(namespace):
    """The listeners, as `ss -tlne` has them."""
    said = subprocess.run(["ip", "netns", "exec", namespace.name, "ss",
                           "-Htlne"], capture_output=True, text=True,
                          check=True).stdout
    for line in said.splitlines():
        place = line.split()[3]
        found = re.fullmatch(r"(\[[^]]*\]|[^%]*?)(?:%(\w+))?:(\d+)", place)
        addr, device, port = found.groups()
        six = "v6only:" in line
        yield Row(int(re.search(r"\bino:(\d+)", line)[1]),
                  {"*": "::", "[::]": "::"}.get(addr, addr.strip("[]")),
                  device, int(port), 6 if six else 4, "v6only:1" in line)


def scored(rows, namespace, addr, port, device):
    """Those that may have a segment for @addr and @port that comes in by @device:
    (inode, address, device, score), without their order in the kernel's lists."""
    family = 6 if ":" in addr else 4
    for row in rows:
        if row.port != port or row.device not in (None, device):
            continue
        if row.family == 4 and family == 6 or row.only6 and family == 4:
            continue
        if row.addr not in (addr, *ANY):
            continue
        yield (row.inode, row.addr,
               namespace.index(device) if row.device else 0,
               1 + bool(row.device) + (family == 4 and row.family == 4))


def shown(event, inodes):
    """The same of the tool's list, in its order."""
    for one in event.get("candidate_list", "").split():
        number, addr, device, score = re.fullmatch(
            r"#(\d+)@([^%=]+)(?:%(\d+))?=(\d+)", one).groups()
        yield inodes[int(number)], addr, int(device or 0), int(score)


def make_some(listeners, chance):
    """At random, but no two with the same place."""
    places = [(addr, device) for addr in ("0.0.0.0", "127.0.0.1", "127.0.0.2",
                                          "::", "::1")
              for device in (None, b"lo")]
    for port in range(PORT, PORT + PORTS):
        for addr, device in chance.sample(places, chance.randint(1, 5)):
            listeners.make(f"{port} {addr} {device}", port, addr, device)


def test_against_ss(labs):
    """Random listeners; who could have had each SYN, and who had it."""
    lab = labs.loopback()
    listeners = Listeners(lab.server)
    chance = random.Random(4)
    wanted = []
    with listeners.stack:
        make_some(listeners, chance)
        inodes = {os.fstat(y.fileno()).st_ino: x
                  for x, y in listeners.named.items()}
        rows = list(listed(lab.server))
        assert {x.inode for x in rows} == set(inodes)
        with Trace(lab.namespaces, "--detail") as run:
            for port in range(PORT, PORT + PORTS):
                for addr in "127.0.0.1", "127.0.0.3", "::1":
                    best = list(scored(rows, lab.server, addr, port, "lo"))
                    wanted.append((best, ask(listeners, addr, port)))
    judge.check_accounting(run)
    judge.check_proved(run)
    socks = {x["sock"]: x["inode"] for x in run.sockets if "inode" in x}
    for event, (best, name) in zip(syns(run), wanted, strict=True):
        told = list(shown(event, socks))
        assert sorted(told) == sorted(best)
        assert event["candidates"] == len(best)
        if not best:
            assert name is None and "won_by" not in event
            continue
        # All have SO_REUSEPORT, so the one that is looked at first has it.
        assert inodes[told[0][0]] == name == inodes[socks[event["sock"]]]
        assert [x[1] in ANY for x in told] == sorted(x[1] in ANY for x in told)
        assert event["won_by"] == rule(*told)


def ask(listeners, addr, port):
    """Returns the name of the listener that accepts, None if there is none."""
    try:
        return listeners.connect(addr, port)[0]
    except ConnectionRefusedError:
        return None


def rule(first, *others):
    """That by which @first won, after docs/formats.md."""
    if not others:
        return "only"
    near = [x for x in others if (x[1] in ANY) == (first[1] in ANY)]
    if not near:
        return "address"
    second = max(near, key=lambda x: x[3])
    if second[3] >= first[3]:
        return "reuseport"
    return "device" if first[2] and not second[2] else "family"


def bind_to(sock, device):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)


def test_of_equals(labs):
    """Two plain listeners with one place: each was bound to a device of its own
    when it began to listen. The newer one wins, and then the one that asks for
    this CPU; in a group as well, on kernels whose groups heed that."""
    lab = labs.veth()
    lab.client = lab.server
    listeners = Listeners(lab.server)
    group = Listeners(lab.server)
    with contextlib.ExitStack() as stack:
        stack.enter_context(listeners.stack)
        stack.enter_context(group.stack)
        cpu = max(os.sched_getaffinity(0))
        stack.enter_context(peers.on({cpu}))
        listeners.make("older", PORT, device=b"lo", reuse=0)
        listeners.make("newer", PORT, device=b"eth0", reuse=0)
        for sock in listeners.named.values():
            bind_to(sock, b"")
        for name in "012":
            group.make(name, PORT + 1)
        with Trace([lab.server], "--detail") as run:
            assert listeners.connect("127.0.0.1", PORT)[0] == "newer"
            listeners.named["older"].setsockopt(socket.SOL_SOCKET,
                                                SO_INCOMING_CPU, cpu)
            assert listeners.connect("127.0.0.1", PORT)[0] == "older"
            group.named["1"].setsockopt(socket.SOL_SOCKET, SO_INCOMING_CPU,
                                        cpu)
            had = [group.connect("127.0.0.1", PORT + 1)[0] for _ in range(12)]
        names = listeners.names(run) | group.names(run)
    judge.check_accounting(run)
    judge.check_proved(run)
    first, second, *grouped = syns(run)
    place = "@0.0.0.0="
    assert [(names[x["sock"]], candidates(x, names), x["won_by"])
            for x in (first, second)] == [
        ("newer", f"newer{place}2 older{place}2", "newest"),
        ("older", f"newer{place}2 older{place}3", "incoming_cpu")]
    assert {x["cpu"] for x in run.segments} == {cpu}
    # 5.10's groups do not ask for it.
    by = "cpu" if set(had) == {"1"} else "hash"
    for event, name in zip(grouped, had, strict=True):
        assert judge.pick(event, GROUPED) == (3, "reuseport", 3, by, int(name))
