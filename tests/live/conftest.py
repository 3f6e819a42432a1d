# SPDX-License-Identifier: GPL-2.0-only
"""Live tests make real traffic in network namespaces of their own. They need
root, and a host that is quiet: tests/vm gives both. They run once for every
backend that starts here; test_backends.py tells of those that do not."""

import contextlib
import os
import platform
import shutil
import signal
import tempfile

import pytest

# What they assert is shown with its values.
pytest.register_assert_rewrite("datagrams", "judge", "peers", "tracer")

from crowd import Crowd
from datagrams import Sockets
from lab import Labs
from sight import Sight
from stage import Stage
from tracer import BACKENDS, TOOL, UnderTest, attempt


# nohup or a script in the background may run this, and what it starts would
# ignore these too.
for number in signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT:
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())

# What every guest runs, and test_starts. The other files take turns (--turn):
# a tool's start takes a guest, which has no KVM, some four seconds.
CORE = {"test_experiment", "test_many"}


def starts(item):
    return item.name.startswith("test_starts[")


def is_about_no_backend(item):
    return "backend" not in item.fixturenames and not starts(item)


def others_turn(items, turn):
    """Those that are left out at @turn, "N/M": of the files outside CORE, that
    are about a backend, every M-th stays."""
    mine, turns = map(int, turn.split("/"))
    taking = {x.path.stem for x in items if not is_about_no_backend(x)} - CORE
    others = {x for i, x in enumerate(sorted(taking)) if i % turns != mine}
    return {x for x in items if x.path.stem in others and not starts(x) and
            not is_about_no_backend(x)}


def pytest_addoption(parser):
    parser.addoption("--turn", metavar="N/M",
                     help="of the files that need not run everywhere, take "
                          "every M-th, from N")
    parser.addoption("--only-backend", action="store_true",
                     help="leave out what is not about a backend")


def pytest_collection_modifyitems(config, items):
    left_out = others_turn(items, config.getoption("turn") or "0/1")
    if config.getoption("only_backend"):
        left_out |= {x for x in items if is_about_no_backend(x)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [x for x in items if x not in left_out]


def pytest_generate_tests(metafunc):
    if "backend" in metafunc.fixturenames:
        starting = [x for x in BACKENDS if attempt(x)[0] != 3]
        metafunc.parametrize("backend", starting or [None], indirect=True,
                             scope="session")


@pytest.fixture(scope="session", autouse=True)
def kernel(record_testsuite_property):
    record_testsuite_property("kernel", platform.release())


@pytest.fixture(scope="session")
def backend(request):
    if not request.param:
        pytest.skip("; ".join(attempt(x)[1] for x in BACKENDS))
    UnderTest.backend = request.param
    return request.param


@pytest.fixture(scope="session")
def tracing(backend):
    """This kernel can be traced."""
    code, said = attempt(backend)
    assert code == 0, said


@pytest.fixture(autouse=True)
def noted(request, record_property):
    """For the matrix: with which backend, and what that could not see."""
    Sight.told.clear()
    yield
    if "backend" in request.fixturenames:
        record_property("backend", UnderTest.backend)
        for words in sorted(Sight.told):
            record_property("unseen", words)


@pytest.fixture
def labs(tracing):
    made = Labs()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def lab():
    """For what needs no backend."""
    made = Labs()
    try:
        yield made.veth()
    finally:
        made.close()


@pytest.fixture
def crowd(lab):
    made = Crowd(lab)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def stage(labs):
    made = Stage(labs)
    yield made
    made.close()


@pytest.fixture
def public():
    """A directory that everybody can read, with the tool in it."""
    path = tempfile.mkdtemp()
    try:
        os.chmod(path, 0o755)
        shutil.copy(TOOL, path)
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture
def make_sockets():
    """For UDP."""
    with contextlib.ExitStack() as stack:
        def make(lab):
            made = Sockets(lab)
            stack.enter_context(made.stack)
            return made
        yield make
