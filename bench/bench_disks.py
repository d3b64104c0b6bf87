"""Disks of several shapes, copied with a SHA-256 and synced, beside what copies them otherwise.

Ours is what `cohort export` does with each disk (cohort-bench-copy, without libvirt and the state). The peers: `cp` of
the same file, `qemu-img convert -W -m 8` and `nbdcopy` from qemu-nbd, each with a sync and none with a hash. All of a
round follow each other on the same files; cold: the page cache is dropped before each, warm: the source is read before.
Each case names the file system that source and target lie on.
"""
import contextlib
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from harness.images import MIB, run

COPY = os.environ["COHORT_BENCH_COPY"]
CLUSTER = 64 * 1024
LARGE = 4  # times the data of the other disks, where what does not depend on it shall not matter
PIECES = "1 TiB sparse, scattered pieces of 64 KiB"
MEMORY_GOAL_MIB = 256
CP = "cp --sparse=always + sync (no hash)"


def make_raw(path, mebibytes):
    """Half full: stretches of 8 MiB of random bytes and holes of 8 MiB."""
    with open(path, "wb") as image:
        for begin in range(0, 2 * mebibytes, 16):
            image.seek(begin * MIB)
            image.write(os.urandom(8 * MIB))
        image.truncate(2 * mebibytes * MIB)


def write_clusters(path, places):
    """Writes clusters of a qcow2 image: new ones lie in the file in the order of `places`."""
    commands = "".join(f"write -q -P {1 + number % 255} {place} {CLUSTER}\n" for number, place in enumerate(places))
    subprocess.run(["qemu-io", "-t", "unsafe", "-f", "qcow2", str(path)], input=commands, text=True, check=True,
                   stdout=subprocess.DEVNULL)


