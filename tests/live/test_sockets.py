# SPDX-License-Identifier: GPL-2.0-only
"""The list of sockets: row by row what ss(8) and lsof(8) have, whichever way
they are read; and with a trace, what came to each."""

import json
import os
import pwd
import re
import signal
import struct
import subprocess

import pytest

import peers
from crowd import in_order, key_of, rows_of, ss_lines, ss_rows
from tracer import TOOL, run_tool, start_tool

WAYS = {"iterators": "x", "no_tables": "iter_tcp,iter_udp",
        "no_files": "iter_task_file",
        "neither": "iter_tcp,iter_udp,iter_task_file"}
PROTOS = "tcp", "udp"


def listed(*options):
    done = run_tool("sockets", "-j", *options)
    assert done.returncode == 0, done.stderr.decode()
    assert b"warning" not in done.stderr, done.stderr.decode()
    events = [json.loads(x) for x in done.stdout.splitlines()]
    assert {x["event"] for x in events} <= {"socket"}
    return events


def of(events, namespace, proto):
    return [x for x in events if (x["netns"], x["proto"]) == (namespace.inode,
                                                              proto)]


# --- as ss has it ------------------------------------------------------------


def ss_cookies(namespace, proto):
    """And the uid of the sockets' owners."""
    rows = {}
    for key, rest in ss_lines(namespace, proto):
        cookie = int(re.search(r"\bsk:([0-9a-f]+)", rest)[1], 16)
        rows.setdefault(key, set()).add(cookie)
    return rows


def cookies(events):
    rows = {}
    for event in events:
        rows.setdefault(key_of(event), set()).add(event["cookie"])
    return rows


@pytest.mark.parametrize("way", WAYS)
def test_row_by_row_as_ss(crowd, way):
    events = listed("--without", WAYS[way])
    seen = set()
    for namespace in crowd.lab.namespaces:
        for proto in PROTOS:
            own = of(events, namespace, proto)
            got = rows_of(own, namespace)
            assert in_order(got) == in_order(ss_rows(namespace, proto))
            assert cookies(own) == ss_cookies(namespace, proto)
            seen |= {x[4] for x in got}
    assert seen >= {"LISTEN", "ESTABLISHED", "SYN_SENT", "SYN_RECV",
                    "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "TIME_WAIT",
                    "CONNECTED", "UNCONNECTED"}
    assert "CLOSE" not in seen
    assert any("sock_ifindex" in x for x in events)
    check_owners(events, crowd)
    check_filters(crowd, way)


def check_owners(events, crowd):
    mine = [x for x in events if x.get("pid") == os.getpid()]
    assert len(mine) > 30
    assert {(x["uid"], x["user"]) for x in mine} == {
        (os.getuid(), pwd.getpwuid(os.getuid()).pw_name)}
    shared = [x for x in events if x.get("pid") == crowd.child.pid]
    assert len(shared) == len(mine)
    assert {x["owners"] for x in mine + shared} == {2}
    assert not any("segments" in x or "bytes" in x for x in events)


def check_filters(crowd, way):
    server = crowd.lab.server
    without = "--without", WAYS[way], "--netns", str(server.inode)
    everything = listed(*without)
    assert {x["netns"] for x in everything} == {server.inode}
    port = str(peers.IPV6.port)
    for options, wanted in ((("-t",), lambda x: x["proto"] == "tcp"),
                            (("-u",), lambda x: x["proto"] == "udp"),
                            (("-P", port), lambda x: x["lport"] == int(port)),
                            (("-p", str(os.getpid())),
                             lambda x: x.get("pid") == os.getpid())):
        some = listed(*without, *options)
        assert some
        assert ([without_numbers(x) for x in some] ==
                [without_numbers(x) for x in everything if wanted(x)])


def without_numbers(event):
    return {x: y for x, y in event.items()
            if x not in ("time", "mono_ns", "sock", "parent", "owners")}


def test_listeners_of_what_waits(crowd):
    events = of(listed(), crowd.lab.server, "tcp")
    number = {x["lport"]: x["sock"] for x in events
              if x["sock_state"] == "LISTEN"}
    waiting = [x for x in events if "parent" in x]
    assert sorted(x["sock_state"] for x in waiting) == [
        "ESTABLISHED"] * 3 + ["SYN_RECV"]
    assert all(x["parent"] == number[x["lport"]] for x in waiting)


# --- as lsof has it ------------------------------------------------------------


