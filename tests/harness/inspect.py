"""Looks into the disks of test guests, at rest or as a snapshot left them, and judges what it finds.

Nothing is written to the image that is looked at: it is copied, the copy's journal is replayed as a boot
would do, and the copy must then be a clean file system.
"""

import dataclasses
import json
import subprocess
from pathlib import Path

from . import folders, images


class BadFilesystem(AssertionError):
    """The file system is damaged: more than a replay of its journal is needed."""


def image_format(image):
    information = images.run("qemu-img", "info", "-U", "--output=json", image)
    return json.loads(information)["format"]


class Filesystem:
    """The data file system of an image (qcow2 with its chain, or raw), as a clean private copy.

    format            of the image; looked up if not given
    needed_recovery   whether the journal had to be replayed: false after a freeze or an unmount
    """

    def __init__(self, image, format=None):
        self._folder = folders.WorkFolder()
        try:
            self.path = self._folder.path / "filesystem"
            self._extract(Path(image), format or image_format(image))
            self.needed_recovery = "needs_recovery" in self._features()
            self._replay()
            self._check(image)
        except BaseException:
            self._folder.remove()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.remove()

    def _extract(self, image, format):
        disk = self._folder.path / "disk"
        images.run("qemu-img", "convert", "-q", "-U", "-f", format, "-O", "raw", image, disk)
        start, length = images.data_partition(disk)
        if start == 0:
            disk.rename(self.path)
            return
        images.run("dd", f"if={disk}", f"of={self.path}", "bs=1M", "iflag=skip_bytes,count_bytes",
                   f"skip={start}", f"count={length}", "conv=sparse", "status=none")
        disk.unlink()

    def _features(self):
        return images.run("/usr/sbin/dumpe2fs", "-h", self.path).split("Filesystem features:")[1].split("\n")[0]

    def _replay(self):
        replay = _e2fsck("-E", "journal_only", "-y", self.path)
        if replay.returncode not in (0, 1):
            raise BadFilesystem(f"the journal cannot be replayed: {replay.stdout}")

    def _check(self, image):
        check = _e2fsck("-fn", self.path)
        if check.returncode != 0:
            raise BadFilesystem(f"{image}: {check.stdout}")

    def _debugfs(self, request):
        return subprocess.run(["/usr/sbin/debugfs", "-R", request, str(self.path)], check=True,
                              stdin=subprocess.DEVNULL, capture_output=True)

    def exists(self, path):
        return b"File not found" not in self._debugfs(f'stat "{path}"').stderr

    def read(self, path):
        """The bytes of a file."""
        done = self._debugfs(f'cat "{path}"')
        if b"File not found" in done.stderr:
            raise FileNotFoundError(path)
        return done.stdout

    def tokens(self):
        return parse_tokens(self.read("/tokens"))

    def pingpong_log(self):
        return parse_pingpong(self.read("/log"))


def _e2fsck(*arguments):
    return subprocess.run(["/usr/sbin/e2fsck", *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")


def file(image, path, format=None):
    """The bytes of a file of the image's data file system."""
    with Filesystem(image, format) as filesystem:
        return filesystem.read(path)


def needed_recovery(image, format=None):
    """Whether the data file system was in use and not frozen when the image was taken."""
    with Filesystem(image, format) as filesystem:
        return filesystem.needed_recovery


@dataclasses.dataclass(frozen=True)
class Token:
    number: int
    time_us: int  # the guest's wall clock


def parse_tokens(content):
    if len(content) % 32:
        raise AssertionError(f"the last token is torn: {content[-64:]!r}")
    return [Token(int(line[:12]), int(line[13:])) for line in content.decode().splitlines()]


def tokens(image, format=None):
    """What the role "writer" wrote, in the order of the file."""
    with Filesystem(image, format) as filesystem:
        return filesystem.tokens()


def parse_pingpong(content):
    if len(content) % 16:
        raise AssertionError(f"the last entry is torn: {content[-32:]!r}")
    return [(line[:4], int(line[5:])) for line in content.decode().splitlines()]


def pingpong_log(image, format=None):
    """The log of the role "ping" or "pong": a list of ("sent" | "recv", number)."""
    with Filesystem(image, format) as filesystem:
        return filesystem.pingpong_log()


def token_faults(disks):
    """What forbids that these token lists, of one guest's disks in their order, are of one instant.

    Each disk must count from 1 without a gap, and no disk may be ahead of an earlier one, or behind the
    first by more than one. An empty result means consistent.
    """
    faults = []
    for index, disk in enumerate(disks):
        numbers = [token.number for token in disk]
        if numbers != list(range(1, len(numbers) + 1)):
            faults.append(f"disk {index + 1}: the numbers have gaps or repeat")
    last = [disk[-1].number if disk else 0 for disk in disks]
    if any(later > earlier for earlier, later in zip(last, last[1:])) or last[0] - last[-1] > 1:
        faults.append(f"the disks end at {last}")
    return faults


def pingpong_faults(ping_log, pong_log):
    """What forbids that the two logs are of one instant. An empty result means consistent."""
    faults = []
    for receiver, log, other in (("ping", ping_log, pong_log), ("pong", pong_log, ping_log)):
        sent = {number for what, number in other if what == "sent"}
        early = [number for what, number in log if what == "recv" and number not in sent]
        if early:
            faults.append(f"{receiver} received {early[:5]}, which the other side had not sent")
    for name, log in (("ping", ping_log), ("pong", pong_log)):
        for what in ("sent", "recv"):
            numbers = [number for kind, number in log if kind == what]
            if numbers != list(range(1, len(numbers) + 1)):
                faults.append(f"{name}: the numbers of {what} have gaps or repeat")
    return faults