def make_fragmented(path, mebibytes):
    places = [number * 2 * CLUSTER for number in range(mebibytes * MIB // CLUSTER)]
    random.Random(4).shuffle(places)
    run("qemu-img", "create", "-q", "-f", "qcow2", path, 2 * mebibytes * MIB)
    write_clusters(path, places)


def make_scattered(path, mebibytes):
    count = mebibytes * MIB // CLUSTER
    run("qemu-img", "create", "-q", "-f", "qcow2", path, 1 << 40)
    write_clusters(path, [number * ((1 << 40) // count) // CLUSTER * CLUSTER for number in range(count)])


def file_system_of(folder):
    return run("findmnt", "-n", "-o", "FSTYPE", "-T", folder).strip()


def prepare(folder, is_warm, sources):
    """`folder` is empty, and the sources are in the page cache or not."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")
    for source in sources if is_warm else ():
        run("cp", "--sparse=never", source, "/dev/null")


def ours(disks, folder, *options, target_format=None):
    """(seconds, what cohort-bench-copy tells) for the copies of (path, format), side by side, to their own format."""
    arguments = []
    for number, (path, image_format) in enumerate(disks):
        arguments += [path, image_format, folder / str(number), target_format or image_format]
    began = time.monotonic()
    told = json.loads(run(COPY, *options, *arguments))
    return time.monotonic() - began, told


def peers_of(path, image_format, target_format, folder, is_huge, is_compressed):
    target = folder / "0"
    if is_compressed:
        return {"qemu-img convert -c (zstd) -W -m 8 + sync (no hash)":
                ["qemu-img", "convert", "-c", "-o", "compression_type=zstd", "-W", "-m", "8", "-f", image_format, "-O",
                 target_format, path, target]}
    server = ["[", "qemu-nbd", "-r", "-f", image_format, path, "]"]
    peers = {CP: ["cp", "--sparse=always", "--reflink=never", path, target],
             "qemu-img convert -W -m 8 + sync (no hash)":
                 ["qemu-img", "convert", "-W", "-m", "8", "-f", image_format, "-O", target_format, path, target]}
    if not is_huge:  # it would write a raw file as long as the disk, and takes minutes to walk over its holes
        peers["nbdcopy to raw + sync (no hash)"] = ["nbdcopy", "--", *server, target]
    return peers


def time_peer(command, folder):
    began = time.monotonic()
    run(*command)
    run("sync", folder / "0")
    return time.monotonic() - began


def memory_row(case, told, row):
    return row("export", f"{case}: peak memory", "MiB", [each["peak_kib"] / 1024 for each in told],
               goal=f"<= {MEMORY_GOAL_MIB} MiB", met=lambda mine, _: mine <= MEMORY_GOAL_MIB)


def measure_case(case, disk, target_format, folder, is_warm, rounds, row, tell, options=(), most=1.15):
    """The rows of one disk, (path, format), copied to `folder` in `most` of the time of cp."""
    times, told, others = [], [], {}
    variant = case.startswith(PIECES), "--compress" in options
    for number in range(rounds):
        tell(f"export: {case}, round {number + 1} of {rounds}")
        prepare(folder, is_warm, [disk[0]])
        seconds, report = ours([disk], folder, *options, target_format=target_format)
        times.append(seconds)
        told.append(report)
        for name, command in peers_of(*disk, target_format, folder, *variant).items():
            prepare(folder, is_warm, [disk[0]])
            others.setdefault(name, []).append(time_peer(command, folder))
    rows = [row("export", case, "s", times, name, values,
                **({"goal": f"ratio <= {most}", "met": lambda mine, peer: mine <= most * peer} if name == CP else {}))
            for name, values in others.items()]
    rows.append(memory_row(case, told, row))
    if case.startswith(PIECES):
        rows.append(row("export", f"{case}: planning", "s", [each["plan"] for each in told], goal="<= 1 s",
                        met=lambda mine, _: mine <= 1))
    tell("; ".join(f"{each['case']}, {each['peer']}: {each['ratio']}" for each in rows if each["peer"]))
    return rows


def measure_four(folder, whole, mebibytes, rounds, row, tell):
    """Four disks together; the peer is ours with the same bytes in one disk."""
    parts = [folder / f"part{number}.raw" for number in range(4)]
    for part in parts:
        make_raw(part, mebibytes // 4)
    case = f"four raw disks together on {file_system_of(folder)}, cold"
    together, told, single = [], [], []
    for number in range(rounds):
        tell(f"export: four disks, round {number + 1} of {rounds}")
        prepare(folder / "out", False, [])
        seconds, report = ours([(part, "raw") for part in parts], folder / "out")
        together.append(seconds)
        told.append(report)
        prepare(folder / "out", False, [])
        single.append(ours([(whole, "raw")], folder / "out")[0])
    return [row("export", case, "s", together, "ours, the same bytes in one disk", single, goal="ratio <= 1",
                met=lambda mine, peer: mine <= peer), memory_row(case, told, row)]


def measure_difference(folder, mebibytes, rounds, row, tell):
    """An overlay with 1 % of a large disk's data, as the difference from an earlier copy; the peer is ours of all of it."""
    size, earlier, out, overlay = 2 * mebibytes * MIB, folder / "earlier", folder / "out", folder / "overlay.qcow2"
    raw, whole = folder / "large.raw", folder / "large.qcow2"
    make_raw(raw, mebibytes)
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, whole)
    raw.unlink()
    earlier.mkdir()
    ours([(whole, "qcow2")], earlier)
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", whole, "-F", "qcow2", overlay)
    count = mebibytes * MIB // 100 // CLUSTER
    write_clusters(overlay, [number * (size // count) // CLUSTER * CLUSTER for number in range(count)])
    case = f"difference of 1 % on {file_system_of(folder)}, cold"
    times, told = {"difference": [], "whole": []}, []
    for number in range(rounds):
        tell(f"export: difference of 1 %, round {number + 1} of {rounds}")
        for name, options in (("difference", ["--since", whole, earlier / "0", "qcow2", size]), ("whole", [])):
            prepare(out, False, [])
            seconds, report = ours([(overlay, "qcow2")], out, *options)
            times[name].append(seconds)
            told += [report] if name == "difference" else []
    return [row("export", case, "s", times["difference"], "ours, the whole disk", times["whole"], goal="ratio <= 0.03",
                met=lambda mine, peer: mine <= 0.03 * peer), memory_row(case, told, row)]


@contextlib.contextmanager
def xfs(folder, mebibytes):
    """An XFS that can share what files have in common."""
    image, place = folder / "xfs", folder / "mounted"
    with open(image, "wb") as file:
        file.truncate(max(1024, 5 * mebibytes) * MIB)
    run("mkfs.xfs", "-q", "-m", "reflink=1", image)
    place.mkdir()
    run("mount", "-o", "loop", image, place)
    try:
        yield place
    finally:
        run("umount", place)


def measure_xfs(folder, mebibytes, rounds, row, tell):
    with xfs(folder, mebibytes) as place:
        make_raw(place / "half.raw", mebibytes)
        disk, out, on = (place / "half.raw", "raw"), place / "out", f"on {file_system_of(place)}"
        return [*measure_case(f"half-full raw {on}, shared, cold", disk, "raw", out, False, rounds, row, tell),
                *measure_case(f"half-full raw {on}, shared and not hashed, cold", disk, "raw", out, False, rounds, row,
                              tell, ["--no-hash"], 0.05)]


def measure(rounds, mebibytes, row, tell):
    with tempfile.TemporaryDirectory(prefix="cohort-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        raw, qcow2 = folder / "half.raw", folder / "half.qcow2"
        tell("export: making the disks")
        make_raw(raw, mebibytes)
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, qcow2)
        make_fragmented(folder / "fragmented.qcow2", mebibytes)
        make_scattered(folder / "scattered.qcow2", mebibytes // 2)
        fragmented, scattered = folder / "fragmented.qcow2", folder / "scattered.qcow2"
        cases = [("half-full raw", (raw, "raw"), "qcow2"), ("half-full raw to raw", (raw, "raw"), "raw"),
                 ("half-full qcow2", (qcow2, "qcow2"), "qcow2"), ("fragmented qcow2", (fragmented, "qcow2"), "qcow2"),
                 (PIECES, (scattered, "qcow2"), "qcow2")]
        rows, out, on = [], folder / "out", f"on {file_system_of(folder)}"
        for case, disk, target_format in cases:
            for word, is_warm in (("cold", False), ("warm", True)):
                rows += measure_case(f"{case} {on}, {word}", disk, target_format, out, is_warm, rounds, row, tell)
        rows += measure_case(f"half-full qcow2 {on}, compressed, cold", (qcow2, "qcow2"), "qcow2", out, False, rounds, row,
                             tell, ["--compress"])
        rows += measure_four(folder, raw, mebibytes, rounds, row, tell)
        rows += measure_difference(folder, LARGE * mebibytes, rounds, row, tell)
        return rows + measure_xfs(folder, mebibytes, rounds, row, tell)