def lsof_rows(namespace):
    """{(pid, comm, user, fd, proto, local port, remote port)}"""
    said = subprocess.run(
        ["ip", "netns", "exec", namespace.name, "lsof", "-nPw", "+c0", "-i",
         "-F", "pcLfPn"], check=True, capture_output=True, text=True)
    rows, process, file = set(), {}, {}
    for line in said.stdout.splitlines():
        kind, text = line[0], line[1:]
        if kind == "p":
            process = {"p": text}
        elif kind in "cL":
            process[kind] = text
        else:
            file[kind] = text
        if kind == "n":  # the last of each file
            here, _, there = text.partition("->")
            rows.add((int(process["p"]), process["c"], process["L"],
                      int(file["f"]), file["P"].lower(),
                      int(here.rsplit(":", 1)[1]),
                      int(there.rsplit(":", 1)[1]) if there else 0))
    return rows


def test_row_by_row_as_lsof(crowd):
    events = listed()
    for namespace in crowd.lab.namespaces:
        got = {(x["pid"], x["comm"], x["user"], x["fd"], x["proto"],
                x["lport"], x["rport"])
               for proto in PROTOS for x in of(events, namespace, proto)
               if "pid" in x}
        assert len(got) > 20
        assert got == lsof_rows(namespace)


# --- the table -------------------------------------------------------------------


def test_table_says_the_same(crowd):
    inode = str(crowd.lab.server.inode)
    events = listed("--netns", inode)
    done = run_tool("sockets", "--netns", inode)
    title, *lines = done.stdout.decode().splitlines()
    assert title.split() == ("PROTO STATE LOCAL REMOTE NETNS INODE COOKIE SOCK "
                             "OF USER PROCESS").split()
    by_cookie = {}
    for event in events:
        by_cookie.setdefault(event["cookie"], []).append(event)
    assert len(lines) == len(by_cookie)
    places = {x.index(x.split(None, 9)[9]) for x in lines}
    assert len(places) == 1, "not aligned"
    for line in lines:
        (proto, state, here, there, netns, inode, cookie, _, _, user,
         who) = line.split(None, 10)
        told = by_cookie[int(cookie)]
        one = told[0]
        assert (proto, state, netns) == (one["proto"], one["sock_state"],
                                         str(one["netns"]))
        device = f"%{one['sock_ifindex']}" if "sock_ifindex" in one else ""
        assert here.rsplit(":", 1) == [
            (f"[{one['laddr']}]" if one["family"] == 6 else one["laddr"]) +
            device, str(one["lport"])]
        assert there.endswith(f":{one['rport'] or '*'}")
        assert inode == str(one.get("inode", "-"))
        assert user == one.get("user", "-")
        fds = {(x["comm"], x["pid"], x["fd"]) for x in told if "pid" in x}
        assert fds == owners_in(who)


def owners_in(text):
    owners = set()
    for comm, pid, fds in re.findall(r"(\S+)\[(\d+)\] fd ([\d,]*\d)", text):
        owners |= {(comm, int(pid), int(x)) for x in fds.split(",")}
    assert owners or text == "-"
    return owners


# --- as any user ----------------------------------------------------------------


def test_as_nobody(lab, public):
    """Its own sockets have their owner, the others have none, and that is
    said."""
    script = ("import socket, subprocess, sys;"
              "here = socket.create_server(('127.0.0.1', 4711));"
              "print(flush=True); sys.exit(subprocess.call(sys.argv[1:]))")
    with lab.server.inside(), peers.listen(lab):
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             "/usr/bin/python3", "-c", script, public + "/sockdemux-trace",
             "sockets", "-j"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "this user may not look into the files of" in done.stderr
    events = {x["lport"]: x for x in map(json.loads, done.stdout.split("\n")[1:-1])
              if x["sock_state"] == "LISTEN"}
    assert set(events) == {4711, peers.IPV4.port}
    assert events[4711]["comm"] == "python3" and events[4711]["fd"] == 3
    assert events[4711]["user"] == "nobody"
    assert "pid" not in events[peers.IPV4.port]
    assert all(x["netns"] == lab.server.inode for x in events.values())


def test_wrong_usage():
    for options in (["-n", "1"], ["-q"], ["-w", "x"], ["--", "true"], ["x"]):
        done = run_tool("sockets", *options)
        assert done.returncode == 2 and not done.stdout
    assert run_tool("sockets", "-r", "/no/such/file").returncode == 1


# --- with a trace ------------------------------------------------------------------


