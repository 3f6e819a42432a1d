# SPDX-License-Identifier: GPL-2.0-only
"""Where something is missing, the proof is refused and says why."""

import signal

import judge
import peers
from tracer import Trace


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


def test_without_a_needed_hook(labs):
    lab = labs.loopback()
    with Trace(lab.namespaces, "--without", "tcp_check_req") as run:
        with peers.listen(lab) as listener:
            conn = peers.visit(lab, listener)
    judge.check_accounting(run)
    judge.check_accepts(run, [conn])
    assert run.summary["verdict"] == "not_proved"
    assert any("tcp_check_req" in x for x in run.summary["why"])
    assert run.summary["missing"] == "tcp_check_req"
