# SPDX-License-Identifier: GPL-2.0-only
"""A trace that begins and ends while segments arrive: what began before all
hooks were there is not reported, and what is reported is followed to its end."""

import json
import signal

import judge
import peers
from tracer import Run, start_tool
from traffic import Traffic


def test_under_traffic(labs, tmp_path):
    lab = labs.veth()
    listener = peers.listen(lab)
    path = tmp_path / "trace.json"
    with Traffic(lab, listener) as traffic:
        traffic.go_on(3)
        for _ in range(3):
            tool = start_tool("-o", f"json:{path}")
            traffic.go_on(10)
            tool.send_signal(signal.SIGINT)
            assert tool.communicate(timeout=60)[1] == ""
            assert tool.returncode == 0
            run = Run(json.loads(x) for x in path.read_text().splitlines())
            # A kprobe that is hit inside another one is not run, and while
            # they are new that is not rare: it is counted, and not proved.
            if (run.summary["backend"] == "kprobe" and
                    run.summary["skipped"] + run.summary["stuck"]):
                assert run.summary["verdict"] == "not_proved"
                continue
            judge.check_proved(run, older=True)
            assert len(run.segments) > 10 * 8
            # Of what was accepted meanwhile nothing is missing at either end.
            assert len(run.accepts) >= 9
    listener.close()
