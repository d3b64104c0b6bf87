"""The disks of test guests: copies of the built boot image, and ext4 data disks made without mounting."""

import dataclasses
import functools
import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MIB = 1024 * 1024
_SECTOR = 512
_BOOT_PARTITION_ENTRY = 446
_LINUX_PARTITION_TYPE = 0x83


@dataclasses.dataclass
class Disk:
    """One disk of a guest.

    backing       the disk is a qcow2 overlay on an image of its own that has the content; in `format`
    driver        attributes for the domain's <driver>, such as {"cache": "none", "io": "native"}
    create        options for `qemu-img create|convert -o`, such as "extended_l2=on"
    """
    format: str = "qcow2"  # qcow2 | raw
    bus: str = "virtio"  # virtio | sata | scsi
    size: int = 64 * MIB
    backing: bool = False
    driver: dict = dataclasses.field(default_factory=dict)
    create: str = ""
    name: str = ""  # of the file; the guest names it if empty

    @property
    def top_format(self):
        return "qcow2" if self.backing else self.format


def run(*command):
    """Runs a tool; raises with what it said if it fails. Returns its output."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


@functools.lru_cache(maxsize=None)
def built_folder():
    """Builds the guest's boot images if needed; the folder can be set with COHORT_GUEST_DIR."""
    folder = Path(os.environ.get("COHORT_GUEST_DIR", REPOSITORY / "build" / "guest"))
    run(REPOSITORY / "tests" / "guest" / "build", folder)
    return folder


def boot_image(flavour):
    """The raw boot image: "cloud", or "generic" for SATA."""
    image = built_folder() / f"boot-{flavour}.raw"
    if not image.exists():
        raise RuntimeError(f"no boot-{flavour}.raw; the package linux-image-amd64 is not installed")
    return image


def make_ext4(image, size, label, files):
    """Makes an ext4 file system with a journal; `files` maps names to their text."""
    content = image.with_name(image.name + ".content")
    content.mkdir()
    for name, text in files.items():
        (content / name).write_text(text)
    # Without the lazy options the kernel would go on writing for a while after the first mount.
    run("/usr/sbin/mke2fs", "-q", "-t", "ext4", "-b", "4096", "-L", label, "-J", "size=4", "-E",
        "lazy_itable_init=0,lazy_journal_init=0,nodiscard", "-d", content, image, f"{size // 1024}k")
    for name in files:
        (content / name).unlink()
    content.rmdir()


def copy_sparse(source, target):
    run("cp", "--sparse=always", source, target)


def make_single_disk(boot, data, result):
    """Puts a file system behind the boot image's partition, as the second partition of one disk."""
    copy_sparse(boot, result)
    start = boot.stat().st_size // _SECTOR
    start += -start % 2048
    sectors = data.stat().st_size // _SECTOR
    os.truncate(result, (start + sectors) * _SECTOR)
    run("dd", f"if={data}", f"of={result}", "bs=1M", f"seek={start // 2048}", "conv=notrunc,sparse",
        "status=none")
    entry = bytes([0, 0xfe, 0xff, 0xff, _LINUX_PARTITION_TYPE, 0xfe, 0xff, 0xff])
    entry += start.to_bytes(4, "little") + sectors.to_bytes(4, "little")
    with open(result, "r+b") as disk:
        disk.seek(_BOOT_PARTITION_ENTRY + 16)
        disk.write(entry)


def data_partition(raw):
    """The (offset, length) in bytes of the Linux partition of a raw image; the whole image if unpartitioned."""
    with open(raw, "rb") as disk:
        sector = disk.read(_SECTOR)
    whole = (0, Path(raw).stat().st_size)
    if len(sector) < _SECTOR or sector[510:512] != b"\x55\xaa":
        return whole
    for at in range(_BOOT_PARTITION_ENTRY, 510, 16):
        if sector[at + 4] == _LINUX_PARTITION_TYPE:
            start = int.from_bytes(sector[at + 8:at + 12], "little")
            sectors = int.from_bytes(sector[at + 12:at + 16], "little")
            return start * _SECTOR, sectors * _SECTOR
    return whole


def finish(raw, disk, path):
    """Turns the raw image with the content into the disk at `path`, in the format that was asked for."""
    target = path.with_name(path.stem + "-base." + disk.format) if disk.backing else path
    options = ["-o", disk.create] if disk.create else []
    if disk.format == "raw":
        raw.rename(target)
    else:
        run("qemu-img", "convert", "-q", "-f", "raw", "-O", disk.format, *options, raw, target)
        raw.unlink()
    if disk.backing:
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", disk.format, "-b", target, path)
