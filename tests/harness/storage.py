"""Small file systems that fill up, vanish and fail; none of them outlives its folder."""

import contextlib
import os
import re
import subprocess
import time
from pathlib import Path

from .images import MIB, copy_sparse, run


class SmallFileSystem:
    """An ext4 of its own in a folder, which is made. Its content stays while it is not mounted."""

    def __init__(self, place, mebibytes):
        self.place = Path(place)
        self._image = self.place.with_name(self.place.name + ".ext4")
        self.place.mkdir()
        with open(self._image, "wb") as image:
            image.truncate(mebibytes * MIB)
        # Nothing is kept for root: full is full for everybody.
        run("/usr/sbin/mke2fs", "-q", "-t", "ext4", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", self._image)
        self.mount()
        self.place.chmod(0o711)

    def mount(self):
        run("mount", "-o", "loop", self._image, self.place)

    def remount(self, options):
        run("mount", "-o", f"remount,{options}", self.place)

    def unmount(self):
        """Takes it away also from those who use it: they go on with it, and nobody else finds it."""
        run("umount", "--lazy", self.place)

    def repair(self):
        """What an operator does after the file system was stopped by an error."""
        run("umount", self.place)
        # The mount namespace of a machine that runs may hold the stopped one: the kernel would only show that again.
        copy = self._image.with_name(self._image.name + ".copy")
        copy_sparse(self._image, copy)
        copy.rename(self._image)
        # 1: errors were mended
        done = subprocess.run(["/usr/sbin/e2fsck", "-p", "-f", self._image], capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        self.mount()

    @contextlib.contextmanager
    def full(self):
        """No byte is left meanwhile."""
        fill(self.place)
        try:
            yield
        finally:
            (self.place / "filler").unlink()


class SharingFolder:
    """A folder in an XFS of its own, whose files can have blocks in common."""

    def __init__(self, place, mebibytes):
        self.place = Path(place)
        image = self.place.with_name(self.place.name + ".xfs")
        self.place.mkdir()
        with open(image, "wb") as file:
            file.truncate(mebibytes * MIB)
        run("/usr/sbin/mkfs.xfs", "-q", image)
        run("mount", "-o", "loop", image, self.place)
        self.place.chmod(0o711)

    def free_bytes(self):
        """When all that was written is on the storage."""
        run("sync", "--file-system", self.place)
        status = os.statvfs(self.place)
        return status.f_bfree * status.f_frsize


class LimitedFolder:
    """A folder in a btrfs of its own, with a quota: the file system has room, and this folder has none."""

    def __init__(self, place, mebibytes):
        self._filesystem = Path(place)
        image = self._filesystem.with_name(self._filesystem.name + ".btrfs")
        self._filesystem.mkdir()
        with open(image, "wb") as file:
            file.truncate(512 * MIB)
        run("/usr/sbin/mkfs.btrfs", "-q", image)
        run("mount", "-o", "loop", image, self._filesystem)
        run("btrfs", "quota", "enable", self._filesystem)
        self.place = self._filesystem / "limited"
        run("btrfs", "subvolume", "create", self.place)
        for folder in (self._filesystem, self.place):
            folder.chmod(0o711)
        self._mebibytes = mebibytes

    @contextlib.contextmanager
    def limited(self):
        """The quota counts meanwhile."""
        self._limit(f"{self._mebibytes}M")
        try:
            yield
        finally:
            self._limit("none")

    def _limit(self, size):
        run("btrfs", "qgroup", "limit", size, self.place)


def fill(folder):
    """Takes all the room that is left, in a file called filler."""
    with open(folder / "filler", "ab", buffering=0) as filler:
        for size in (MIB, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    filler.write(b"\0" * size)
            with contextlib.suppress(OSError):
                os.fsync(filler.fileno())


def _unescaped(path):
    """Spaces and the like are written as octal numbers there."""
    return re.sub(r"\\([0-7]{3})", lambda number: chr(int(number.group(1), 8)), path)


def unmount_below(folder):
    """Takes away everything that is mounted in the folder, the last mount first."""
    for _ in range(50):
        mounts = [_unescaped(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        found = [path for path in mounts if path.startswith(f"{folder}/")]
        if not found:
            return
        done = subprocess.run(["umount", "--lazy", found[-1]], capture_output=True, text=True)
        if done.returncode != 0:
            time.sleep(0.1)
    raise RuntimeError(f"{folder} has mounts that cannot be taken away: {found}")
