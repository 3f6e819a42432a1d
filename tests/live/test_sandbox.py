# SPDX-License-Identifier: GPL-2.0-only
"""The tool gives up its privileges, and needs none of them any more. The first
half replays, which needs no kernel to trace, nor root."""

import contextlib
import json
import os
import pathlib
import pty
import resource
import select
import signal
import subprocess

import pytest

import peers
from test_cli import NOBODY
from tracer import (TOOL, Trace, command, run_tool, start_tool,
                    wait_for_hooks, wait_until)

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
RECORDINGS = sorted(GOLDEN.glob("*.rec"))
ONE = GOLDEN / "clients.rec"
KINDS = ["text", "json", "record"]
CAPS = ["CapInh", "CapPrm", "CapEff", "CapAmb"]
NONE = "0" * 16
# All that a backend needs: of docs/sockdemux-trace.8, "PRIVILEGES".
FEW = "-all,+bpf,+perfmon,+net_admin"
FEW_BITS = f"{1 << 39 | 1 << 38 | 1 << 12:016x}"


def status(pid):
    with open(f"/proc/{pid}/status") as lines:
        return dict(x.rstrip("\n").split(":\t", 1) for x in lines)


@pytest.fixture(scope="session")
def mode():
    """What /proc says of a process in the sandbox; a build with sanitizers
    filters no system calls."""
    said = run_tool("-v", "-r", str(ONE)).stderr.decode()
    return "0" if "sanitizers" in said else "2"


def is_locked(pid, mode):
    now = status(pid)
    return now["NoNewPrivs"] == "1" and now["Seccomp"] == mode


def check_given_up(pid, mode, bounding=NONE):
    now = status(pid)
    assert {now[x] for x in CAPS} == {NONE}
    assert now["CapBnd"] == bounding
    assert is_locked(pid, mode)


# --- replay -----------------------------------------------------------------------


def expected(recording, kind, **more):
    done = run_tool("--no-sandbox", "-r", str(recording), "-o", kind, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda x: x.stem)
def test_every_sink(recording, tmp_path):
    """To a pipe one by one, then to files all at once."""
    args, wanted = [], {}
    for kind in KINDS:
        wanted[kind] = expected(recording, kind)
        done = run_tool("-r", str(recording), "-o", kind)
        assert (done.returncode, done.stdout) == (0, wanted[kind]), done.stderr
        args += ["-o", f"{kind}:{tmp_path / kind}"]
        (tmp_path / kind).write_bytes(b"what was there before" * 5000)
    with open(recording, "rb") as stdin:
        done = run_tool("-r", "-", *args, stdin=stdin)
    assert done.returncode == 0, done.stderr
    for kind in KINDS:
        assert (tmp_path / kind).read_bytes() == wanted[kind]


def on_terminal(*args):
    """The exit status, and what a terminal gets to see."""
    ours, its = pty.openpty()
    with open(ours, "rb", buffering=0) as terminal:
        with open(its, "wb", buffering=0) as stdout:
            process = subprocess.Popen([TOOL, *args], stdout=stdout,
                                       stderr=subprocess.PIPE)
        seen = b""
        with contextlib.suppress(OSError):  # all have closed it
            while part := terminal.read(65536):
                seen += part
        said = process.communicate(timeout=20)[1]
    return process.returncode, seen, said


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda x: x.stem)
def test_terminal(recording, kind, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    args = ["-r", str(recording), "-o", kind]
    wanted = on_terminal("--no-sandbox", *args)
    assert wanted[0] == 0 and (b"\033[" in wanted[1]) == (kind == "text")
    assert on_terminal(*args) == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_that_fail(kind):
    """The message comes, and the status is not that of a killed process."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([TOOL, "-r", ONE, "-o", kind], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"No space left" in done.stderr
    done = run_tool("-r", str(ONE), "-o", f"{kind}:/dev/full")
    assert done.returncode == 1 and b"No space left" in done.stderr
    done = run_tool("-r", str(ONE), "-o", kind,
                    preexec_fn=lambda: os.close(1))
    assert done.returncode == 1 and b"is closed" in done.stderr
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as broken:
        done = subprocess.run([TOOL, "-r", ONE, "-o", kind], stdout=broken,
                              stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_foreign_recording_empties_nothing(tmp_path):
    foreign, output = tmp_path / "foreign", tmp_path / "output"
    foreign.write_text("hello\n")
    output.write_text("precious")
    done = run_tool("-r", str(foreign), "-w", str(output))
    assert done.returncode == 1 and b"is no recording" in done.stderr
    assert output.read_text() == "precious"


@contextlib.contextmanager
def replay_of_a_pipe(*args):
    """Its own process group, as a shell makes one: others are not stopped by
    the terminal's signals."""
    process = subprocess.Popen(
        [TOOL, "-r", "-", *args], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=os.setpgrp)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_line(process):
    """The first of its output, which comes without more input."""
    assert select.select([process.stdout], [], [], 20)[0], "no output"
    return process.stdout.readline()


def test_locked_before_the_first_byte(mode):
    with replay_of_a_pipe("-o", "json") as process:
        wait_until(lambda: is_locked(process.pid, mode), "the sandbox")
        if not os.getuid():
            check_given_up(process.pid, mode)
        out, said = process.communicate(ONE.read_bytes(), timeout=20)
        assert (process.returncode, said) == (0, b"")
        assert out == expected(ONE, "json")


def test_no_sandbox():
    with replay_of_a_pipe("-o", "json", "--no-sandbox") as process:
        process.stdin.write(ONE.read_bytes()[:-100])
        process.stdin.flush()
        read_line(process)
        now, ours = status(process.pid), status(os.getpid())
        for name in [*CAPS, "CapBnd", "NoNewPrivs", "Seccomp"]:
            assert now[name] == ours[name], name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM,
                                    signal.SIGHUP], ids=lambda x: x.name)
