"""Backup: one command; afterwards nothing of it is on the machines, however it ends."""

import signal
from pathlib import Path

import pytest

from harness import Disk, inspect, wait_until
from harness.storage import fill
from package_steps import (MIB, content, disk_in, ended, goes_on, machine_in, manifest, names_in,
                           no_helpers_run, refused, running_job, sha256sum_agrees, shows_the_same,
                           small_filesystem, tokens_of_package)
from world import PATIENT, bare_machine, overlays, picture

# Slow enough to be under way when the test acts, fast enough that a write comes soon.
SLOW = ("--rate-limit", "1M")


@pytest.fixture(scope="module")
def writer(lab):
    guest = lab.guest("db ö", disks=[Disk(), Disk("raw", size=32 * MIB, backing=True)], role="writer")
    guest.start().wait_ready(timeout=400)
    guest.wait_token(above=3, timeout=200)
    return guest


@pytest.fixture(scope="module")
def off(lab):
    return bare_machine(lab, "off")


@pytest.fixture(scope="module")
def collection(lab, writer, off):
    return lab.cohort("collection", "create", "shop", writer.name, off.name).json["collection"]["name"]


@pytest.fixture
def before(writer, off):
    """The machines before the test; they run on their own disks, or are off."""
    assert overlays(writer, off) == []
    return picture(writer, off)


def nothing_is_left(lab, writer, off, before):
    """No snapshot, overlay or helper program; the machines as before, and the one that ran goes on."""
    assert picture(writer, off) == before
    assert lab.cohort("snapshot", "list").json["snapshots"] == []
    assert list(lab.state.glob("snapshots/*")) == []
    wait_until(lambda: no_helpers_run(lab), 30, "qemu-img has ended")
    goes_on(writer)
    return True


def last_job(lab):
    return lab.cohort("job", "list").json["jobs"][0]


def test_one_command_makes_a_whole_package_and_leaves_the_machines_as_they_were(lab, collection, writer, off, before):
    seen = writer.wait_token(above=3)
    target = lab.folder / "monday"
    report = lab.cohort("backup", "--full", collection, target, *PATIENT).json["backup"]
    assert nothing_is_left(lab, writer, off, before)

    assert report["package"] == str(target)
    assert report["files"] == len((target / "SHA256SUMS").read_text().splitlines()) - 1
    assert report["bytes"] == sum(path.stat().st_size for path in target.rglob("*")
                                  if path.is_file() and path.name not in ("cohort.json", "SHA256SUMS"))
    assert [member["name"] for member in report["snapshot"]["members"]] == [writer.name, off.name]
    assert report["snapshot"]["fence"]["proven"] is True

    assert sha256sum_agrees(target)
    assert lab.cohort("verify", target).json["verify"]["whole"] is True
    assert [machine["power"] for machine in manifest(target)["machines"]] == ["running", "off"]
    tokens = tokens_of_package(target, writer.name, ["vdb", "vdc"])
    assert inspect.token_faults(tokens) == []
    assert tokens[0][-1].number >= seen
    assert shows_the_same(disk_in(target, off.name, "vda"), "qcow2", off.image("disk0"), "raw")

    job = next(job for job in lab.cohort("job", "list").json["jobs"] if job["type"] == "backup")
    assert (job["state"], job["result"], job["error"]) == ("completed", str(target), None)


def test_the_report_for_people_names_what_they_have(lab, collection, writer, off, before):
    target = lab.folder / "for people"
    ran = lab.cohort("backup", "--full", collection, target, "--no-storage", *PATIENT, json=False)
    assert str(target) in ran.out
    for guest in (writer, off):
        assert guest.name in ran.out
    quiet = lab.cohort("backup", "--full", collection, lab.folder / "quiet", "--no-storage", "--quiet", *PATIENT, json=False)
    assert (quiet.out, quiet.err) == ("", "")
    assert nothing_is_left(lab, writer, off, before)
    assert all(machine["disks"] == [] for machine in manifest(target)["machines"])


def test_raw_disks_below_a_subdirectory(lab, collection, writer, off, before):
    parent = lab.new_folder("days")
    report = lab.cohort("backup", "--full", collection, parent, "--subdirectory", "--format", "raw", *PATIENT).json["backup"]
    assert report["package"] == str(parent / collection)
    assert names_in(parent) == [collection]
    assert {disk["format"] for disk in machine_in(parent / collection, writer.name)["disks"]} == {"raw"}
    assert sha256sum_agrees(parent / collection)
    assert nothing_is_left(lab, writer, off, before)


