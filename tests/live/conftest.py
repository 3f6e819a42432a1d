# SPDX-License-Identifier: GPL-2.0-only
"""Live tests make real traffic in network namespaces of their own. They need
root, and a host that is quiet: tests/vm gives both. SOCKDEMUX_MUST_TRACE=1
makes it a failure, not a skip, where the tool cannot trace."""

import os
import shutil
import tempfile

import pytest

from lab import Labs
from tracer import TOOL, command, run_tool


@pytest.fixture(scope="session")
def tracing():
    """Skips what this kernel does not allow, in the tool's own words."""
    done = run_tool(*command("-d", "0.1", "-q", "-o", "json:/dev/null")[1:])
    said = done.stderr.decode()
    if done.returncode == 3 and not os.environ.get("SOCKDEMUX_MUST_TRACE"):
        pytest.skip(said.strip())
    assert done.returncode == 0, said


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
