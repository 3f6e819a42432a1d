# SPDX-License-Identifier: GPL-2.0-only
"""A trace that begins and ends while segments arrive: what began before all
hooks were there is not reported, and what is reported is followed to its end."""

import json
import signal
import threading

import judge
import peers
from tracer import Run, start_tool, wait_until


class Traffic:
    """One connection after the other, and one that stays and talks."""

    def __init__(self, lab, listener):
        self.visits, self.stop = 0, threading.Event()
        self.thread = threading.Thread(target=self.run, args=(lab, listener))

    def run(self, lab, listener):
        stays = peers.connect(lab)
        conn, _ = peers.accept(listener, lab.server)
        while not self.stop.is_set():
            peers.talk(stays, conn)
            peers.visit(lab, listener)
            self.visits += 1
        peers.hang_up(stays, conn)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        self.thread.join()

    def go_on(self, visits):
        goal = self.visits + visits
        wait_until(lambda: self.visits >= goal or
                   not self.thread.is_alive(), "traffic")
        assert self.thread.is_alive()


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
            judge.check_proved(run)
            assert run.summary["skipped"] == run.summary["lost"] == 0
            assert len(run.segments) > 10 * 8
            # Of what was accepted meanwhile nothing is missing at either end.
            assert len(run.accepts) >= 9
    listener.close()
