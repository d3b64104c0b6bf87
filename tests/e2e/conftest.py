"""What all end-to-end tests share: the harness can be imported, libvirt runs."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import Lab, daemons  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def libvirt_runs():
    daemons.ensure()


@pytest.fixture(scope="module")
def lab():
    """One for all tests of a file; a file whose tests must not see each other's machines has its own."""
    with Lab() as opened:
        yield opened
