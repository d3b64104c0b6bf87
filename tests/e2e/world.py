"""What the tests compare before and after: machines as libvirt, QEMU's tools and the file system tell of them."""

import contextlib
import json
import subprocess
from pathlib import Path

from harness import Disk, Guest, wait_until
from harness.domain_xml import domain_xml
from harness.images import MIB, run
from harness.lab import NAME_PREFIX

PATIENT = ("--deadline", "30000")  # for snapshots whose deadline is not what is tested: the host may be busy


def bare_machine(lab, name, disks=("raw",), folder=None):
    """A machine that is never started, with small empty disks of these formats: quick to make."""
    name = NAME_PREFIX + name
    place = lab.new_folder(folder or f"bare-{len(list(lab.folder.iterdir()))}")
    made = {}
    for index, format in enumerate(disks):
        path = place / f"disk{index}.{format}"
        run("qemu-img", "create", "-q", "-f", format, path, str(4 * MIB))
        made[f"disk{index}"] = (Disk(format), path)
    lab.connection.defineXML(domain_xml(name, list(made.values()), place / "console.log", firmware="bios",
                                        machine="q35", memory_mib=128, tpm=False, net=None, nvram=None))
    lab.adopt(name)
    return Guest(lab, name, {label: path for label, (_, path) in made.items()}, place)


def chain(path):
    """The files that an image consists of, the active one first, as their headers tell."""
    information = json.loads(run("qemu-img", "info", "-U", "--backing-chain", "--output=json", path))
    return [Path(image["filename"]) for image in information]


def picture(*guests):
    """All of the guests that a snapshot could change; equal pictures mean that nothing is different."""
    return {guest.name: {
        "state": guest.state(),
        "live": guest.disk_paths(),
        "defined": guest.disk_paths(inactive=True),
        "chains": {target: chain(path) for target, path in guest.disk_paths().items()},
        "files": sorted(path.name for path in guest.folder.iterdir()),
        "snapshots": sorted(snapshot.getName() for snapshot in guest.domain.listAllSnapshots()),
    } for guest in guests}


def overlays(*guests):
    return sorted(path for guest in guests for path in guest.folder.glob("*.cohort-*"))


def snapshots(lab):
    return {each["name"]: each for each in lab.cohort("snapshot", "list").json["snapshots"]}


def forget_all(lab, but):
    """Deletes all snapshots, and all collections except those of the names `but`."""
    for name in reversed(snapshots(lab)):
        lab.cohort("snapshot", "delete", name, check=False)
    for collection in lab.cohort("collection", "list").json["collections"]:
        if collection["name"] not in but:
            lab.cohort("collection", "delete", collection["id"], check=False)


def take(lab, collection, name, *options, **how):
    """Takes a snapshot and returns it as --json shows it."""
    return lab.cohort("snapshot", "take", collection, "--name", name, *PATIENT, *options, **how).json["snapshot"]


def member(snapshot, guest):
    return next(each for each in snapshot["members"] if each["name"] == guest.name)


def frozen(snapshot, guest):
    """The frozen files of a guest's disks by their targets: {"vda": (path, format)}."""
    return {disk["target"]: (Path(disk["frozen"]["path"]), disk["frozen"]["format"])
            for disk in member(snapshot, guest)["disks"]}


def format_of(path):
    return path.suffix[1:]


def write(guest, number):
    """What a machine might write: one place again and again, and another one for each number."""
    for path in guest.disk_paths().values():
        run("qemu-io", "-f", format_of(path), "-c", f"write -P {number} 0 64k", "-c",
            f"write -P {number} {number * 64}k 64k", path)


def content(lab, path, format):
    """All bytes that the guest would read."""
    raw = lab.folder / "content.raw"
    run("qemu-img", "convert", "-q", "-U", "-f", format, "-O", "raw", path, raw)
    data = raw.read_bytes()
    raw.unlink()
    return data


def active(guest):
    return [(path, format_of(path)) for path in guest.disk_paths().values()]


def error_of(ran):
    return ran.json["error"]


@contextlib.contextmanager
def writer_of(image, socket):
    """A program that has the image open for writing."""
    program = subprocess.Popen(["qemu-nbd", "--socket", socket, "--format", "qcow2", "--persistent", image])
    try:
        wait_until(socket.exists, 60, "qemu-nbd has the image open")
        yield
    finally:
        program.terminate()
        program.wait(timeout=60)
