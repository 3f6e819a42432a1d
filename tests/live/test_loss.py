# SPDX-License-Identifier: GPL-2.0-only
"""Where something is missing, the proof is refused and says why."""

import contextlib
import os
import signal
import socket
import subprocess

import pytest

import bpf
import judge
import peers
from tracer import Trace, command, in_own_mounts, run_tool

# A hook that no trace is without; one that the proof needs; one that is told
# of, and no more.
NEEDED = {"fentry": "sk_filter_trim_cap", "kprobe": "sk_filter_trim_cap",
          "stable": "kfree_skb"}
FOR_PROOF = {"fentry": "tcp_check_req", "kprobe": "tcp_check_req",
             "stable": "sys_exit"}
EXTRA = "tcp_destroy_sock"


def test_ring_too_small(labs):
    """Nothing is read while the burst comes: what did not fit is counted."""
    lab = labs.loopback()
    with Trace(lab.namespaces, "--buffer-size", "4096") as run:
        run.process.send_signal(signal.SIGSTOP)
        with peers.listen(lab) as listener:
            for _ in range(10):
                peers.visit(lab, listener)
        run.process.send_signal(signal.SIGCONT)
    judge.check_accounting(run)
    summary = run.summary
    assert summary["lost"] > 0 and summary["segments"] > 0
    assert summary["lost_other"] > 0
    assert summary["verdict"] == "not_proved"
    assert any("--buffer-size" in x for x in summary["why"])


def test_fewer_than_the_kernel_counted(labs, tmp_path):
    """More segments in the tracer's own network namespace than all hooks saw, of
    what is filtered out too: as many are skipped. Their number is made up."""
    counters = tmp_path / "snmp"
    hidden = in_own_mounts(f"mount --bind {tmp_path} /proc/$$/net")
    lab = labs.loopback()
    for options in [], ["-P", "1"]:
        for more in 0, 3:
            counters.write_text("Tcp: InSegs OutSegs\nTcp: 1000 0\n")
            with Trace(lab.namespaces, *options, within=hidden) as run:
                before = sum(run.in_segs().values())
                with peers.listen(lab) as listener:
                    peers.visit(lab, listener)
                run.settle()
                seen = sum(run.in_segs().values()) - before
                counters.write_text("Tcp: InSegs OutSegs\n"
                                    f"Tcp: {1000 + seen + more} 0\n")
            judge.check_accounting(run)
            assert run.summary["skipped"] == more
            assert any("3 segments" in x for x in run.summary["why"]) == (
                more == 3), run.summary["why"]


def two_cpus(lab):
    """One that receives, whoever sends, and another one."""
    receives, sends = {0}, {1}
    if not receives | sends <= os.sched_getaffinity(0):
        pytest.skip("it takes two CPUs")
    subprocess.run(["ip", "netns", "exec", lab.server.name, "sh", "-c",
                    "echo 1 >/sys/class/net/lo/queues/rx-0/rps_cpus"], check=True)
    return receives, sends


def test_beside_one_that_polls_a_map(labs):
    """His bpf() keeps kprobes' programs from running on the CPU that receives, and
    up to 6.6 nobody counts that; the calls of the functions are."""
    lab = labs.loopback()
    receives, sends = two_cpus(lab)
    count = 300
    with Trace(lab.namespaces, "-t", "-u") as run, peers.listen(lab) as listener, \
            lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
            peers.beside(bpf.poll_a_map, receives), peers.on(sends):
        for _ in range(count):
            peers.connect(lab).close()
            listener.accept()[0].close()
            sender.sendto(b"x", (lab.server_addr[4], listener.getsockname()[1]))
    summary = run.summary
    assert (summary["segments"] + summary["skipped"] ==
            sum(run.growth.values()))
    assert summary["datagrams"] + summary["datagrams_skipped"] == count
    skipped = summary["skipped"] + summary["datagrams_skipped"]
    assert not skipped or summary["verdict"] == "not_proved"


def flood(lab, port):
    """For peers.beside(): datagrams to that port."""
    with lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while True:
            sender.sendto(b"x", (lab.server_addr[4], port))


def test_what_came_while_hooks_were_attached(labs):
    """It makes up nothing. (While the calls are read first, which takes some ms,
    what is seen may hide as many that are missing later.)"""
    lab = labs.loopback()
    receives, sends = two_cpus(lab)
    count = 300
    with lab.server.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader, \
            lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
            contextlib.ExitStack() as stack:
        reader.bind((lab.server_addr[4], 0))
        reader.settimeout(20)
        here = reader.getsockname()
        with peers.beside(flood, lab, here[1] + 1):
            run = stack.enter_context(Trace(lab.namespaces, "-u", "-P",
                                            str(here[1])))
        with peers.beside(bpf.poll_a_map, receives), peers.on(sends):
            for _ in range(count):
                sender.sendto(b"x", here)
                reader.recv(9)
    told, skipped = len(run.datagrams), run.summary["datagrams_skipped"]
    assert told + skipped <= count
    assert (run.summary["verdict"] == "proved") == (not skipped)


def visit_without(labs, hook):
    lab = labs.loopback()
    with Trace(lab.namespaces, "--without", hook) as run:
        with peers.listen(lab) as listener:
            conn = peers.visit(lab, listener)
    judge.check_accounting(run)
    assert run.summary["coverage"] == hook
    return run, conn


def test_without_a_hook_for_the_proof(labs, backend):
    hook = FOR_PROOF[backend]
    run, conn = visit_without(labs, hook)
    # sys_exit is what sees accept().
    judge.check_accepts(run, [] if hook == "sys_exit" else [conn])
    assert run.summary["verdict"] == "not_proved"
    assert any(hook in x for x in run.summary["why"])
    assert run.summary["missing"] == hook


def test_without_an_extra_hook(labs):
    run, conn = visit_without(labs, EXTRA)
    judge.check_accepts(run, [conn])
    judge.check_proved(run)
    assert "missing" not in run.summary


def test_without_a_needed_hook(tracing, backend, tmp_path):
    """No trace, and no output file is touched."""
    out = tmp_path / "out"
    out.write_text("mine")
    done = run_tool(*command("--without", NEEDED[backend], "-d", "0.1", "-o",
                             f"json:{out}")[1:])
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (3, b"")
    assert f"{backend}: " in said and NEEDED[backend] in said
    assert out.read_text() == "mine"
