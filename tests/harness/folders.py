"""Work folders that tell whether the process that made them is alive: it holds a lock in them."""

import contextlib
import fcntl
import shutil
import tempfile
import time
from pathlib import Path

from .storage import unmount_below

ROOT = Path("/var/tmp")
PREFIX = "cohort-test-"
_LOCK = ".lock"
_YOUNG_S = 10  # a folder this young may not have its lock yet


class WorkFolder:
    """A fresh /var/tmp/cohort-test-XXXX that QEMU's user can walk through; removed by remove()."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=ROOT))
        self._lock = open(self.path / _LOCK, "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path.chmod(0o711)

    def remove(self):
        remove(self.path)
        self._lock.close()


def remove(folder):
    unmount_below(folder)
    shutil.rmtree(folder, ignore_errors=True)


def is_live(folder):
    """Whether the process that made the folder still runs."""
    try:
        with open(folder / _LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        try:
            return time.time() - folder.stat().st_mtime < _YOUNG_S
        except FileNotFoundError:
            return False


def remove_control_groups(live):
    """Those of tests/own_system --systemd, which have the names of its folders, but for those that are in use."""
    for root in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        for group in root.glob(PREFIX + "*"):
            if ROOT / group.name in live:
                continue
            for each in [*sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True), group]:
                with contextlib.suppress(OSError):  # there are processes in it
                    each.rmdir()


def all_folders():
    return [path for path in ROOT.glob(PREFIX + "*") if path.is_dir() and not path.is_symlink()]


def folders_in(text):
    """The work folders that a text, a domain's XML or a command line, refers to."""
    start = f"{ROOT}/{PREFIX}"
    found = set()
    at = text.find(start)
    while at >= 0:
        end = at + len(start)
        while end < len(text) and (text[end].isalnum() or text[end] == "_"):
            end += 1
        found.add(Path(text[at:end]))
        at = text.find(start, end)
    return found
