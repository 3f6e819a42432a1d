# SPDX-License-Identifier: GPL-2.0-only
"""`-- COMMAND`: what it finds, what is traced of it, and how both end."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time

import pytest

import judge
import peers
from tracer import Trace, command, run_tool, wait_until

PARENT, CHILD, GRANDCHILD, OTHER = 12300, 12301, 12302, 12303
VISITS = 2
NOBODY = 65534

# Listens in this process, in one that it fork()s, and in one that this starts.
SERVERS = """
import os, socket, subprocess, sys

def serve(port):
    with socket.create_server(("0.0.0.0", int(port))) as listener:
        for _ in range(%d):
            conn, _ = listener.accept()
            with conn:
                while words := conn.recv(64):
                    conn.sendall(words)

if len(sys.argv) == 2:
    serve(sys.argv[1])
    sys.exit()
if not os.fork():
    with subprocess.Popen([sys.executable, __file__, sys.argv[3]]):
        serve(sys.argv[2])
    os._exit(0)
serve(sys.argv[1])
os.wait()
""" % VISITS


def run_command(*args, **more):
    """With its own output apart from the tracer's."""
    done = run_tool(*command("-q", "-o", "json:/dev/stderr", "--", *args)[1:],
                    **more)
    said = done.stderr.decode().splitlines()
    summaries = [json.loads(x) for x in said if x.startswith("{")]
    return done.returncode, done.stdout.decode(), said, summaries


def test_only_the_commands_own_is_traced(labs, tmp_path):
    """Its own sockets, its children's and theirs, from the first segment to
    the last; those of a server beside it are not."""
    lab = labs.veth()
    script = tmp_path / "servers.py"
    script.write_text(SERVERS)
    other = peers.Process(peers.one_shot_server, lab, OTHER, VISITS)
    with Trace(lab.namespaces) as whole:
        with Trace(lab.namespaces, "--", "ip", "netns", "exec",
                   lab.server.name, sys.executable, str(script), str(PARENT),
                   str(CHILD), str(GRANDCHILD)) as run:
            run.ends_itself = True
            other.go()
            # The parent last: the command ends when it has had its visits.
            for port in OTHER, GRANDCHILD, CHILD, PARENT:
                wait_until(lambda p=port: peers.is_listening(lab.server, p),
                           "the server")
                for _ in range(VISITS):
                    with peers.connect(lab, port=port) as client:
                        client.sendall(b"hello")
                        assert client.recv(64) == b"hello"
            other.join()
    ports = {PARENT, CHILD, GRANDCHILD}
    judge.check_part(run, whole, lambda x: (x["lport"] in ports and
                                            x["outcome"] != "none"))
    assert {x["lport"] for x in run.events if "lport" in x} == ports
    assert {x["lport"] for x in run.listens} == ports
    owners = {x["lport"]: x["pid"] for x in run.accepts}
    assert len(run.accepts) == 3 * VISITS and len(set(owners.values())) == 3
    assert owners == {x["lport"]: x["pid"] for x in run.listens}


@pytest.mark.parametrize("script, status", [
    ("exit 7", 7), ("kill -9 $$", 137)])
def test_status(tracing, script, status):
    code, out, _, (summary,) = run_command("sh", "-c", script)
    assert (code, out) == (status, "")
    assert summary["segments"] == 0


def test_arguments_and_output(tracing, tmp_path):
    text = tmp_path / "text"
    done = run_tool(*command("-o", f"text:{text}", "--", "echo", "-n", "--",
                             "-r", "a b")[1:])
    assert (done.returncode, done.stdout) == (0, b"-- -r a b")
    assert "NOT PROVED" in text.read_text()


def test_what_cannot_run(tracing, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    for name, status in ("no-such-program", 127), (str(plain), 126):
        code, out, said, (summary,) = run_command(name)
        assert (code, out) == (status, "")
        assert any(f"cannot run '{name}'" in x for x in said)
        assert summary["segments"] == 0


def test_command_has_no_files_of_the_tracer(tracing):
    with open("/dev/null") as given:
        code, out, _, _ = run_command("sh", "-c", "ls /proc/$$/fd",
                                      stdin=given, pass_fds=[given.fileno()])
        assert code == 0
        assert set(map(int, out.split())) == {0, 1, 2, given.fileno()}


def script_in_the_background():
    """With a signal more that is blocked."""
    for number in signal.SIGINT, signal.SIGQUIT, signal.SIGHUP:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])


