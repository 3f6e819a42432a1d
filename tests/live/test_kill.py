# SPDX-License-Identifier: GPL-2.0-only
"""SIGKILL in the middle of traffic: nothing of the tool stays in the kernel,
and the traffic goes on."""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess

import peers
from tracer import start_tool, wait_until
from traffic import Traffic

BPFTOOL = shutil.which("bpftool") or "/usr/sbin/bpftool"
KINDS = "prog", "map", "link"
KPROBES = "/sys/kernel/debug/kprobes/list"
TRAMPOLINES = "/sys/kernel/tracing/enabled_functions"
RECEIVER = "tcp_v4_rcv"


def bpf_objects():
    """All that there are: (kind, id) -> type."""
    found = {}
    for kind in KINDS:
        said = subprocess.run([BPFTOOL, "-j", kind, "show"], check=True,
                              stdout=subprocess.PIPE).stdout
        found.update({(kind, x["id"]): x.get("type")
                      for x in json.loads(said or "[]")})
    return found


def held_by(pid):
    """What a process has open: BPF objects, and how many perf events."""
    found, events = set(), 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            text = pathlib.Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
            events += "perf_event" in os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        found |= {(x, int(y)) for x, y in
                  re.findall(r"^(prog|map|link)_id:\s*(\d+)$", text, re.M)}
    return found, events


def left_over(before, ours):
    """What is there of ours, and what is new and nobody's: other processes of
    this machine may trace as well."""
    left = bpf_objects().keys() - before
    held = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            held |= held_by(pid)[0]
        except OSError:
            pass
    return left & ours or left - held


def lines_with(path, name):
    """None where this kernel does not let anybody look."""
    try:
        text = pathlib.Path(path).read_text()
    except OSError:
        return None
    return [x for x in text.splitlines() if re.search(rf"\b{name}\b", x)]


def attachments(lab):
    """What other ways than links there are: tc, XDP, cgroups."""
    shown = []
    for namespace in lab.namespaces:
        with namespace.inside():
            for command in ["tc", "qdisc", "show"], [BPFTOOL, "net"]:
                shown.append(subprocess.run(command, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT,
                                            check=False, text=True).stdout)
    return shown


def cgroup_programs():
    """On 5.10 bpftool finds none."""
    said = subprocess.run([BPFTOOL, "-j", "cgroup", "tree"], check=False,
                          stdout=subprocess.PIPE).stdout
    return {("prog", x["id"]) for group in json.loads(said or "[]")
            for x in group.get("programs", [])}


def test_nothing_stays_after_kill(labs, backend):
    lab = labs.veth()
    before = set(bpf_objects())
    hooked = {x: lines_with(x, RECEIVER) for x in (KPROBES, TRAMPOLINES)}
    attached = attachments(lab)
    with peers.listen(lab) as listener, Traffic(lab, listener) as traffic:
        process = start_tool("-q")
        try:
            traffic.go_on(3)
            ours, events = held_by(process.pid)
            while_it_runs = bpf_objects()
            while_hooked = {x: lines_with(x, RECEIVER) for x in hooked}
            # It is all there to be seen, or this test would prove nothing.
            assert ours <= while_it_runs.keys() and not ours & before
            kinds = collections.Counter(x for x, _ in ours)
            assert all(kinds[x] for x in KINDS)
            # stable has the perf event of sys_exit, where the kernel has one
            # that is not preempted.
            assert events if backend == "kprobe" else (
                backend == "stable" or not events)
            assert ("cgroup" in [while_it_runs[x] for x in ours
                                 if x[0] == "link"]) == (backend == "stable")
            for path, name in (KPROBES, "kprobe"), (TRAMPOLINES, "fentry"):
                # A kprobe at a function's entry may be one of ftrace's too.
                if hooked[path] is not None and (path, backend) != (
                        TRAMPOLINES, "kprobe"):
                    assert ((while_hooked[path] != hooked[path]) ==
                            (name == backend))
        finally:
            process.kill()
            process.communicate()
        traffic.go_on(3)
        wait_until(lambda: not left_over(before, ours), "BPF objects to go")
        assert not cgroup_programs() & ours
        assert attachments(lab) == attached
        for path in hooked:
            wait_until(lambda path=path: lines_with(path, RECEIVER) ==
                       hooked[path], f"{path} to be as it was")
        traffic.go_on(3)
