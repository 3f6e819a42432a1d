# SPDX-License-Identifier: GPL-2.0-only
"""A recording tells what was told live, to everybody."""

import os
import pathlib

import judge
import peers
from tracer import Trace, run_tool

NOBODY = 65534


def as_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def test_replay_says_the_same(labs, public):
    lab = labs.veth()
    recording = pathlib.Path(public, "recording")
    with Trace(lab.namespaces, "-w", str(recording)) as run:
        for family in peers.FAMILIES:
            with peers.listen(lab, family) as listener:
                peers.visit(lab, listener, family)
    judge.check_proved(run)
    recording.chmod(0o644)
    done = run_tool("-r", str(recording), "-o", "json:-",
                    executable=public + "/sockdemux-trace",
                    preexec_fn=as_nobody)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == run.text

    with recording.open("rb") as file:
        piped = run_tool("-r", "-", "-j", stdin=file)
    assert piped.stdout == run.text

    # Recorded again, byte for byte; and cut short, which shows.
    again = pathlib.Path(public, "again")
    assert run_tool("-r", str(recording), "-w", str(again)).returncode == 0
    assert again.read_bytes() == recording.read_bytes()
    again.write_bytes(recording.read_bytes()[:-100])
    cut = run_tool("-r", str(again), "-j")
    assert b"not_proved" in cut.stdout and b"is cut" in cut.stdout
    assert cut.stdout.startswith(run.text[:1000])

    full = run_tool("-r", str(recording), "-w", "/dev/full")
    assert full.returncode == 1 and b"No space left" in full.stderr
