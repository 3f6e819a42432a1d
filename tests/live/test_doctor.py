# SPDX-License-Identifier: GPL-2.0-only
"""The doctor tells what the tool can do here, and why not more: what it says is
held against what the tool does, also where something is taken away."""

import contextlib
import functools
import json
import os
import pathlib
import re
import resource
import subprocess

import pytest

from sight import LIMITS
from test_kill import bpf_objects, left_over
from tracer import TOOL, attempt, in_own_mounts, wait_until

NOBODY = 65534
FORMATS = pathlib.Path(__file__).resolve().parents[2] / "docs/formats.md"

pytestmark = pytest.mark.skipif(os.getuid(), reason="not root")


def call(*args, before=(), tool=TOOL, **more):
    """Its exit status and what it said; to stderr it has nothing to say."""
    done = subprocess.run([*before, tool, "doctor", *args], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=200, text=True, **more)
    assert done.stderr == ""
    return done.returncode, done.stdout


class Report:
    def __init__(self, *args, **more):
        self.code, said = call("-j", *args, **more)
        (line,) = said.splitlines()
        self.all = json.loads(line)
        self.backends = {x["name"]: x for x in self.all["backends"]}
        self.checks = {x["name"]: x for x in self.all["checks"]}
        assert self.all["event"] == "doctor"
        assert self.code == (0 if self.all["can_trace"] else 3)


@functools.cache
def report():
    """Of this machine as it is."""
    return Report()


# --- what it says is so ------------------------------------------------------

def test_agrees_with_the_tool():
    works = [x for x in LIMITS if report().backends[x]["works"]]
    assert works == [x for x in LIMITS if not attempt(x)[0]]
    assert report().all.get("backend") == (works[0] if works else None)
    assert report().all["kernel"] == os.uname().release
    assert list(report().backends) == list(LIMITS)


def test_every_no_has_a_reason():
    for one in report().backends.values():
        assert ("why" in one) == (not one["works"])
        assert one["works"] or one["error"]
        for hook in one["hooks"]:
            assert hook["need"] in ("needed", "proof", "extra",
                                    "detail")
            assert hook["program"] and hook["symbol"] and hook["gives"]
            if one["works"]:
                assert hook.get("attached") or hook["why"]
            if one["works"] and hook["need"] == "needed":
                assert hook["attached"] or hook["pointless"]
    for check in report().checks.values():
        assert check.get("ok") or check["meaning"]


@functools.cache
def text():
    """Of the backend that is taken, since all take their time in a guest."""
    return call("-v", "-b", report().all.get("backend", "stable"))


def test_nothing_stays():
    before = bpf_objects()
    text()
    wait_until(lambda: not left_over(before, set()), "BPF objects to go")


def test_text_says_the_same():
    code, said = text()
    assert code == report().code
    name = report().all.get("backend", "stable")
    one = report().backends[name]
    assert said.startswith("sockdemux-trace can trace on this machine, with "
                           f"backend {name}.\n" if one["works"] else
                           "sockdemux-trace cannot trace on this machine ")
    assert max(map(len, said.splitlines())) <= 100 and said.isascii()
    words = " ".join(said.split())
    assert f" {'yes' if one['works'] else 'no'} {name} {one['about']} " in words
    assert one.get("why", "") in words and one.get("help", "") in words
    for hook in one["hooks"]:
        if "attached" in hook and not hook.get("pointless"):
            mark = "yes" if hook["attached"] else "no"
            assert f" {mark} {hook['program']} {hook['symbol']} " in words
    for check in report().checks.values():
        assert f" {check['name']} {check.get('value', 'not known')}" in words


def test_only_verbose_lists_what_attached():
    assert " yes on_" not in call("-b", "stable", "--without", "sys_exit")[1]


def test_keys_are_documented():
    section = FORMATS.read_text().split("\n## The doctor's report\n")[1]
    told = set(re.findall(r"`([a-z0-9_]+)`", section.split("\n## ")[0]))

    def keys(value):
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else ()

    assert set(keys(report().all)) | set(report().checks) <= told


# --- where something is taken away -------------------------------------------

def without_capabilities(*names):
    return ["setpriv", "--bounding-set=" + ",".join("-" + x for x in names)]


def test_ordinary_user(public):
    tool = public + "/sockdemux-trace"
    user = {"preexec_fn": lambda: os.setuid(NOBODY), "tool": tool}
    found = Report(**user)
    assert found.code == 3
    assert "CAP_BPF, CAP_PERFMON" in found.all["why"]
    assert "root" in found.all["help"]
    assert not found.checks["capabilities"]["ok"]
    assert not any("attached" in x and not x.get("pointless")
                   for one in found.backends.values()
                   for x in one["hooks"])
    code, text = call("-v", "-b", "stable", **user)
    assert code == 3 and "CAP_BPF, CAP_PERFMON" in text


def test_user_namespace():
    """What is root in there is nobody to BPF."""
    found = Report(before=["unshare", "-Ur"])
    assert found.code == 3
    assert "user namespace" in found.all["why"]
    assert "own user namespace" in found.checks["container"]["value"]


