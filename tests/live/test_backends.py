# SPDX-License-Identifier: GPL-2.0-only
"""Which backends start here, which is taken, and what is said of the others."""

import ctypes
import json
import os
import struct
import subprocess

import pytest

from bpf import libc
from sight import LIMITS
from tracer import (BACKENDS, TOOL, Trace, UnderTest, attempt, command,
                    in_own_mounts, run_tool)

MUST_TRACE = os.environ.get("SOCKDEMUX_MUST_TRACE", "").split()
OUTCOMES = "none", "time_wait", "refused"
SYS_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}[os.uname().machine]
PERF_TYPE_TRACEPOINT = 2


@pytest.mark.parametrize("name", BACKENDS)
def test_starts(name, record_property):
    """If not, that is said, with the reason: exit status 3, no output."""
    record_property("starts", name)
    code, said = attempt(name)
    if code == 3 and name not in MUST_TRACE:
        first, reason = said.split(f"{name}: ", 1)
        assert first == "sockdemux-trace: " and len(reason) > 20
        assert not any(x + ": " in said for x in LIMITS if x != name)
        pytest.skip(reason)
    assert code == 0, said


def summary_of(*args):
    done = run_tool(*args, "-d", "0.1", "-q", "-j")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr.decode()


def test_first_that_starts_is_taken():
    """What does not start is said only with -v."""
    taken = next((x for x in LIMITS if not attempt(x)[0]), None)
    if not taken:
        done = run_tool("-d", "0.1")
        assert done.returncode == 3
        assert all(f"{x}: " in done.stderr.decode() for x in LIMITS)
        return
    passed = list(LIMITS)[:list(LIMITS).index(taken)]
    summary, said = summary_of()
    assert summary["backend"] == taken
    assert said == f"tracing with backend {taken}; Ctrl-C ends it\n"
    summary, said = summary_of("-v")
    assert summary["backend"] == taken
    assert all(f"{x}: " in said for x in passed)


def test_summary_says_what_is_seen(tracing, backend):
    """As docs/hooks.md does, of which sight.py is a copy."""
    sees = UnderTest.sees()
    summary, _ = summary_of(*command()[1:])
    assert summary["backend"] == backend
    assert not summary.keys() & {"missing", "coverage"}
    said = summary["observed"]
    if backend != "stable":
        assert said == "all"
        return
    predicted, unseen = said.split("; not seen: ")
    for outcome in OUTCOMES:
        is_seen = sees({"refused": "filter"}.get(outcome, outcome))
        assert (outcome not in predicted) == is_seen
    assert predicted.startswith("predicted: outcome request and its socket")
    assert unseen.startswith("via, time_wait reopened")
    assert ("the socket of time_wait" not in unseen) == sees("time_wait")
    assert ("reset" not in unseen) == sees("reset")


# What is taken away, and what is said then.
EACH_NEEDS = [
    (in_own_mounts("mount -t tmpfs none /sys/kernel/btf"), "BTF"),
    (("setpriv", "--bounding-set=-bpf,-sys_admin"), "CAP_BPF"),
]
NEEDS = {
    "fentry": EACH_NEEDS,
    "kprobe": EACH_NEEDS + [
        (in_own_mounts("mount -t tmpfs none /sys/bus"), "kprobes")],
    "stable": EACH_NEEDS + [
        (in_own_mounts("umount -a -t cgroup2"), "cgroup v2"),
        (("setpriv", "--bounding-set=-syslog"), "CAP_SYSLOG")],
}


def test_what_it_needs(tracing, backend):
    for before, reason in NEEDS[backend]:
        done = subprocess.run([*before, *command("-d", "0.1")], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60, text=True)
        assert (done.returncode, done.stdout) == (3, "")
        said = done.stderr
        assert said.startswith(f"sockdemux-trace: {backend}: ")
        assert reason in said and said.count("\n") == 1


def syscall_event(*before):
    """What doctor says of stable's perf event."""
    done = subprocess.run([*before, TOOL, "doctor", "-b", "stable", "-j"],
                          check=True, stdout=subprocess.PIPE, timeout=60)
    hooks = json.loads(done.stdout)["backends"][0]["hooks"]
    return next(x for x in hooks if x["program"] == "on_syscall_event")


def test_without_the_perf_event(tracing, backend):
    """The tracepoint has a hook all the same."""
    if backend != "stable" or "pointless" in syscall_event():
        pytest.skip("it has none")
    no_tracefs = ("umount -a -t tracefs; "
                  "exec setpriv --bounding-set=-sys_admin \"$@\"")
    done = subprocess.run(["unshare", "-m", "sh", "-c", no_tracefs, "sh",
                           *command("-d", "0.1", "-q", "-j")], check=True,
                          stdout=subprocess.PIPE, timeout=60)
    assert "coverage" not in json.loads(done.stdout)


def test_tracefs_that_is_hidden(tracing, backend, tmp_path):
    """Below another mount: the list of mounts does not tell."""
    if backend != "stable" or "pointless" in syscall_event():
        pytest.skip("it does not ask for it")
    mounts = "; ".join(f"mount -t {kind} none {tmp_path}{at}" for kind, at in
                       (("tmpfs", ""), ("tracefs", "/t"), ("tmpfs", "")))
    mounts = mounts.replace("; mount", f"; mkdir {tmp_path}/t; mount", 1)
    assert syscall_event(*in_own_mounts(mounts))["attached"]


def count_own(tracepoint):
    """A perf event that counts what this task makes of it, as of perf stat."""
    attr = struct.pack("IIQ112x", PERF_TYPE_TRACEPOINT, 128, tracepoint)
    event = libc.syscall(SYS_PERF_EVENT_OPEN, ctypes.create_string_buffer(attr),
                         0, -1, -1, 0)
    assert event >= 0, os.strerror(ctypes.get_errno())
    return os.fdopen(event, "rb", buffering=0)


def test_others_have_their_perf_events(tracing, backend, tmp_path):
    """The kernel drops one for all if a program on it says so."""
    of = in_own_mounts(f"mount -t tracefs none {tmp_path}")
    number = int(subprocess.check_output(
        [*of, "cat", f"{tmp_path}/events/raw_syscalls/sys_exit/id"]))
    with Trace([], "-t", "-u"), count_own(number) as event:
        for _ in range(1000):
            os.getppid()
        (counted,) = struct.unpack("Q", event.read(8))
    assert counted >= 1000
