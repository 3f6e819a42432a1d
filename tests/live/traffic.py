# SPDX-License-Identifier: GPL-2.0-only
"""Traffic that goes on beside a test."""

import threading

import peers
from tracer import wait_until


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
