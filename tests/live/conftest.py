# SPDX-License-Identifier: GPL-2.0-only
"""Live tests make real traffic in network namespaces of their own. They need
root, and a host that is quiet: tests/vm gives both. They run once for every
backend that starts here; test_backends.py tells of those that do not."""

import os
import platform
import shutil
import signal
import tempfile

import pytest

from lab import Labs
from sight import Sight
from tracer import BACKENDS, TOOL, UnderTest, attempt


# nohup or a script in the background may run this, and what it starts would
# ignore these too.
for number in signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT:
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())

# What hardly differs with kernel and backend, or takes a guest half a minute.
SIDE = {"test_attach", "test_bulk", "test_command", "test_details",
        "test_filter", "test_filters", "test_many", "test_process", "test_record",
        "test_snapshot"}


def is_side(item):
    return "backend" in item.fixturenames and item.path.stem in SIDE


def is_about_no_backend(item):
    return ("backend" not in item.fixturenames and
            not item.name.startswith("test_starts["))


def pytest_addoption(parser):
    parser.addoption("--core", action="append_const", const=is_side,
                     dest="left_out",
                     help="leave out what hardly differs with the backend")
    parser.addoption("--only-backend", action="append_const",
                     const=is_about_no_backend, dest="left_out",
                     help="leave out what is not about a backend")


def pytest_collection_modifyitems(config, items):
    for is_left_out in config.getoption("left_out") or ():
        config.hook.pytest_deselected(items=[*filter(is_left_out, items)])
        items[:] = [x for x in items if not is_left_out(x)]


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
def public():
    """A directory that everybody can read, with the tool in it."""
    path = tempfile.mkdtemp()
    try:
        os.chmod(path, 0o755)
        shutil.copy(TOOL, path)
        yield path
    finally:
        shutil.rmtree(path)
