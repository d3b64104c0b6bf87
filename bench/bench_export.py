"""A running guest's disk of 2 GiB, full of bytes that do not compress, to files.

Ours: `cohort export` of a snapshot, with a SHA-256 of every file, synced. Each peer copies the same frozen files:
`qemu-img convert` followed by `sha256sum` and a sync; `cp` with a sync, which hashes nothing. Two read the running guest: a
push backup of libvirt, which QEMU writes itself, and virtnbdbackup, through NBD. The page cache is dropped before each run.
"""
import os
import shutil
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import libvirt

from bench_disks import file_system_of
from harness import Disk, Lab
from harness.images import MIB

SIZE = 2048 * MIB
MEMORY_GOAL_MIB = 256
CASE = "2 GiB of a running guest"
# Of what a peer takes, by the first word of its name.
MOST = {"qemu-img": 1, "cp": 1.15, "virtnbdbackup": 0.25}
NO_HASH = "(no hash)"
OURS = ("ours", "ours, not hashed", "memory")  # the other figures of a round are those of peers


def fill_disk(image):
    """Replaces a disk, of a guest that is off, by random bytes. The guest does not mount it."""
    raw = image.with_suffix(".making")
    subprocess.run(["dd", "if=/dev/urandom", f"of={raw}", "bs=4M", f"count={SIZE // (4 * MIB)}", "status=none"],
                   check=True)
    image.unlink()
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(image)], check=True)
    raw.unlink()


def run_timed(command, **options):
    """(seconds, peak resident MiB of the largest process) of a program and its children."""
    began = time.monotonic()
    program = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, **options)
    error = program.stderr.read()
    _, status, usage = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise RuntimeError(f"{command}: {error.decode(errors='replace')}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def prepare(target):
    shutil.rmtree(target, ignore_errors=True)
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def convert(frozen, target):
    target.mkdir()
    seconds = 0.0
    for number, (path, image_format) in enumerate(frozen):
        copy = target / f"{number}.qcow2"
        seconds += run_timed(["qemu-img", "convert", "-f", image_format, "-O", "qcow2", path, copy])[0]
        seconds += run_timed(["sha256sum", copy])[0] + run_timed(["sync", copy])[0]
    return seconds


def copy_files(frozen, target):
    target.mkdir()
    seconds = 0.0
    for number, (path, _) in enumerate(frozen):
        copy = target / str(number)
        seconds += run_timed(["cp", "--reflink=never", path, copy])[0] + run_timed(["sync", copy])[0]
    return seconds


def virtnbdbackup(guest, target):
    return run_timed(["virtnbdbackup", "-d", guest.name, "-l", "copy", "-o", target])[0] + run_timed(["sync"])[0]


def push_backup(guest, target):
    """libvirt's own backup: QEMU writes each disk of the running guest to a file."""
    target.mkdir()
    target.chmod(0o711)
    disks = ElementTree.fromstring(guest.xml()).findall("devices/disk[@device='disk']/target")
    files = {disk.get("dev"): target / f"{disk.get('dev')}.qcow2" for disk in disks}
    lines = "".join(f"<disk name='{disk}' type='file'><target file='{path}'/><driver type='qcow2'/></disk>"
                    for disk, path in files.items())
    began = time.monotonic()
    guest.domain.backupBegin(f"<domainbackup mode='push'><disks>{lines}</disks></domainbackup>", None)
    while guest.domain.jobStats()["type"] != libvirt.VIR_DOMAIN_JOB_NONE:
        time.sleep(0.02)
    for path in files.values():
        subprocess.run(["sync", str(path)], check=True)
    seconds = time.monotonic() - began
    if guest.domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)["success"] != 1:
        raise RuntimeError("the push backup did not succeed")
    return seconds


def measure_round(lab, guest, frozen, tell):
    """Seconds of each contender, and the peak memory of ours."""
    target = lab.folder / "out"
    results = {}
    prepare(target)
    results["ours"], results["memory"] = run_timed(lab.cohort_command("export", "bench", target, "--quiet"))
    prepare(target)
    results["ours, not hashed"] = run_timed(lab.cohort_command("export", "bench", target, "--quiet", "--no-hash"))[0]
    contenders = {"qemu-img convert + sha256sum + sync": lambda: convert(frozen, target),
                  f"cp + sync {NO_HASH}": lambda: copy_files(frozen, target),
                  f"push backup of libvirt + sync {NO_HASH}": lambda: push_backup(guest, target),
                  f"virtnbdbackup {NO_HASH}": lambda: virtnbdbackup(guest, target)}
    for name, contender in contenders.items():
        if name.startswith("virtnbdbackup") and not shutil.which("virtnbdbackup"):
            tell("virtnbdbackup is not installed: its row is left out")
            continue
        prepare(target)
        results[name] = contender()
    prepare(target)
    return results


def goal_beside(peer):
    most = MOST.get(peer.split()[0])
    return {"goal": f"ratio <= {most}", "met": lambda ours, value: ours <= most * value} if most else {}


def rows_of(results, file_system, row):
    def all_of(name):
        return [result[name] for result in results]

    rows, case = [], f"{CASE} on {file_system}"
    for peer in [name for name in results[0] if name not in OURS]:
        rows.append(row("export", case, "s", all_of("ours"), peer, all_of(peer), **goal_beside(peer)))
        if peer.endswith(NO_HASH):
            rows.append(row("export", f"{case}, not hashed", "s", all_of("ours, not hashed"), peer, all_of(peer)))
    rows.append(row("export", f"{case}: peak memory of a process", "MiB", all_of("memory"),
                    goal=f"< {MEMORY_GOAL_MIB} MiB", met=lambda ours, _: ours < MEMORY_GOAL_MIB))
    return rows


def measure(rounds, row, tell):
    with Lab() as lab:
        guest = lab.guest("bench-export", role="writer", interval_ms=100, disks=[Disk(), Disk(size=SIZE)])
        tell("export: filling the disk")
        fill_disk(guest.image("data2"))
        guest.start().wait_ready(300)
        lab.cohort("collection", "create", "bench", guest.name)
        snapshot = lab.cohort("snapshot", "take", "bench", "--name", "bench").json["snapshot"]
        frozen = [(disk["frozen"]["path"], disk["frozen"]["format"]) for disk in snapshot["members"][0]["disks"]]
        results = []
        for number in range(rounds):
            tell(f"export: round {number + 1} of {rounds}")
            results.append(measure_round(lab, guest, frozen, tell))
        lab.cohort("snapshot", "delete", "bench")
        return rows_of(results, file_system_of(lab.folder), row)
