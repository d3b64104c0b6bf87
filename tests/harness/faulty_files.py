"""A FUSE file system that shows a folder and fails where it is told to: FaultyFiles mounts it in a process of its own.

It knows what a plain network file system knows: no holes, no reserving of room, no O_DIRECT below.
"""

import errno
import fnmatch
import json
import os
import subprocess
import sys
from pathlib import Path

import fusepy

from .waiting import wait_until


class FaultyFiles:
    """`place` shows what is in `below`. It ends when it is unmounted, as storage.unmount_below() does."""

    def __init__(self, place, is_cached=True):
        """Without the kernel's page cache each read and write of a program is seen as it is."""
        self.place = Path(place)
        self.below = self.place.with_name(self.place.name + " below")
        self._faults = self.place.with_name(self.place.name + " faults")
        for folder in (self.place, self.below):
            folder.mkdir()
            folder.chmod(0o711)
        self.work()
        # In a session of its own: a ctrl-C must not take it away from those who have files on it.
        command = [sys.executable, "-m", "harness.faulty_files", self.below, self.place, self._faults,
                   str(is_cached)]
        self._server = subprocess.Popen(command, cwd=Path(__file__).parents[1], stdin=subprocess.DEVNULL,
                                        start_new_session=True)
        wait_until(lambda: os.path.ismount(self.place), 30, f"{self.place} is mounted")

    def fail(self, operation, error, name="", also=False, **more):
        """From now on the operation, or each of several (read, write, fsync, …), gives this error.

        name    only for paths that end so; * and ? stand for what they do in a shell
        start   only from this byte on
        also    what has failed before still does
        """
        operations = [operation] if isinstance(operation, str) else operation
        faults = json.loads(self._faults.read_text()) if also else []
        self._tell(faults + [{"operation": each, "errno": error, "name": name, **more} for each in operations])

    def move_less(self, operations, most):
        """From now on read or write, or both, move this many bytes at once and no more; more are there.

        REQUIRES: it is not cached, since the page cache takes less than it asked for as the end of the file.
        """
        self._tell([{"operation": each, "most": most, "name": ""} for each in operations])

    def work(self):
        """No faults any more."""
        self._tell([])

    def _tell(self, faults):
        told = self._faults.with_name(self._faults.name + ".new")
        told.write_text(json.dumps(faults))
        told.rename(self._faults)


class _Files(fusepy.Operations):
    """The server's side."""

    use_ns = True

    def __init__(self, below, faults):
        self._below, self._faults = below, faults

    def __call__(self, operation, path, *arguments):
        for fault in self._faults_of(operation, path, arguments):
            if "errno" in fault:
                raise fusepy.FuseOSError(fault["errno"])
            whole, most = arguments[0], fault["most"]
            arguments = (min(whole, most) if operation == "read" else whole[:most], *arguments[1:])
        return getattr(self, operation)(self._below + path, *arguments)

    def _faults_of(self, operation, path, arguments):
        end = None  # of what is read or written
        if operation in ("read", "write"):
            end = arguments[1] + (arguments[0] if operation == "read" else len(arguments[0]))
        return [fault for fault in json.loads(Path(self._faults).read_text())
                if fault["operation"] == operation and fnmatch.fnmatch(path, "*" + fault["name"])
                and (end is None or end > fault.get("start", 0))]

    def getattr(self, path, handle=None):
        found = os.lstat(path)
        times = {f"st_{each}time": getattr(found, f"st_{each}time_ns") for each in "acm"}
        return times | {key: getattr(found, key) for key in ("st_gid", "st_mode", "st_nlink", "st_size", "st_uid",
                                                             "st_blocks", "st_ino")}

    def readdir(self, path, handle):
        return [".", "..", *os.listdir(path)]

    def statfs(self, path):
        found = os.statvfs(path)
        return {key: getattr(found, key) for key in ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree",
                                                      "f_files", "f_flag", "f_frsize", "f_namemax")}

    def open(self, path, flags):
        return os.open(path, flags & ~(os.O_DIRECT | os.O_APPEND))

    def create(self, path, mode, info=None):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path, size, offset, handle):
        return os.pread(handle, size, offset)

    def write(self, path, data, offset, handle):
        return os.pwrite(handle, data, offset)

    def truncate(self, path, length, handle=None):
        os.truncate(path, length)

    def fsync(self, path, datasync, handle):
        os.fsync(handle)

    def fsyncdir(self, path, datasync, handle):
        pass

    def flush(self, path, handle):
        pass

    def release(self, path, handle):
        os.close(handle)

    def mkdir(self, path, mode):
        os.mkdir(path, mode)

    def rmdir(self, path):
        os.rmdir(path)

    def unlink(self, path):
        os.unlink(path)

    def rename(self, old, new):
        os.rename(old, self._below + new)

    def chmod(self, path, mode):
        os.chmod(path, mode)

    def chown(self, path, user, group):
        os.chown(path, user, group)

    def utimens(self, path, times=None):
        os.utime(path, ns=times)

    def access(self, path, mode):
        if not os.access(path, mode):
            raise fusepy.FuseOSError(errno.EACCES)


if __name__ == "__main__":
    fusepy.FUSE(_Files(sys.argv[1], sys.argv[3]), sys.argv[2], foreground=True, allow_other=True,
                default_permissions=True, use_ino=True, attr_timeout=0, entry_timeout=0, big_writes=True, hard_remove=True,
                direct_io=sys.argv[4] == "False", fsname="cohort-test")