def test_other_namespaces():
    """All networks are watched, from wherever; pids would be others'."""
    found = Report("-b", "stable", before=["unshare", "-npf"])
    assert list(found.backends) == ["stable"]
    assert found.all["can_trace"] == report().backends["stable"]["works"]
    assert found.all.get("why") == report().backends["stable"].get("why")
    container = found.checks["container"]
    assert not container["ok"] and "own pid namespace" in container["value"]


def test_no_btf():
    found = Report(before=in_own_mounts("mount -t tmpfs none /sys/kernel/btf"))
    assert found.code == 3
    assert "BTF" in found.all["why"] and "BTF" in found.all["help"]
    assert not found.checks["btf"]["ok"]
    assert not any(x["attached"] for one in found.backends.values()
                   for x in one["hooks"] if "attached" in x)


def test_no_proc():
    """Little is known then, and that is said."""
    found = Report("-b", "stable",
                   before=in_own_mounts("mount -t tmpfs none /proc"))
    assert found.code == 3
    for name in ("capabilities", "container", "seccomp", "kptr_restrict"):
        check = found.checks[name]
        assert "ok" not in check and check["meaning"]


def needs_stable():
    if not report().backends["stable"]["works"]:
        pytest.skip("stable does not work here anyhow")


def test_no_cgroup():
    needs_stable()
    found = Report("-b", "stable",
                   before=in_own_mounts("umount -a -t cgroup2"))
    assert found.code == 3 and "cgroup v2" in found.all["why"]
    assert "mount" in found.all["help"]
    assert found.checks["cgroup_v2"]["value"] == "not mounted"
    assert not any(x.get("attached") for x in found.backends["stable"]["hooks"]
                   if x["kind"] == "cgroup")


def test_part_of_the_cgroups():
    """As a container is shown it: works, but the proof is refused."""
    needs_stable()
    with open("/proc/self/mounts") as mounts:
        top = next(x.split()[1] for x in mounts if x.split()[2] == "cgroup2")
    part = f"{top}/sockdemux-doctor-{os.getpid()}"
    os.mkdir(part)
    try:
        found = Report("-b", "stable",
                       before=in_own_mounts(f"mount --bind {part} {top}"))
    finally:
        os.rmdir(part)
    assert found.code == 0
    assert not found.checks["cgroup_v2"]["ok"]
    assert "cgroup-root" in found.backends["stable"]["missing"]


def test_hidden_symbols():
    needs_stable()
    less = without_capabilities("syslog")
    if not subprocess.run([*less, "grep", "-qv", "^0* ", "/proc/kallsyms"],
                          check=False).returncode:
        pytest.skip("this kernel shows addresses to everybody")
    found = Report("-b", "stable", before=less)
    assert found.code == 3 and "CAP_SYSLOG" in found.all["why"]


def lock_memory(limit):
    with contextlib.suppress(ValueError):  # as high as may be
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))


def test_least_privilege():
    """CAP_BPF and CAP_PERFMON are enough for one, not for the other."""
    found = Report(before=["setpriv", "--bounding-set=-all,+bpf,+perfmon"],
                   preexec_fn=lambda: lock_memory(resource.RLIM_INFINITY))
    fentry, stable = found.backends["fentry"], found.backends["stable"]
    assert fentry["works"] == report().backends["fentry"]["works"]
    assert not stable["works"] and "CAP_NET_ADMIN" in stable["why"]
    assert found.checks["capabilities"]["backend"] == "stable"


def test_locked_memory():
    """It matters up to 5.10, and then the tool fails as the doctor says."""
    less = {"before": without_capabilities("sys_resource"),
            "preexec_fn": lambda: lock_memory(65536)}
    found = Report("-b", "stable", **less)
    tool = subprocess.run([*less["before"], TOOL, "-b", "stable", "-d", "0.1"],
                          preexec_fn=less["preexec_fn"], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert found.code == tool.returncode
    assert found.checks["memlock"]["value"] == "64 KiB"
    if report().backends["stable"]["works"]:
        assert found.checks["memlock"]["ok"] == (found.code == 0)


def test_needed_hook_left_out():
    found = Report("--without", "kfree_skb", "-b", "stable")
    assert found.code == 3
    assert "--without" in found.all["why"] and "kfree_skb" in found.all["why"]
    hooks = {x["program"]: x for x in found.backends["stable"]["hooks"]}
    assert not hooks["on_drop"]["attached"]
    assert "--without" in hooks["on_drop"]["why"]
    assert "attached" not in hooks["on_match"]


def test_proof_hook_left_out():
    needs_stable()
    found = Report("--without", "sys_exit,napi_poll", "-b", "stable")
    assert found.code == 0
    assert found.backends["stable"]["missing"] == "sys_exit"
    hooks = {x["program"]: x for x in found.backends["stable"]["hooks"]}
    assert not hooks["on_syscall_done"]["attached"]
    assert not hooks["on_poll_done"]["attached"]
    assert hooks["on_state"]["attached"]


# --- where it goes -----------------------------------------------------------

def test_outputs_that_cannot_be():
    command = [TOOL, "doctor", "-b", "stable", "--without", "kfree_skb"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, check=False,
                              stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"No space left" in done.stderr
    done = subprocess.run(command, preexec_fn=lambda: os.close(1), check=False,
                          stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"closed" in done.stderr
