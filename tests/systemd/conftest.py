"""These tests install the program and have systemd run it: they belong into a system of their own, which
tests/own_system --systemd makes."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import Lab, daemons  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def libvirt_runs():
    if not Path("/run/own_system/units").exists():
        pytest.skip("this is not a system of their own: tests/own_system --systemd pytest-3 tests/systemd")
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:" + os.environ["PATH"]
    daemons.ensure()


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        yield opened
