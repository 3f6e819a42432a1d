# SPDX-License-Identifier: GPL-2.0-only
"""The sockets that were there before: row by row what ss(8) has, whichever way
they are read; and in a trace, their owners known from the first segment.

build/snapshot_now takes the snapshot without a backend, so the first part runs
on any kernel that lets root load an iterator, or has sock_diag."""

import json
import os
import pathlib
import subprocess

import pytest

import judge
import peers
from crowd import in_order, rows_of, ss_rows
from tracer import Trace
from traffic import Traffic

TOP = pathlib.Path(__file__).resolve().parents[2]
NOW = TOP / os.environ.get("OUT", "build") / "snapshot_now"
WAYS = {"iterators": "", "no_tables": "iter_tcp", "no_files": "iter_task_file",
        "neither": "iter_tcp,iter_task_file"}


def snapshot(way, *options):
    if not NOW.exists():
        pytest.skip(f"{NOW} is not built")
    said = subprocess.run([NOW, "-v", "-w", "x," + WAYS[way], *options],
                          check=True, capture_output=True, timeout=120)
    words = said.stderr.decode()
    # The way that was asked for, and no other.
    assert ("no iter_tcp" in words) == (way == "no_tables"), words
    assert ("no iter_task_file" in words) == (way == "no_files"), words
    assert ("no iterators" in words) == (way == "neither"), words
    assert "damaged" not in words
    events = [json.loads(x) for x in said.stdout.splitlines()]
    assert {x["event"] for x in events[:-1]} <= {"socket"}
    return events[:-1]


# --- without a backend -------------------------------------------------------


def check_parents(events, server, way):
    """Nothing tells a child's listener but that listener's own queue."""
    number = {x["lport"]: x["sock"] for x in events
              if x["netns"] == server.inode and x["sock_state"] == "LISTEN"}
    parents = [(x["sock_state"], x["parent"], number[x["lport"]])
               for x in events if "parent" in x]
    has_tables = "iter_tcp" not in WAYS[way]
    assert sorted(x[0] for x in parents) == (
        ["ESTABLISHED"] * 3 + ["SYN_RECV"]) * has_tables
    assert all(x[1] == x[2] for x in parents)


def check_owners(events, server, pids):
    """Two processes have all of it; a thread is no process."""
    holders, owners = {}, {}
    for event in events:
        if event["netns"] == server.inode and "pid" in event:
            holders.setdefault(event["sock"], []).append(event["pid"])
            owners[event["sock"]] = event.get("owners", 1)
            assert event["uid"] == 0
    assert holders
    for sock, told in holders.items():
        assert set(told) == pids and owners[sock] == 2
        assert len(told) in (2, 4)  # 4: with dup()