def test_a_dry_run_plans_the_snapshot_and_the_export_and_does_neither(lab, collection, writer, off, before):
    files = names_in(lab.folder)
    jobs = len(lab.cohort("job", "list").json["jobs"])
    plan = lab.cohort("backup", "--full", collection, lab.folder / "dry", "--dry-run").json["plan"]
    assert [member["name"] for member in plan["snapshot"]["members"]] == [writer.name, off.name]
    assert plan["export"]["package"] == str(lab.folder / "dry")
    assert {(disk["machine"], disk["target"]) for disk in plan["export"]["disks"]} == {
        *((writer.name, target) for target in writer.disk_paths()), (off.name, "vda")}
    assert names_in(lab.folder) == files
    assert len(lab.cohort("job", "list").json["jobs"]) == jobs
    assert nothing_is_left(lab, writer, off, before)


@pytest.mark.parametrize("make", ["package", "file", "missing parent", "disk's folder"])
def test_a_bad_target_is_refused_before_the_machines_are_touched(lab, collection, writer, off, before, make):
    target, code = lab.folder / make, "already_exists"
    if make == "package":
        lab.cohort("backup", "--full", collection, target, "--no-storage", *PATIENT)
    elif make == "file":
        target.write_text("mine")
    elif make == "missing parent":
        target, code = target / "package", "not_found"
    else:
        target = writer.folder
    there = content(target) if make == "package" else None
    # Overlays come before the fence: a folder in which no name came or went has seen neither.
    changed = writer.folder.stat().st_mtime_ns, off.folder.stat().st_mtime_ns
    refused(lab, code, "backup", "--full", collection, target, *PATIENT)
    assert (writer.folder.stat().st_mtime_ns, off.folder.stat().st_mtime_ns) == changed
    assert nothing_is_left(lab, writer, off, before)
    if make == "package":
        assert content(target) == there
    if make == "file":
        assert target.read_text() == "mine"


def copying(target):
    """Whether bytes of a disk have arrived in the package that is being made."""
    disks = Path(f"{target}.partial") / "Virtual Hard Disks"
    return disks.is_dir() and any(path.stat().st_blocks > 0 for path in disks.iterdir())


def test_a_target_that_fills_up_leaves_nothing(lab, collection, writer, off, before):
    with small_filesystem(lab.folder / "small", 96) as folder:
        target = folder / "package"
        program = lab.cohort_start("backup", "--full", collection, target, *SLOW, *PATIENT, json=True)
        wait_until(lambda: copying(target), 200, "the backup copies", interval=0.02)
        fill(folder)
        status, out, err = ended(program)
        assert status == 10, out + err
        assert names_in(folder) == ["filler"]
    assert nothing_is_left(lab, writer, off, before)
    job = last_job(lab)
    assert (job["type"], job["state"], job["error"]["code"]) == ("backup", "failed", "no_space")


def test_ctrl_c_leaves_nothing(lab, collection, writer, off, before):
    target = lab.folder / "interrupted"
    program = lab.cohort_start("backup", "--full", collection, target, *SLOW, *PATIENT)
    running_job(lab, "backup")
    assert overlays(writer, off)
    program.send_signal(signal.SIGINT)
    status, out, err = ended(program)
    assert status == 130, out + err
    assert not target.exists() and not Path(f"{target}.partial").exists()
    assert nothing_is_left(lab, writer, off, before)
    assert (last_job(lab)["state"], last_job(lab)["error"]["code"]) == ("cancelled", "cancelled")


def test_a_member_that_cannot_be_captured_prevents_all(lab, writer, off, before):
    lost = bare_machine(lab, "lost")
    lab.cohort("collection", "create", "with lost", writer.name, lost.name)
    lost.image("disk0").rename(lost.folder / "moved away")
    message = refused(lab, "invalid_state", "backup", "--full", "with lost", lab.folder / "none", *PATIENT)
    assert lost.name in message or str(lost.image("disk0")) in message
    assert not (lab.folder / "none").exists() and not (lab.folder / "none.partial").exists()
    assert nothing_is_left(lab, writer, off, before)
