"""What killed processes leave in folders for short-lived files is removed by the next command that changes something."""

import fcntl
import os
import tempfile
import uuid
from pathlib import Path

import pytest

CLAIMS = Path("/run/cohort")


@pytest.fixture
def claim():
    """The file of a guard that was killed."""
    CLAIMS.mkdir(mode=0o700, exist_ok=True)
    path = CLAIMS / f"{uuid.uuid4()}.guard"
    path.touch(mode=0o600)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def socket_folder():
    """What a copy through QEMU has left that was killed."""
    path = Path(tempfile.mkdtemp(prefix="cohort-nbd-"))
    (path / "socket").touch()
    yield path
    (path / "socket").unlink(missing_ok=True)
    if path.exists():
        path.rmdir()


def change(lab, name):
    lab.cohort("collection", "create", name)


def test_is_removed_by_the_next_change_and_by_nothing_else(lab, claim, socket_folder):
    lab.cohort("collection", "list")
    assert claim.exists() and socket_folder.exists()
    change(lab, "first")
    assert not claim.exists() and not socket_folder.exists()


def test_stays_while_a_process_uses_it(lab, claim, socket_folder):
    held = [os.open(claim, os.O_RDWR), os.open(socket_folder, os.O_RDONLY)]
    for each in held:
        fcntl.flock(each, fcntl.LOCK_EX)
    change(lab, "second")
    assert claim.exists() and (socket_folder / "socket").exists()
    for each in held:
        os.close(each)
    change(lab, "third")
    assert not claim.exists() and not socket_folder.exists()
