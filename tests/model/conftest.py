"""What the tests against a model share: the harness can be imported, libvirt runs."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import daemons  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def libvirt_runs():
    daemons.ensure()
