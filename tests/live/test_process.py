# SPDX-License-Identifier: GPL-2.0-only
"""How the tool begins and ends."""

import json
import signal
import subprocess

import judge
import peers
from tracer import Trace, command, run_tool, start_tool, wait_until

HOSTILE = b"\x1b[31mX\n"


def test_sigterm_and_hostile_name(labs, tmp_path):
    """A process may call itself what it likes; a terminal must not suffer."""
    lab = labs.loopback()
    text = tmp_path / "text"
    server = peers.Process(peers.one_shot_server, lab, 12000, 1, HOSTILE)
    with Trace(lab.namespaces, "-o", f"text:{text}",
               stop=signal.SIGTERM) as run:
        server.go()
        wait_until(lambda: peers.is_listening(lab.server, 12000), "the server")
        with peers.connect(lab, port=12000) as client:
            client.sendall(b"hello")
            assert client.recv(64) == b"hello"
        conns = [peers.Accepted(*x) for x in server.join()]
    judge.check_all(run, conns, lab, {})
    assert run.accepts[0]["comm"] == run.listens[0]["comm"] == HOSTILE.decode()
    assert b"\x1b" not in run.text and b"\x1b" not in text.read_bytes()
    assert b"[31mX" in text.read_bytes()


def test_count_of_one_family(labs):
    lab = labs.loopback()
    with Trace(lab.namespaces, "-6", "-n", "5") as run:
        run.ends_itself = True
        for family in peers.FAMILIES:
            with peers.listen(lab, family) as listener:
                peers.visit(lab, listener, family)
    assert len(run.segments) == run.summary["segments"] == 5
    assert judge.word(run.segments) == "LEQEE"
    assert {x["family"] for x in run.segments} == {6}


def test_duration_and_quiet(labs):
    done = run_tool(*command("-d", "0.3", "-q", "-j")[1:])
    assert done.returncode == 0
    (only,) = done.stdout.splitlines()
    summary = json.loads(only)
    assert summary["event"] == "summary" and summary["segments"] == 0
    assert summary["verdict"] == "not_proved"


def test_reader_that_leaves(labs):
    """As in a pipe to head -1."""
    lab = labs.loopback()
    process = start_tool("-j", stdout=subprocess.PIPE)
    with peers.listen(lab) as listener:
        peers.visit(lab, listener)
        kinds = (json.loads(x)["event"] for x in process.stdout)
        assert next(x for x in kinds if x != "socket") == "listen"
        process.stdout.close()
        peers.visit(lab, listener)
    assert process.wait(20) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_full_disk(labs, tmp_path):
    """It ends with a message, and what is there can be read."""
    lab = labs.loopback()
    path = str(tmp_path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", path],
                   check=True)
    try:
        process = start_tool("-w", path + "/recording", "-o", "json:/dev/null")
        with peers.listen(lab) as listener:
            for _ in range(10):
                peers.visit(lab, listener)
        code, said = process.wait(20), process.stderr.read()
        process.stderr.close()
        assert code == 1 and "No space left" in said and path in said
        done = run_tool("-r", path + "/recording", "-j")
        events = [json.loads(x) for x in done.stdout.splitlines()]
        assert len(events) > 30
        assert events[-1]["verdict"] == "not_proved"
    finally:
        subprocess.run(["umount", path], check=True)
