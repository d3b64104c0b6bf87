"""Snapshots are deleted in every order, machines running or not; no byte of the guests' data is lost."""

import itertools
from pathlib import Path

import pytest

from harness import Disk, inspect
from harness.images import MIB, run
from world import active, bare_machine, content, error_of, format_of, frozen, overlays, picture, snapshots, take, write

NAMES = ("first", "second", "third")
ORDERS = list(itertools.permutations(NAMES))


def expected(numbers):
    """What the disk holds after these writes."""
    data = bytearray(4 * MIB)
    for number in numbers:
        for at in (0, number * 65536):
            data[at:at + 65536] = bytes([number]) * 65536
    return bytes(data)


def is_expected(lab, files, numbers):
    return all(content(lab, *file) == expected(numbers) for file in files)


@pytest.mark.parametrize("order", ORDERS, ids=["-".join(order) for order in ORDERS])
def test_every_order_of_three_snapshots_of_a_machine_that_is_off(lab, order):
    guest = bare_machine(lab, "-".join(order), ["qcow2", "raw"])
    before = picture(guest)
    lab.cohort("collection", "create", guest.name, guest.name)
    held = {}
    for number, name in enumerate(NAMES, start=1):
        write(guest, number)
        take(lab, guest.name, name)
        held[name] = list(range(1, number + 1))
    write(guest, 4)
    for name in order:
        lab.cohort("snapshot", "delete", name)
        del held[name]
        assert is_expected(lab, active(guest), [1, 2, 3, 4]), f"after {name}"
        for other, snapshot in snapshots(lab).items():
            assert is_expected(lab, frozen(snapshot, guest).values(), held[other]), f"{other} after {name}"
        assert len(overlays(guest)) == 2 * len(held)
    assert held == {} and snapshots(lab) == {}
    assert picture(guest) == before
    for path in guest.images.values():
        run("qemu-img", "check", "-q", "-f", format_of(path), path) if format_of(path) == "qcow2" else None
    lab.cohort("collection", "delete", guest.name)


def test_a_machine_whose_killed_qemu_kept_reference_counts_lazily(lab):
    """Its image says that they are out of date, until it is next opened for writing: never, once it is frozen."""
    guest = bare_machine(lab, "lazy", ["qcow2"])
    [(image, _)] = active(guest)
    run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", image, 4 * MIB)
    write(guest, 1)
    with open(image, "r+b") as file:
        file.seek(79)  # the lowest of the incompatible features
        file.write(b"\1")
    lab.cohort("collection", "create", guest.name, guest.name)
    for number, name in ((2, "first"), (3, "second")):
        take(lab, guest.name, name)
        write(guest, number)
    for name in ("second", "first"):
        lab.cohort("snapshot", "delete", name)
        assert is_expected(lab, active(guest), [1, 2, 3])
    run("qemu-img", "check", "-q", "-f", "qcow2", image)
    lab.cohort("collection", "delete", guest.name)


@pytest.mark.parametrize("reruns", [False, True], ids=["stays off", "runs on the frozen file"])
def test_an_overlay_that_was_defined_away_is_not_thrown_away(lab, reruns):
    """What configuration management does: the machine is defined as it was before the snapshot."""
    guest = bare_machine(lab, f"defined away {reruns}", ["qcow2"])
    before = picture(guest)
    own = guest.xml(inactive=True)
    lab.cohort("collection", "create", guest.name, guest.name)
    take(lab, guest.name, guest.name)
    with_overlay = guest.xml(inactive=True)
    write(guest, 1)
    lab.connection.defineXML(own)
    if reruns:
        guest.start()
    error = error_of(lab.cohort("snapshot", "delete", guest.name, check=False))
    guest.destroy()
    [overlay] = overlays(guest)
    assert error["code"] == "invalid_state"
    assert all(word in error["message"] for word in (guest.name, str(overlay), "virsh edit")), error
    assert content(lab, overlay, "qcow2") == expected([1])

    lab.connection.defineXML(with_overlay)
    lab.cohort("snapshot", "delete", guest.name)
    assert is_expected(lab, active(guest), [1])
    after = picture(guest)
    after[guest.name]["files"] = [name for name in after[guest.name]["files"] if name != "console.log"]
    assert after == before


@pytest.fixture
def other_state(lab):
    """Calls the program with another state folder, of which this one knows nothing."""
    other = lab.new_folder("other state")

    def call(*arguments, **how):
        own, lab.state = lab.state, other
        try:
            return lab.cohort(*arguments, **how)
        finally:
            lab.state = own
    return call


def test_a_snapshot_on_the_overlay_of_another_state_is_refused(lab, other_state):
    guest = bare_machine(lab, "two states", ["qcow2"])
    lab.cohort("collection", "create", guest.name, guest.name)
    other_state("collection", "create", guest.name, guest.name)
    take(lab, guest.name, guest.name)
    before = picture(guest)
    [overlay] = overlays(guest)
    error = error_of(other_state("snapshot", "take", guest.name, check=False))
    assert error["code"] == "invalid_state"
    assert all(word in error["message"] for word in (guest.name, str(overlay), "--state", "doctor")), error
    assert picture(guest) == before
    lab.cohort("snapshot", "delete", guest.name)
    other_state("snapshot", "take", guest.name, "--name", "now")
    other_state("snapshot", "delete", "now")
    assert overlays(guest) == []


