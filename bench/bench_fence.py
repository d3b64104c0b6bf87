"""How long the members of a collection stand still.

Ours: the fence as Cohort records it, from the first order to stand still to the last answer that all run again. The
peer is what a careful script does with virsh: suspend all, snapshot all, resume all, each in parallel, on overlays
libvirt makes; from the first order to the last answer.
"""
import subprocess
import time
import uuid

from harness import Disk, Lab
from harness.images import MIB
from harness.waiting import wait_until

GOAL_MS = 60  # 4 lightly writing members, median
LARGE = 8192 * MIB


def together(commands):
    """Runs all commands at once and waits for all."""
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for command in commands]
    for each in running:
        error = each.communicate()[1]
        if each.returncode:
            raise RuntimeError(f"{each.args}: {error.decode()}")


def virsh(*arguments):
    return ["virsh", "-q", "-c", "qemu:///system", *map(str, arguments)]


def scripted_fence(guests):
    """One fence by virsh, in ms; everything is merged back afterwards."""
    mark = uuid.uuid4().hex[:8]
    began = time.monotonic()
    together([virsh("suspend", guest.name) for guest in guests])
    together([virsh("snapshot-create-as", guest.name, mark, "--disk-only", "--atomic", "--no-metadata")
              for guest in guests])
    together([virsh("resume", guest.name) for guest in guests])
    length = (time.monotonic() - began) * 1000
    for guest in guests:
        for target, overlay in guest.disk_paths().items():
            base = backing_of(overlay)
            together([virsh("blockcommit", guest.name, target, "--active", "--pivot", "--wait",
                            "--top", overlay, "--base", base)])
            overlay.unlink()
    return length


def backing_of(image):
    text = subprocess.run(["qemu-img", "info", "-U", str(image)], capture_output=True, text=True, check=True).stdout
    return next(line.split(": ", 1)[1].split(" (actual")[0] for line in text.splitlines()
                if line.startswith("backing file: "))


def cohort_fence(lab, collection):
    """One fence by Cohort: (length, longest pause of a member) in ms, and whether one instant is proven."""
    snapshot = lab.cohort("snapshot", "take", collection).json["snapshot"]
    lab.cohort("snapshot", "delete", snapshot["id"])
    pauses = [member["pause"]["length_us"] / 1000 for member in snapshot["members"] if member["pause"]]
    return snapshot["fence"]["raised_us"] / 1000, max(pauses), snapshot["fence"]["proven"]


def measure_group(lab, name, guests, rounds):
    """Ours and the peer in turns, so that both see the same host."""
    lab.cohort("collection", "create", name, *[guest.name for guest in guests])
    cohort_fence(lab, name)
    lengths, pauses, proven, scripted = [], [], [], []
    for _ in range(rounds):
        length, pause, is_proven = cohort_fence(lab, name)
        lengths.append(length)
        pauses.append(pause)
        proven.append(is_proven)
        scripted.append(scripted_fence(guests))
    if not all(proven):
        raise RuntimeError(f"{name}: {proven.count(False)} of {rounds} fences were not proven to be one instant")
    return lengths, pauses, scripted


def start_guests(lab, count, **options):
    guests = [lab.guest(f"bench-{index}", role="writer", interval_ms=100, **options) for index in range(count)]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.wait_ready(300)
        guest.wait_token(timeout=120)
    return guests


def measure_members(rounds, row, tell):
    rows = []
    with Lab() as lab:
        guests = start_guests(lab, 8)
        for count in (1, 2, 4, 8):
            tell(f"fence: {count} members, {rounds} rounds")
            lengths, pauses, scripted = measure_group(lab, f"members-{count}", guests[:count], rounds)
            goal = {"goal": f"< {GOAL_MS} ms", "met": lambda ours, _: ours < GOAL_MS} if count == 4 else {}
            rows.append(row("fence", f"{count} members", "ms", lengths, "virsh in parallel", scripted, **goal))
            rows.append(row("fence", f"{count} members, longest pause of one", "ms", pauses))
    return rows


def measure_large_disk(rounds, row, tell):
    """The same guest with a small and with a large data disk; the peer is ours on the small one."""
    lengths = {}
    for case, disk in (("small", Disk()), ("large", Disk(size=LARGE, create="preallocation=metadata"))):
        tell(f"fence: a {case} disk, {rounds} rounds")
        with Lab() as lab:
            guests = start_guests(lab, 1, disks=[disk])
            wait_until(lambda: guests[0].tokens_seen(), 60, "the guest writes")
            lab.cohort("collection", "create", case, guests[0].name)
            cohort_fence(lab, case)
            lengths[case] = [cohort_fence(lab, case)[0] for _ in range(rounds)]
    return [row("fence", "1 member, 8 GiB disk", "ms", lengths["large"], "ours with 64 MiB", lengths["small"],
                goal="ratio <= 1.5", met=lambda ours, peer: ours <= 1.5 * peer)]


def measure(rounds, row, tell):
    return measure_members(rounds, row, tell) + measure_large_disk(rounds, row, tell)
