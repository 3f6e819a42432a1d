# SPDX-License-Identifier: GPL-2.0-only
"""The demos to their end, by their own word and by their events, and nothing of
them left."""

import json
import os
import platform
import re

import pytest

from tracer import UnderTest, run_tool

ONE_BUCKET_SINCE = 6, 1  # d1e5e6408b30 "tcp: Introduce optional per-netns ehash."
KERNEL = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))


def namespaces():
    """The network namespaces that processes are in."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
        except OSError:
            pass
    return found


def demo(path, *args):
    """To its end; its events are in the file then, if it began."""
    before = namespaces()
    done = run_tool("demo", "-b", UnderTest.backend, "-o", "text", "-o",
                    f"json:{path}", *args, text=True)
    assert namespaces() == before
    return done


def read(path):
    return [*map(json.loads, path.read_text().splitlines())]


def test_three_clients(tracing, tmp_path):
    done = demo(tmp_path / "events")
    assert done.returncode == 0, done.stderr
    events = read(tmp_path / "events")
    assert "No client got a new port. The server accepted 3 clients" in (
        done.stdout)
    assert "\nPROVED: " in done.stdout
    accepts = [x for x in events if x["event"] == "accept"]
    assert {x["lport"] for x in accepts} == {12000}
    assert {(x["raddr"], x["rport"]) for x in accepts} == {
        ("192.0.2.2", 50001), ("192.0.2.2", 50002), ("192.0.2.3", 50001)}
    assert not any("hash_slot" in x for x in events)


@pytest.mark.skipif(KERNEL < ONE_BUCKET_SINCE,
                    reason="no hash table of a namespace's own before 6.1")
def test_one_bucket(tracing, tmp_path):
    """/proc/net/tcp goes along the chain, and the demo compares itself with
    that; here with what the clients' order makes of it: a new one stands in
    front."""
    done = demo(tmp_path / "events", "--one-bucket")
    assert done.returncode == 0, done.stderr
    events = read(tmp_path / "events")
    assert "All stood in one chain" in done.stdout
    hellos = [x for x in events if x["event"] == "segment" and x["len"]]
    assert [(x["raddr"], x["rport"], x["hash_slots"], x["hash_slot"],
             x["chain_position"], x["chain_length"]) for x in hellos] == [
        ("192.0.2.2", 50001, 1, 0, 2, 3), ("192.0.2.2", 50002, 1, 0, 1, 3),
        ("192.0.2.3", 50001, 1, 0, 0, 3)]
    in_proc = re.findall(r"^  (\d)  +#\d+ +12000 +(\S+) +slot 0 of 1, (\d) ",
                         done.stdout, re.MULTILINE)
    assert in_proc == [("0", "192.0.2.3:50001", "0"),
                       ("1", "192.0.2.2:50002", "1"),
                       ("2", "192.0.2.2:50001", "2")]


@pytest.mark.skipif(KERNEL >= ONE_BUCKET_SINCE,
                    reason="this kernel can give a namespace its own table")
def test_no_one_bucket(tracing, tmp_path):
    done = demo(tmp_path / "events", "--one-bucket")
    assert done.returncode == 3 and "since Linux 6.1" in done.stderr
    assert not (tmp_path / "events").exists()


def test_udp_beside_tcp(tracing, tmp_path):
    """What the events of test_udp.py::test_demo show stands at its end beside TCP's
    story, row by row."""
    done = demo(tmp_path / "events", "-u")
    assert done.returncode == 0, done.stderr
    _, proof, table = done.stdout.partition("\nPROVED: ")
    assert proof
    title, *rows = [tuple(x[y].strip() for y in (
        slice(22), slice(22, 50), slice(50, None)))
        for x in table.partition("\n\n")[2].splitlines()]
    assert title == ("", "TCP", "UDP")
    for row in (
            ("a socket per client", "accept() returns one",
             "none: one socket takes all"),
            ("made by", "the handshake's last ACK", "the program, with connect()"),
            ("identified by", "both addresses and ports",
             "its own port and address;"),
            ("", "", "connected: all four values"),
            ("a first packet", "goes to a listener, by",
             "goes to the same socket"),
            ("", "its port and address", "as all others"),
            ("nobody there", "a reset", "ICMP port unreachable"),
            ("one packet", "one socket", "one, or with multicast each")):
        assert row in rows
    assert "\nWhere the textbook simplifies: " in table