def test_a_snapshot_whose_chain_was_changed_stays_ready_and_can_be_forgotten(lab):
    merged, changed = bare_machine(lab, "as it was", ["qcow2"]), bare_machine(lab, "merged by hand", ["qcow2"])
    name = "changed chain"
    lab.cohort("collection", "create", name, merged.name, changed.name)
    take(lab, name, name)
    write(changed, 1)
    by_hand = changed.folder / "by hand.qcow2"
    run("qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", *changed.disk_paths().values(), by_hand)
    lab.connection.defineXML(changed.xml().replace(str(changed.disk_paths()["vda"]), str(by_hand)))
    before = picture(merged, changed)
    error = error_of(lab.cohort("snapshot", "delete", name, check=False))
    assert error["code"] == "invalid_state"
    assert changed.name in error["message"] and "--forget-only" in error["message"]
    assert "partly" not in error["message"]
    assert picture(merged, changed) == before and snapshots(lab)[name]["state"] == "ready"
    lab.cohort("export", name, lab.folder / name)

    left = overlays(merged, changed)
    plan = lab.cohort("snapshot", "delete", name, "--forget-only", "--dry-run").json["plan"]["merges"]
    assert all(each["stays"] for each in plan) and name in snapshots(lab)
    deleted = lab.cohort("snapshot", "delete", name, "--forget-only").json["deleted"]
    assert deleted["forgotten_only"] and sorted(map(Path, deleted["left_behind"])) == left
    assert picture(merged, changed) == before and name not in snapshots(lab)
    lab.cohort("collection", "delete", name)


@pytest.fixture(scope="module")
def running(lab):
    """Two running machines, one with a qcow2 and a raw disk."""
    guests = [lab.guest("runs 1", role="writer", interval_ms=50, disks=[Disk(), Disk("raw")]),
              lab.guest("runs 2", role="writer", interval_ms=50)]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.wait_ready(600)
        guest.wait_token(above=3, timeout=600)
    lab.cohort("collection", "create", "running", *[guest.name for guest in guests])
    return guests


def tokens(snapshot, guests):
    """The last token of each guest in a snapshot, all of them checked."""
    last = []
    for guest in guests:
        disks = [inspect.tokens(*file) for target, file in frozen(snapshot, guest).items() if target != "vda"]
        assert inspect.token_faults(disks) == []
        last.append(disks[0][-1])
    return last


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1], ("second", "first", "third")],
                         ids=["oldest first", "newest first", "middle first"])
def test_running_machines_go_on_while_their_snapshots_are_deleted(lab, running, order):
    before = picture(*running)
    held = {}
    for name in NAMES:
        held[name] = tokens(take(lab, "running", name), running)
        for guest, last in zip(running, held[name]):
            guest.wait_token(above=last.number, timeout=300)
    for name in order:
        lab.cohort("snapshot", "delete", name)
        del held[name]
        left = snapshots(lab)
        assert {other: tokens(left[other], running) for other in left} == held
        assert {guest.state() for guest in running} == {"running"}
    assert picture(*running) == before
    for guest in running:
        guest.wait_token(above=guest.tokens_seen()[-1], timeout=300)


def test_power_is_cut_between_taking_and_deleting(lab, running):
    """Taken running, deleted off; taken off, deleted running; taken running, deleted while paused by the user."""
    before = {guest.name: guest.disk_paths() for guest in running}
    take(lab, "running", "taken running")
    for guest in running:
        guest.wait_token(above=guest.tokens_seen()[-1], timeout=300)
        guest.destroy()
    take(lab, "running", "taken off")
    lab.cohort("snapshot", "delete", "taken running")
    for guest in running:
        guest.start().wait_ready(600)
    take(lab, "running", "taken running again")
    for guest in running:
        guest.wait_token(timeout=600)
    lab.cohort("snapshot", "delete", "taken off")
    running[0].pause()
    lab.cohort("snapshot", "delete", "taken running again")
    assert [guest.state() for guest in running] == ["paused", "running"]
    running[0].resume()
    assert {guest.name: guest.disk_paths() for guest in running} == before
    assert {guest.name: guest.disk_paths(inactive=True) for guest in running} == before
    assert overlays(*running) == []


def test_all_tokens_are_there_at_the_end(lab, running):
    """After all the deletions above, none is missing and none is there twice."""
    seen = [guest.wait_token(above=guest.tokens_seen()[-1], timeout=300) for guest in running]
    for guest, number in zip(running, seen):
        guest.destroy()
        disks = [inspect.tokens(path) for path in guest.data_paths()]
        assert inspect.token_faults(disks) == []
        assert disks[0][-1].number >= number
