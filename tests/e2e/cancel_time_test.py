"""Ctrl-C in the midst of much work, copying, hashing, merging or reading of tables: the job ends within a second."""

import pytest

from harness import wait_until
from harness.images import MIB, run
from harness.lab import NAME_PREFIX
from harness.stopping import Interrupt
from package_steps import names_in
from world import bare_machine, snapshots, take

CANCELLED = 130
COPY = NAME_PREFIX + "cancel copy "
MUCH = 1024 * MIB  # takes some seconds, whatever is done with it


@pytest.fixture(scope="module")
def big(lab):
    """A machine that is off, with much on its disk."""
    lab.prefixes.append(COPY)
    guest = bare_machine(lab, "cancel big", ["qcow2"])
    run("qemu-img", "create", "-q", "-f", "qcow2", guest.image("disk0"), str(2 * MUCH))
    fill(guest.image("disk0"))
    lab.cohort("collection", "create", "big", guest.name)
    return guest


def fill(image):
    run("qemu-io", "-t", "unsafe", "-f", "qcow2", *[word for begin in range(0, MUCH, 256 * MIB)
                                                    for word in ("-c", f"write -q -P 7 {begin} {256 * MIB}")], image)


@pytest.fixture(scope="module")
def snapshot(lab, big):
    return take(lab, "big", "of big")


@pytest.fixture(scope="module")
def package(lab, snapshot):
    lab.cohort("export", "of big", lab.folder / "package")
    return lab.folder / "package"


class TooQuick(AssertionError):
    """It was done before it could be cancelled: this says nothing of cancelling."""


def working_job(lab, program, phase):
    """Waits until the program's job is in this phase, and has done something of it; returns the job."""
    def found():
        for job in lab.cohort("job", "list").json["jobs"]:
            if job["pid"] == program.pid:
                if job["state"] != "running":
                    raise TooQuick(job)
                progress = job["progress"]
                is_it = (progress["phase"] or "").startswith(phase)
                return job if is_it and (phase == "planning" or progress["done_bytes"] > 0) else None
        return None
    return wait_until(found, 200, f"{program.args} is {phase}")


def cancel(lab, phase, *arguments, ask=None):
    """`ask` asks the job with this id to stop; otherwise ctrl-C does."""
    program = lab.cohort_start(*arguments, json=True)
    try:
        job = working_job(lab, program, phase)
        interrupt = Interrupt(program, ask and (lambda: ask(job["id"])))
        out, err = interrupt.wait(60)
    finally:
        program.kill()
    if program.returncode == 0:
        raise TooQuick(out)
    assert program.returncode == CANCELLED, out + err
    job = lab.cohort("job", "show", job["id"]).json["job"]
    assert job["state"] == "cancelled"
    interrupt.was_quick(job, f"{arguments[:2]}, {phase}")


@pytest.mark.parametrize("options", [(), ("--format", "raw"), ("--compress",), ("--no-hash",)],
                         ids=["qcow2", "raw", "compressed", "unhashed"])
def test_an_export_that_copies(lab, snapshot, options):
    target = lab.new_folder(f"target {len(names_in(lab.folder))}")
    cancel(lab, "copying", "export", "of big", target / "package", *options)
    assert names_in(target) == []


def test_an_export_of_a_difference(lab, big, package):
    [overlay] = big.disk_paths().values()
    fill(overlay)
    take(lab, "big", "later")
    target = lab.new_folder("target of a difference")
    cancel(lab, "copying", "export", "later", target / "package", "--since", package)
    assert names_in(target) == []
    lab.cohort("snapshot", "delete", "later")


def test_an_export_that_another_process_cancels(lab, snapshot):
    target = lab.new_folder("target of another")
    cancel(lab, "copying", "export", "of big", target / "package", ask=lambda id: lab.cohort("job", "cancel", id))
    assert names_in(target) == []


def test_a_verification(lab, package):
    cancel(lab, "", "verify", package)


@pytest.mark.parametrize("phase", ["verifying", "copying"])
def test_an_import(lab, package, phase):
    storage = lab.new_folder(f"storage {phase}")
    cancel(lab, phase, "import", package, "--name-prefix", COPY, "--storage", storage)
    assert names_in(storage) == []


def test_a_try_that_verifies(lab, package):
    cancel(lab, "verifying", "try", package, "--name-prefix", COPY)
    assert not (lab.state / "tries").exists()


def cancel_a_merge(lab, big, name, is_running):
    """Returns the overlay. QEMU merges as quickly as the host lets it: what was too quick is tried again."""
    for attempt in range(3):
        take(lab, "big", name)
        [overlay] = big.disk_paths().values()
        fill(overlay)
        if is_running:
            big.start()
        try:
            cancel(lab, "", "snapshot", "delete", name)
            return overlay
        except TooQuick:
            assert name not in snapshots(lab) and attempt < 2
            if is_running:
                big.destroy()
    return None


@pytest.mark.parametrize("is_running", [False, True], ids=["off", "running"])
def test_a_merge(lab, big, snapshot, is_running):
    name = f"merged {is_running}"
    overlay = cancel_a_merge(lab, big, name, is_running)
    assert list(big.disk_paths().values()) == [overlay]
    assert snapshots(lab)[name]["state"] == "deleting"
    if is_running:
        big.destroy()
    lab.cohort("snapshot", "delete", name)


def endless_tables(image):
    """2 PiB of which each table says that it is zeros: millions of times the same table."""
    run("qemu-img", "create", "-q", "-f", "qcow2", image, "2P")
    with open(image, "r+b") as file:
        header = file.read(48)
        entries, l1 = int.from_bytes(header[36:40], "big"), int.from_bytes(header[40:48], "big")
        l2 = (l1 + entries * 8 + 0xFFFF) & ~0xFFFF
        file.seek(l1)
        file.write((l2 | 1 << 63).to_bytes(8, "big") * entries)
        file.seek(l2)
        file.write((1).to_bytes(8, "big") * 8192)


def test_an_export_that_reads_endless_tables(lab):
    guest = bare_machine(lab, "cancel endless", ["qcow2"])
    endless_tables(guest.image("disk0"))
    lab.cohort("collection", "create", "endless", guest.name)
    take(lab, "endless", "of endless")
    target = lab.new_folder("target of endless")
    cancel(lab, "planning", "export", "of endless", target / "package")
    assert names_in(target) == []
