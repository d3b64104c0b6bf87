"""What the soak needs: the harness can be imported, libvirt runs."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "crash")]

from harness import daemons  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def libvirt_runs():
    daemons.ensure()