@pytest.mark.parametrize("before", [None, script_in_the_background])
def test_command_has_the_callers_signals(tracing, before):
    """Those that are ignored or blocked, whatever this test was started with:
    the same as without a tracer."""
    show = "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"
    plain = subprocess.run(show, check=True, capture_output=True, text=True,
                           preexec_fn=before)
    code, out, _, _ = run_command(*show, preexec_fn=before)
    assert (code, out) == (0, plain.stdout)
    blocked, ignored = [int(x, 16) for x in out.split()[1::2]]
    if before:
        assert (blocked, ignored & 7) == (1 << signal.SIGUSR1 - 1, 7)


def test_no_trace_no_command(public):
    """Whoever cannot be traced does not run."""
    os.chmod(public, 0o777)
    done = run_tool("--", "touch", public + "/ran",
                    executable=public + "/sockdemux-trace",
                    preexec_fn=lambda: os.setuid(NOBODY))
    assert done.returncode == 3 and b"root" in done.stderr
    assert not os.path.exists(public + "/ran")
    done = run_tool("-w", "/no/such/file", "--", "touch", public + "/ran")
    assert done.returncode in (1, 3)
    assert not os.path.exists(public + "/ran")


def test_runs_when_all_is_attached(labs, tmp_path):
    """What it does first is seen."""
    lab = labs.loopback()
    script = ("import socket\n"
              "listener = socket.create_server(('127.0.0.1', 12300))\n"
              "client = socket.create_connection(('127.0.0.1', 12300))\n"
              "conn, _ = listener.accept()\n")
    with Trace(lab.namespaces, "--", "ip", "netns", "exec", lab.server.name,
               sys.executable, "-c", script) as run:
        run.ends_itself = True
        # It may have made its segments before they were counted here.
        run.process.wait(60)
    (listen,) = run.listens
    (accept,) = run.accepts
    assert listen["pid"] == accept["pid"]
    assert [x["flags"] for x in run.segments[:2]] == ["SYN", "ACK"]
    judge.check_proved(run)


# --- how both end --------------------------------------------------------

def start(path, script, **more):
    process = subprocess.Popen(
        command("-o", f"json:{path}", "--", "sh", "-c", script),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    assert process.stdout.readline() == b"ready\n"
    return process


def finish(process, path):
    """Its status, if it came to its end with a summary."""
    process.communicate(timeout=60)
    lines = path.read_text().splitlines()
    assert json.loads(lines[-1])["event"] == "summary"
    return process.returncode


def test_signal_is_passed_on(tracing, tmp_path):
    """It is for the command to heed it: a shell lives on after SIGINT."""
    path = tmp_path / "json"
    process = start(path, "n=0; trap 'n=$((n+1)); echo $n' INT; "
                    "trap 'exit 9' TERM; echo ready; "
                    "while :; do sleep 0.1; done")
    for line in b"1\n", b"2\n":
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == line
    process.terminate()
    assert finish(process, path) == 9


def test_control_c(tracing, tmp_path):
    """The terminal tells both; once is enough for the command."""
    path = tmp_path / "json"
    ours, terminal = os.openpty()
    try:
        process = start(
            path, "n=0; trap 'n=$((n+1)); echo $n' INT; echo ready; "
            "while [ $n = 0 ]; do sleep 0.1; done; "
            "for i in 1 2 3 4 5; do sleep 0.1; done; exit $((20+n))",
            stdin=terminal, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.write(ours, b"\x03")
        assert finish(process, path) == 21
    finally:
        os.close(ours)
        os.close(terminal)


@pytest.mark.parametrize("option", ["-d0.3", "-n1"])
def test_trace_that_ends_before(labs, tmp_path, option):
    """The trace is complete then, and the command goes on to its end."""
    lab = labs.loopback()
    path, go = tmp_path / "json", tmp_path / "go"
    script = ("import os, socket, time\n"
              "listener = socket.create_server(('127.0.0.1', 12300))\n"
              "client = socket.create_connection(('127.0.0.1', 12300))\n"
              "for _ in range(600):\n"
              "    time.sleep(0.1)\n"
              f"    if os.path.exists('{go}'):\n"
              "        os._exit(5)\n")
    process = subprocess.Popen(
        command(option, "-o", f"json:{path}", "--", "ip", "netns", "exec",
                lab.server.name, sys.executable, "-c", script),
        stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr:
        said.append(line)
        if "waiting for the command" in line:
            break
    lines = path.read_text().splitlines()
    go.touch()
    assert process.wait(60) == 5, said
    assert json.loads(lines[-1])["event"] == "summary"
