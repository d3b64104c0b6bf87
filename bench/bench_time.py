"""Points in time: differences, merges, and the memory of a standard snapshot.

A machine that is off has a disk full of bytes that do not compress; between two snapshots a hundredth of it is written, in
pieces of 64 KiB all over the disk. Ours are `cohort export` and `cohort package merge`, with all hashes, synced. The peers of
a merge do what makes one image of a full one and a difference without Cohort. For the fence, a running guest's memory is
full of such bytes, too; the peer is `virsh snapshot-create-as` with memory of the same guest, in turns.
"""
import contextlib
import os
import shutil
import tempfile
import time
import uuid
from pathlib import Path

from bench_disks import CLUSTER, file_system_of, write_clusters, xfs
from bench_export import run_timed
from bench_fence import backing_of, together, virsh
from harness import Disk, Lab
from harness.images import MIB, run

GIB = 1024 * MIB
PATIENT = ("--deadline", "3600000")


def fill(image, mebibytes):
    """Replaces a disk, of a guest that never runs, by a full one."""
    raw = image.with_suffix(".making")
    run("dd", "if=/dev/urandom", f"of={raw}", "bs=1M", f"count={mebibytes}", "status=none")
    image.unlink()
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, image)
    raw.unlink()


def write_a_hundredth(guest, mebibytes):
    [overlay] = guest.disk_paths().values()
    count = max(1, mebibytes * MIB // 100 // CLUSTER)
    write_clusters(overlay, [number * (mebibytes * MIB // count) // CLUSTER * CLUSTER for number in range(count)])


def prepare(target):
    shutil.rmtree(target, ignore_errors=True)
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def timed_export(lab, target, *options):
    prepare(target)
    return run_timed(lab.cohort_command("export", "later", target, "--quiet", *options))[0]


def measure_difference(lab, folder, rounds, row, tell):
    """Leaves the packages "full", of the first snapshot, and "difference", which stands on it."""
    lab.cohort("export", "earlier", folder / "full")
    whole, difference = [], []
    for number in range(rounds):
        tell(f"time: difference of 1 %, round {number + 1} of {rounds}")
        whole.append(timed_export(lab, folder / "out"))
        difference.append(timed_export(lab, folder / "difference", "--since", folder / "full"))
    prepare(folder / "out")
    return [row("time", "export of the difference of 1 %", "s", difference, "ours, the whole disk", whole)]


def image_of(package):
    [image] = (package / "Virtual Hard Disks").glob("*.qcow2")
    return image


def convert(folder, target):
    target.mkdir()
    copy = target / "merged.qcow2"
    seconds = run_timed(["qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", image_of(folder / "difference"), copy])[0]
    return seconds + run_timed(["sha256sum", copy])[0] + run_timed(["sync", copy])[0]


def commit(folder, target):
    """The full image is copied, or shared where it can be, and the difference is committed into that."""
    target.mkdir()
    full, difference = target / "merged.qcow2", target / "difference.qcow2"
    began = time.monotonic()
    run("cp", "--reflink=auto", "--sparse=always", image_of(folder / "full"), full)
    run("cp", "--reflink=auto", image_of(folder / "difference"), difference)
    run("qemu-img", "rebase", "-u", "-f", "qcow2", "-b", full, "-F", "qcow2", difference)
    run("qemu-img", "commit", "-q", "-d", "-f", "qcow2", difference)
    run("sync", full)
    return time.monotonic() - began


def room_in(folder):
    os.sync()
    status = os.statvfs(folder)
    return status.f_bfree * status.f_frsize


def measure_merge(lab, folder, case, rounds, row, tell):
    target = folder / "out"
    peers = {"qemu-img convert + sha256sum + sync": convert, "cp + qemu-img commit + sync (no hash)": commit}
    ours, taken, others = [], [], {name: [] for name in peers}
    for number in range(rounds):
        tell(f"time: merge on {case}, round {number + 1} of {rounds}")
        prepare(target)
        before = room_in(folder)
        ours.append(run_timed(lab.cohort_command("package", "merge", folder / "difference", target, "--quiet"))[0])
        taken.append((before - room_in(folder)) / MIB)
        for name, peer in peers.items():
            prepare(target)
            others[name].append(peer(folder, target))
    prepare(target)
    what = f"merge of a difference of 1 % into a full package, {case}"
    return [*[row("time", what, "s", ours, name, values) for name, values in others.items()],
            row("time", f"{what}: room", "MiB", taken, "length of the image",
                [image_of(folder / "full").stat().st_size / MIB] * rounds)]


@contextlib.contextmanager
def two_instants(lab, mebibytes, tell):
    guest = lab.guest("bench-time", single_disk=True, disks=[Disk()])
    tell("time: filling the disk")
    fill(guest.image(), mebibytes)
    lab.cohort("collection", "create", "bench", guest.name)
    lab.cohort("snapshot", "take", "bench", "--name", "earlier")
    write_a_hundredth(guest, mebibytes)
    lab.cohort("snapshot", "take", "bench", "--name", "later")
    yield
    for name in ("later", "earlier"):
        lab.cohort("snapshot", "delete", name)


def measure_packages(rounds, mebibytes, row, tell):
    rows = []
    with tempfile.TemporaryDirectory(prefix="cohort-bench-", dir="/var/tmp") as name, Lab() as lab:
        folder = Path(name)
        with two_instants(lab, mebibytes, tell):
            rows += measure_difference(lab, folder, rounds, row, tell)
            rows += measure_merge(lab, folder, f"not shared ({file_system_of(folder)})", rounds, row, tell)
            with xfs(folder, mebibytes) as place:
                for package in ("full", "difference"):
                    shutil.move(folder / package, place / package)
                rows += measure_merge(lab, place, "shared (XFS)", rounds, row, tell)
    return rows


def our_fence(lab):
    """(seconds, bytes of memory) of one standard snapshot, which is deleted again."""
    snapshot = lab.cohort("snapshot", "take", "bench", "--standard", *PATIENT).json["snapshot"]
    lab.cohort("snapshot", "delete", snapshot["id"])
    [member] = snapshot["members"]
    return snapshot["fence"]["raised_us"] / 1e6, member["memory"]["size_bytes"]


def scripted_fence(guest):
    """The same by virsh, which lets the guest run again when it is done."""
    mark = uuid.uuid4().hex[:8]
    memory = guest.folder / f"{mark}.mem"
    began = time.monotonic()
    together([virsh("snapshot-create-as", guest.name, mark, "--memspec", f"file={memory},snapshot=external", "--atomic",
                    *[word for target in guest.disk_paths() for word in ("--diskspec", f"{target},snapshot=external")])])
    seconds, length = time.monotonic() - began, memory.stat().st_size
    together([virsh("snapshot-delete", guest.name, mark, "--metadata")])
    for target, overlay in guest.disk_paths().items():
        together([virsh("blockcommit", guest.name, target, "--active", "--pivot", "--wait", "--top", overlay, "--base",
                        backing_of(overlay))])
        overlay.unlink()
    memory.unlink()
    return seconds, length


def measure_fence(rounds, memory_mib, row, tell):
    with Lab() as lab:
        guest = lab.guest("bench-memory", role="writer", interval_ms=100, memory_mib=memory_mib + 160,
                          role_options={"FILL_MIB": memory_mib})
        tell("time: filling the guest's memory")
        guest.start().wait_ready(1800)
        lab.cohort("collection", "create", "bench", guest.name)
        ours, theirs = [], []
        for number in range(rounds):
            tell(f"time: fence with memory, round {number + 1} of {rounds}")
            ours.append(our_fence(lab))
            theirs.append(scripted_fence(guest))

        def per_gib(measured):
            return [seconds / (length / GIB) for seconds, length in measured]

        return [row("time", "fence of a standard snapshot, for each GiB of memory", "s", per_gib(ours),
                    "virsh snapshot-create-as with memory", per_gib(theirs)),
                row("time", "memory of the guest, saved", "MiB", [length / MIB for _, length in ours],
                    "virsh snapshot-create-as with memory", [length / MIB for _, length in theirs])]


def measure(rounds, mebibytes, memory_mib, only, row, tell):
    rows = [] if only == "guest" else measure_packages(rounds, mebibytes, row, tell)
    return rows + ([] if only == "disks" else measure_fence(rounds, memory_mib, row, tell))