class Traffic:
    """So many bytes on an older connection and on a new one; one that ends,
    and one that is reset."""

    def __init__(self, lab):
        self.lab = lab
        self.listener = peers.listen(lab)
        self.old = self.pair()
        self.sent = {}

    def pair(self):
        client = peers.connect(self.lab)
        return client, *peers.accept(self.listener, self.lab.server)

    def send(self, pair, count):
        client, conn, told = pair
        for _ in range(count):
            peers.talk(client, conn, b"x" * 100)
        self.sent[told.lport, told.rport] = 100 * count
        return pair

    def go_on(self):
        self.send(self.old, 3)
        self.new = self.send(self.pair(), 5)
        over = self.send(self.pair(), 2)
        peers.hang_up(*over[:2])
        lost = self.send(self.pair(), 1)
        peers.reset(lost[0])
        self.gone = {over[2].rport, lost[2].rport}
        lost[1].close()

    def close(self):
        for one in (*self.old[:2], *self.new[:2], self.listener):
            one.close()


def check_counts(traffic, events, parents=True):
    """Of the server's sockets; returns them by remote port."""
    mine = {x["rport"]: x for x in of(events, traffic.lab.server, "tcp")
            if x["sock_state"] != "TIME_WAIT"}
    assert {x for x in mine if x} == {x[1] for x in traffic.sent}
    for rport, event in mine.items():
        sent = traffic.sent.get((event["lport"], rport), 0)
        assert event["bytes"] == sent
        assert event["segments"] >= sent // 100
        assert (event["sock_state"] == "CLOSE") == (rport in traffic.gone)
        if parents and rport and rport != traffic.old[2].rport:
            assert event["parent"] == mine[0]["sock"]
    assert mine[0]["segments"] >= 3  # at least the SYNs
    return mine


def test_while_it_traces(labs):
    traffic = Traffic(labs.veth())
    process = start_tool("sockets", "-j", "-d", "60", "-P",
                         str(peers.IPV4.port), stdout=subprocess.PIPE)
    check_sandbox(process.pid)
    traffic.go_on()
    client = traffic.new[0].getsockname()[1]
    process.send_signal(signal.SIGINT)
    out, words = process.communicate(timeout=60)
    assert process.returncode == 0 and "warning" not in words, words
    events = [json.loads(x) for x in out.splitlines()]
    mine = check_counts(traffic, events)
    assert client in mine
    server = traffic.lab.server
    alive = [x for x in of(events, server, "tcp") if x["sock_state"] != "CLOSE"]
    assert in_order(rows_of(alive, server)) == in_order(ss_rows(server))
    assert {x["pid"] for x in mine.values()} == {os.getpid()}
    traffic.close()


def check_sandbox(pid):
    """The child keeps privileges; what reads the ring has none."""
    with open(f"/proc/{pid}/status") as status:
        about = dict(x.rstrip("\n").split(":\t", 1) for x in status
                     if ":\t" in x)
    assert int(about["CapEff"], 16) == 0 and about["Seccomp"].strip() == "2"


def test_client_that_connects_meanwhile(labs):
    """No hook tells whose it is; the look at the end does."""
    lab = labs.veth()
    process = start_tool("sockets", "-j", "-d", "60", "-t",
                         stdout=subprocess.PIPE)
    with peers.listen(lab) as listener:
        client = peers.connect(lab)
        conn, told = peers.accept(listener, lab.server)
        peers.talk(client, conn)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        (event,) = [x for x in map(json.loads, out.splitlines())
                    if (x["netns"], x["lport"]) == (lab.client.inode,
                                                    told.rport)]
        assert (event["pid"], event["fd"]) == (os.getpid(), client.fileno())
        assert event["bytes"] == 5 and event["sock_state"] == "ESTABLISHED"
        cookie = client.getsockopt(1, peers.SO_COOKIE, 8)
        assert event["cookie"] == struct.unpack("Q", cookie)[0]
        peers.hang_up(client, conn)


def test_of_a_recording(labs, tmp_path):
    traffic = Traffic(labs.veth())
    path = tmp_path / "a.rec"
    process = start_tool("-w", path, "-q", "-P", str(peers.IPV4.port),
                         stdout=subprocess.PIPE)
    traffic.go_on()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    events = listed("-r", path)
    check_counts(traffic, events)
    assert not any("user" in x for x in events)
    closes = {x["sock"]: x["segments"] for x in map(
        json.loads, run_tool("-j", "-r", path).stdout.splitlines())
        if x["event"] == "close"}
    closed = {x["sock"]: x["segments"] for x in events
              if x["sock_state"] == "CLOSE"}
    assert closed and closed.items() <= closes.items()
    traffic.close()
