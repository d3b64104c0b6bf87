"""What all end-to-end tests share: the harness can be imported, libvirt runs."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import Lab, daemons  # noqa: E402
from world import bare_machine  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def libvirt_runs():
    daemons.ensure()


@pytest.fixture(scope="module")
def lab():
    """One for all tests of a file; a file whose tests must not see each other's machines has its own."""
    with Lab() as opened:
        yield opened


@pytest.fixture(scope="module")
def pair(lab):
    """Two machines that are never started, in the collection "pair"."""
    guests = [bare_machine(lab, f"pair ä{number}", disks=("raw", "qcow2")) for number in (1, 2)]
    lab.cohort("collection", "create", "pair", *[guest.name for guest in guests])
    return guests


@pytest.fixture(scope="module")
def guest(lab):
    """One that runs."""
    made = lab.guest("mächine 1")
    made.start().wait_ready()
    return made


@pytest.fixture(scope="module")
def bare(lab):
    """A machine that is never started, with two disks."""
    return bare_machine(lab, "bare machine", disks=("raw", "qcow2"))


@pytest.fixture(scope="module")
def package(lab, pair):
    """Of the pair."""
    target = lab.folder / "pair package"
    lab.cohort("backup", "--full", "pair", target)
    return target