def test_ended_by_signal(number, kind):
    with replay_of_a_pipe("-o", kind) as process:
        process.stdin.write(ONE.read_bytes()[:-100])
        process.stdin.flush()
        first = read_line(process)
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(20) == 0, process.stderr.read()
        assert kind == "record" or b"recording" in first + rest


def state(process):
    return status(process.pid)["State"][0]


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP],
                         ids=lambda x: x.name)
def test_stopped_and_continued(number):
    """Several times, so that it is in each of its system calls once."""
    whole = ONE.read_bytes()
    with replay_of_a_pipe("-o", "json") as process:
        for at in range(0, len(whole) - 100, 300):
            process.stdin.write(whole[at:min(at + 300, len(whole) - 100)])
            process.stdin.flush()
            process.send_signal(number)
            wait_until(lambda: state(process) == "T", "the stop")
            process.send_signal(signal.SIGCONT)
            wait_until(lambda: state(process) != "T", "going on")
        out, said = process.communicate(whole[-100:], timeout=20)
        assert (process.returncode, said) == (0, b"")
        assert out == expected(ONE, "json")


@pytest.mark.skipif(os.getuid(), reason="only root can become nobody")
def test_replay_as_nobody(public):
    with open(ONE, "rb") as stdin:
        done = run_tool("-r", "-", "-j", stdin=stdin,
                        executable=public + "/sockdemux-trace",
                        preexec_fn=lambda: os.setuid(NOBODY))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == expected(ONE, "json")


# --- live -------------------------------------------------------------------------


def of(lab, events):
    """Others may have traffic of their own meanwhile."""
    return [x for x in events if x.get("netns") == lab.server.inode]


def test_live(labs, mode, tmp_path):
    """All sinks, with traffic, to the end: detaching needs no privilege."""
    lab = labs.loopback()
    outputs = [f"{x}:{tmp_path / x}" for x in ("text", "record")]
    with Trace(lab.namespaces, "-o", outputs[0], "-o", outputs[1]) as run:
        check_given_up(run.process.pid, mode)
        with peers.listen(lab) as listener:
            conns = [peers.visit(lab, listener) for _ in range(3)]
        check_given_up(run.process.pid, mode)
    assert len(of(lab, run.accepts)) == len(conns) == 3
    assert of(lab, run.segments) and run.summary["segments"]
    again = run_tool("-r", str(tmp_path / "record"), "-j")
    assert again.returncode == 0 and again.stdout == run.text


def test_live_without_sandbox(tracing):
    process = start_tool("-q", "--no-sandbox", stdout=subprocess.DEVNULL)
    now, ours = status(process.pid), status(os.getpid())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0
    for name in [*CAPS, "CapBnd", "NoNewPrivs", "Seccomp"]:
        assert now[name] == ours[name], name


@pytest.fixture
def open_perf():
    """Where it is higher, kprobe and stable want more than FEW."""
    path = pathlib.Path("/proc/sys/kernel/perf_event_paranoid")
    before = path.read_text()
    path.write_text("1")
    yield
    path.write_text(before)


@pytest.mark.skipif(os.getuid(), reason="only root can give some away")
def test_live_with_few_capabilities(labs, mode, public, open_perf, tmp_path):
    """As nobody, with what the manual page asks for and no more."""
    lab = labs.loopback()
    with contextlib.suppress(ValueError):  # for Linux before 5.11
        resource.setrlimit(resource.RLIMIT_MEMLOCK,
                           (resource.RLIM_INFINITY,) * 2)
    with open(tmp_path / "events", "wb") as events:
        process = subprocess.Popen(
            ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
             "--clear-groups", "--bounding-set", FEW, "--inh-caps", FEW,
             "--ambient-caps", FEW, public + "/sockdemux-trace",
             *command("-j")[1:]],
            stdout=events, stderr=subprocess.PIPE, text=True)
    try:
        wait_for_hooks(process)
        # It had no CAP_SETPCAP to drop what is left of the bounding set with.
        check_given_up(process.pid, mode, FEW_BITS)
        assert status(process.pid)["Uid"].split() == [str(NOBODY)] * 4
        with peers.listen(lab) as listener:
            peers.visit(lab, listener)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=20)[1]
        assert process.returncode == 0, said
    finally:
        process.kill()
        process.communicate()
    events = [json.loads(x) for x in open(tmp_path / "events")]
    kinds = [x["event"] for x in of(lab, events)]
    assert kinds.count("accept") == 1 and kinds.count("segment") >= 6
    assert events[-1]["event"] == "summary"
