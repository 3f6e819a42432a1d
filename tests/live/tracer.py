# SPDX-License-Identifier: GPL-2.0-only
"""Runs ./sockdemux-trace beside a test and reads what it said."""

import functools
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from lab import Namespace
from sight import LIMITS, Sight

TOOL = os.environ.get("SOCKDEMUX_TRACE") or str(
    pathlib.Path(__file__).resolve().parents[2] / "sockdemux-trace")
BACKENDS = (os.environ.get("SOCKDEMUX_BACKENDS") or " ".join(LIMITS)).split()
HOST = Namespace()


class UnderTest:
    """The backend of the tests that run now."""

    backend = None

    @classmethod
    def sees(cls):
        return Sight(cls.backend)


def command(*args):
    """The tool, with the backend under test; for what does not replay."""
    name = UnderTest.backend
    return [TOOL, *(["-b", name] if name else []), *args]


def in_own_mounts(change):
    """Begins a command that sees, and makes, this change."""
    return "unshare", "-m", "sh", "-c", change + ' && exec "$@"', "sh"


@functools.cache
def attempt(backend):
    """Starts it once for real: the exit status, and what it said."""
    done = run_tool("-b", backend, "-d", "0.1", "-q", "-o", "json:/dev/null")
    return done.returncode, done.stderr.decode().strip()


def run_tool(*args, **more):
    """To its end; for what needs no traffic meanwhile."""
    return subprocess.run([TOOL, *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, **more)


def start_tool(*args, **more):
    process = subprocess.Popen(command(*args), stderr=subprocess.PIPE,
                               text=True, **more)
    wait_for_hooks(process)
    return process


def wait_for_hooks(process):
    """Returns when everything is attached."""
    said = ""
    for line in process.stderr:
        if line.startswith("tracing"):
            return
        said += line
    raise AssertionError(f"exit {process.wait()} before tracing: {said}")


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


class Run:
    """The events of a trace, and what could be seen in it."""

    def __init__(self, events=(), growth=None, sees=None):
        self.growth = growth or {}
        self.sees = sees or UnderTest.sees()
        self.use(list(events))

    def use(self, events):
        # Two CPUs fill the ring, so order is by time.
        self.events = events
        kinds = {}
        for event in sorted(events, key=lambda x: x.get("mono_ns", 0)):
            kinds.setdefault(event["event"], []).append(event)
        self.segments = kinds.get("segment", [])
        self.accepts = kinds.get("accept", [])
        self.listens = kinds.get("listen", [])
        self.closes = kinds.get("close", [])
        self.sockets = kinds.get("socket", [])
        self.datagrams = kinds.get("datagram", [])
        self.binds = kinds.get("bind", [])
        self.devices = kinds.get("device", [])
        self.connects = kinds.get("connect", [])
        self.summaries = kinds.get("summary", [])

    @property
    def summary(self):
        (only,) = self.summaries
        return only


class Trace(Run):
    """`with Trace(...) as run:` traces the block; then run has the events.

    The tool sees all namespaces, so @namespaces must be all that have traffic
    (the one of the host is added): the growth of their InSegs is the judge of
    what it counted. @within is a command that ends in another one.
    """

    def __init__(self, namespaces, *options, stop=signal.SIGINT, within=()):
        super().__init__()
        self.options = options
        self.within = within
        self.stop = stop
        self.namespaces = [HOST, *namespaces]
        self.ends_itself = False
        self.process = None
        self.stderr = ""

    def in_segs(self):
        return {x.inode: x.tcp("InSegs") for x in self.namespaces}

    def settle(self):
        """Until nothing has come in for longer than any timer of TCP that a
        test here lets run."""
        before, since = self.in_segs(), time.monotonic()
        end = since + 20
        while time.monotonic() < since + 0.3:
            time.sleep(0.05)
            now = self.in_segs()
            if now != before:
                before, since = now, time.monotonic()
            assert since < end, "traffic does not cease"

    def launch(self):
        """It takes a while: several may be launched, and then entered."""
        self.file = tempfile.NamedTemporaryFile(suffix=".json")
        self.process = subprocess.Popen(
            [*self.within,
             *command("-o", "json:" + self.file.name, *self.options)],
            stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        if not self.process:
            self.launch()
        wait_for_hooks(self.process)
        self.before = self.in_segs()
        return self

    def __exit__(self, failed, *unused):
        with self.file:
            if failed:
                self.process.kill()
                self.process.communicate()
                return
            self.finish()

    def finish(self):
        self.settle()
        after = self.in_segs()
        if not self.ends_itself:
            self.process.send_signal(self.stop)
        self.stderr = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 0, self.stderr
        assert self.in_segs() == after, "traffic while the trace ended"
        self.text = self.file.read()
        self.use([json.loads(x) for x in self.text.splitlines()])
        self.growth = {x: after[x] - self.before[x] for x in after}