@pytest.mark.parametrize("way", WAYS)
def test_row_by_row_as_ss(crowd, way):
    events = snapshot(way)
    seen = set()
    for namespace in crowd.lab.namespaces:
        got = rows_of(events, namespace)
        assert in_order(got) == in_order(ss_rows(namespace))
        seen |= {x[4] for x in got}
    assert seen >= {"LISTEN", "ESTABLISHED", "SYN_SENT", "SYN_RECV",
                    "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "TIME_WAIT"}
    check_parents(events, crowd.lab.server, way)
    check_owners(events, crowd.lab.server, {os.getpid(), crowd.child.pid})
    check_filters(crowd, way)


def check_filters(crowd, way):
    server, me, child = crowd.lab.server, os.getpid(), crowd.child.pid
    events = snapshot(way, "-P", str(peers.IPV6.port), "-n", str(server.inode))
    assert {(x["netns"], x["lport"]) for x in events} == {
        (server.inode, peers.IPV6.port)}
    assert len({x["sock"] for x in events}) == 5
    events = snapshot(way, "-p", str(child))
    assert {x.get("pid") for x in events} == {child}
    assert len(events) > 20
    if way == "iterators":
        # A process and those it has started.
        events = snapshot(way, "-f", "-p", str(me))
        assert {x["pid"] for x in events} == {me, child}


@pytest.mark.parametrize("way", ["iterators", "neither"])
def test_namespace_without_a_process(lab, way):
    """It is known by its mount alone; what is there has no owner."""
    with peers.listen(lab) as listener:
        peers.visit(lab, listener)
    (event,) = [x for x in snapshot(way) if x["netns"] == lab.client.inode]
    assert event["sock_state"] == "TIME_WAIT"
    assert "pid" not in event


# --- in a trace ----------------------------------------------------------------


class Older:
    """A listener, a connection from it, and one that it has not accepted yet;
    then what happens to them while they are traced."""

    def __init__(self, lab):
        self.lab = lab
        self.listener = peers.listen(lab)
        self.client = peers.connect(lab)
        self.conn, self.told = peers.accept(self.listener, lab.server)
        self.late = peers.connect(lab)
        self.late_port = self.late.getsockname()[1]

    def go_on(self):
        peers.talk(self.client, self.conn)
        self.late.sendall(b"early")
        queued, _ = peers.accept(self.listener, self.lab.server)
        assert queued.recv(5) == b"early"
        peers.visit(self.lab, self.listener)
        peers.hang_up(self.client, self.conn)
        peers.hang_up(self.late, queued)

    def find(self, run, rport):
        """The event of the server's socket with that remote port."""
        found = [x for x in run.sockets if x["netns"] == self.lab.server.inode
                 and (x["lport"], x["rport"]) == (self.told.lport, rport)]
        assert len(found) == 1
        return found[0]


@pytest.mark.parametrize("way", ["iterators", "neither"])
def test_older_than_the_trace(labs, way):
    older = Older(labs.veth())
    with Trace(older.lab.namespaces, "--without", "x," + WAYS[way]) as run:
        older.go_on()
    judge.check_proved(run, older=True)
    here = check_known(older, run)
    check_accepted(older, run, here if way == "iterators" else None)
    (port,) = [x for x in run.summary["ports"]
               if x["port"] == older.told.lport]
    assert (port["listeners"], port["sockets"], port["misdelivered"]) == (
        1, 3, 0)
    # What is told twice is one socket still.
    assert len({x["sock"] for x in run.closes}) == len(run.closes)


def check_known(older, run):
    """Its owner is there from the first segment. Returns the listener."""
    told = older.told
    was, here = older.find(run, told.rport), older.find(run, 0)
    assert (was["pid"], was["fd"], was["comm"], was["inode"]) == (
        told.pid, told.fd, told.comm, told.inode)
    to_it = [x for x in run.segments if x.get("sock") == was["sock"]]
    assert to_it
    assert {(x["pid"], x["comm"], x["fd"]) for x in to_it} == {
        (told.pid, told.comm, told.fd)}
    (syn,) = [x for x in run.segments if x.get("outcome") == "listener"
              and x["netns"] == told.netns]
    assert syn["sock"] == here["sock"] and syn["pid"] == told.pid
    (close,) = [x for x in run.closes if x["sock"] == was["sock"]]
    assert close["segments"] == len(to_it) and close["pid"] == told.pid
    return here["sock"]


def check_accepted(older, run, listener):
    """What waited in the queue was there before, and is accepted now. Its
    listener's address is not known yet where nobody told it."""
    was = older.find(run, older.late_port)
    assert "pid" not in was
    accepts = {x["rport"]: x for x in run.accepts}
    assert len(accepts) == run.summary["accepted"] == 2
    now = accepts[older.late_port]
    assert (now["sock"], now.get("parent")) == (was["sock"], listener)
    to_it = [x for x in run.segments if x.get("sock") == was["sock"]]
    assert to_it and "pid" not in to_it[0]
    assert to_it[-1]["pid"] == os.getpid()


def test_start_among_births_and_deaths(labs):
    """Sockets come and go while the snapshot is taken: each has one number,
    and those that stay have their owner."""
    lab = labs.veth()
    listener = peers.listen(lab)
    stays = []
    for _ in range(20):
        client = peers.connect(lab)
        stays.append((client, *peers.accept(listener, lab.server)))
    for _ in range(2):
        with Traffic(lab, listener) as traffic:
            with Trace(lab.namespaces) as run:
                for client, conn, _ in stays:
                    peers.talk(client, conn)
                traffic.__exit__()
        judge.check_proved(run, older=True)
        for _, _, told in stays:
            to_it = [x for x in run.segments
                     if (x["netns"], x["lport"], x["rport"]) == (
                         told.netns, told.lport, told.rport)]
            assert {(x["pid"], x["fd"]) for x in to_it} == {(told.pid,
                                                             told.fd)}
            assert len({x["sock"] for x in to_it}) == 1
    for client, conn, _ in stays:
        peers.hang_up(client, conn)
    listener.close()
