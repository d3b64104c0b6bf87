"""Export: the package is what the machines were at the instant, whole or not there."""

import signal
import time
from pathlib import Path

import pytest

from harness import Disk, inspect, wait_until
from package_steps import (MIB, SLOW, content, disk_in, ended, goes_on, image_information, machine_in, manifest,
                           names_in, no_helpers_run, refused, running_job, sha256sum_agrees, shows_the_same,
                           small_filesystem, tokens_of_package)
from world import bare_machine, overlays, picture, take, write

# Names that shells, option parsers, XML and file systems could stumble over.
COLLECTION = "Läden & \"Co\""
WRITER = "we'b \"ä\", <1>"
DATA = "data, ä 'x' %s"


@pytest.fixture(scope="module")
def writer(lab):
    disks = [Disk(name=DATA), Disk("raw"), Disk(size=32 * MIB, backing=True)]
    return lab.guest(WRITER, disks=disks, role="writer")


@pytest.fixture(scope="module")
def firm(lab):
    return lab.guest("firm", firmware="uefi", tpm=True)


@pytest.fixture(scope="module")
def still(lab):
    """A machine that is off, for tests that need none that runs."""
    guest = lab.guest("still")
    lab.cohort("collection", "create", "still", guest.name)
    return take(lab, "still", "still")


def small_state_files(guest):
    """The UEFI variables and the files of the TPM."""
    tpm = Path("/var/lib/libvirt/swtpm", guest.uuid)
    files = {str(path.relative_to(tpm)): path.read_bytes() for path in tpm.rglob("*")
             if path.is_file() and not path.name.startswith(".lock")}
    return (guest.folder / "nvram.fd").read_bytes(), files


@pytest.fixture(scope="module")
def shot(lab, writer, firm):
    """A snapshot of both, and what was known of them before it."""
    for guest in (writer, firm):
        guest.start()
    for guest in (writer, firm):
        guest.wait_ready(timeout=400)
    seen = writer.wait_token(above=5, timeout=200)
    small = small_state_files(firm)
    lab.cohort("collection", "create", COLLECTION, writer.name, firm.name)
    snapshot = take(lab, COLLECTION, "s 1")
    return {"snapshot": snapshot, "seen": seen, "small": small}


@pytest.fixture(scope="module")
def package(lab, shot):
    """The package of the snapshot, in qcow2."""
    target = lab.folder / "päck age"
    report = lab.cohort("export", "s 1", target).json["export"]
    assert report["package"] == str(target)
    return target


def frozen_disks(shot, name):
    member = next(member for member in shot["snapshot"]["members"] if member["name"] == name)
    return {disk["target"]: disk["frozen"] for disk in member["disks"]}


def stands_alone(image, format):
    information = image_information(image)
    assert information["format"] == format
    return "backing-filename" not in information


def holds_frozen_disks(package, shot, names, format):
    """Every disk of the snapshot is in the package, byte for byte as the guest would read it."""
    for name in names:
        frozen = frozen_disks(shot, name)
        assert {disk["target"] for disk in machine_in(package, name)["disks"]} == set(frozen)
        for target, layer in frozen.items():
            image = disk_in(package, name, target)
            assert stands_alone(image, format)
            assert shows_the_same(image, format, layer["path"], layer["format"]), (name, target)
    return True


def test_the_package_holds_the_disks_as_they_were_at_the_instant(package, shot, writer, firm):
    assert holds_frozen_disks(package, shot, [writer.name, firm.name], "qcow2")
    tokens = tokens_of_package(package, writer.name, ["vdb", "vdc", "vdd"])
    assert inspect.token_faults(tokens) == []
    assert tokens[0][-1].number >= shot["seen"]
    assert goes_on(writer) > tokens[0][-1].number


def test_the_package_has_a_hash_for_every_file_and_nothing_else(package, lab):
    assert sha256sum_agrees(package)
    listed = {line.split("  ", 1)[1] for line in (package / "SHA256SUMS").read_text().splitlines()}
    there = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert there == listed | {"SHA256SUMS"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in [package, *package.rglob("*")])
    assert not (lab.folder / "päck age.partial").exists()


def test_the_package_says_who_the_machines_were(package, shot, writer, firm):
    document = manifest(package)
    assert document["collection"]["name"] == COLLECTION
    assert document["snapshot"]["id"] == shot["snapshot"]["id"]
    assert document["snapshot"]["instant"] == shot["snapshot"]["instant"]
    assert [(m["name"], m["id"], m["power"], m["consistency"]) for m in document["machines"]] == [
        (guest.name, guest.uuid, "running", "crash") for guest in (writer, firm)]
    for guest in (writer, firm):
        xml = (package / machine_in(package, guest.name)["configuration"]["file"]).read_text()
        assert guest.uuid in xml and "cohort-" + shot["snapshot"]["id"][:8] not in xml


def test_uefi_variables_and_tpm_state_are_those_of_the_machine(package, shot, firm, writer):
    nvram, tpm = shot["small"]
    entry = machine_in(package, firm.name)
    assert (package / entry["nvram"]["file"]).read_bytes() == nvram
    packed = {file["file"].split(".tpm/", 1)[1]: (package / file["file"]).read_bytes()
              for file in entry["tpm_state"]}
    assert tpm and packed == tpm
    other = machine_in(package, writer.name)
    assert other["nvram"] is None and other["tpm_state"] == []


def test_a_raw_package_goes_into_an_empty_folder_and_is_sparse(lab, shot, writer, firm):
    target = lab.new_folder("raw")
    report = lab.cohort("export", "s 1", target, "--format", "raw").json["export"]
    assert holds_frozen_disks(target, shot, [writer.name, firm.name], "raw")
    assert sha256sum_agrees(target)
    for disk in machine_in(target, writer.name)["disks"]:
        assert (target / disk["file"]).stat().st_size == disk["virtual_size"] == disk["size"]
    data = disk_in(target, writer.name, "vdb")
    assert data.stat().st_blocks * 512 < data.stat().st_size / 2
    assert report["disk_bytes"] < report["bytes"]


def test_subdirectory_makes_the_package_under_the_name_of_the_collection(lab, shot):
    parent = lab.new_folder("several")
    options = ("--subdirectory", "--no-storage")
    report = lab.cohort("export", "s 1", parent, *options).json["export"]
    assert report["package"] == str(parent / COLLECTION)
    assert names_in(parent) == [COLLECTION]
    assert sha256sum_agrees(parent / COLLECTION)
    refused(lab, "already_exists", "export", "s 1", parent, *options)
    refused(lab, "not_found", "export", "s 1", lab.folder / "nowhere", *options)
    assert not (lab.folder / "nowhere").exists()


def test_without_storage_there_are_configurations_and_no_disks(lab, shot, package, firm):
    target = lab.folder / "configurations"
    lab.cohort("export", "s 1", target, "--no-storage")
    document = manifest(target)
    assert document["has_storage"] is False
    assert all(machine["disks"] == [] for machine in document["machines"])
    expected = {name: digest for name, digest in content(package).items() if name.startswith("Virtual Machines")}
    assert {name: digest for name, digest in content(target).items() if name.startswith("Virtual Machines")} == expected
    assert [name for name in content(target) if name.endswith((".qcow2", ".raw"))] == []
    assert lab.cohort("verify", target).json["verify"]["whole"] is True
    refused(lab, "invalid_state", "import", target, "--name-prefix", "cohort-test-never-", "--storage",
            lab.new_folder("never"))
    assert names_in(lab.folder / "never") == []


def test_a_dry_run_says_what_would_be_written_and_writes_nothing(lab, shot, package, writer, firm):
    before = names_in(lab.folder)
    ran = lab.cohort("export", "s 1", lab.folder / "dry", "--dry-run")
    assert ran.json["dry_run"] is True
    plan = ran.json["plan"]
    assert names_in(lab.folder) == before
    assert {(disk["machine"], disk["target"]) for disk in plan["disks"]} == {
        (guest.name, target) for guest in (writer, firm) for target in frozen_disks(shot, guest.name)}
    actual = sum(path.stat().st_blocks * 512 for path in package.rglob("*") if path.is_file())
    assert actual <= plan["estimated_bytes"] <= plan["free_bytes"]
    assert all(job["type"] != "export" or "dry" not in job["result"]
               for job in lab.cohort("job", "list").json["jobs"])


# The target

def a_missing_parent(lab, _still):
    return lab.folder / "missing" / "package", "not_found"


def a_parent_that_is_a_file(lab, _still):
    (lab.folder / "a file").write_text("mine")
    return lab.folder / "a file" / "package", "invalid_argument"


def a_file_in_the_way(lab, _still):
    (lab.folder / "in the way").write_text("mine")
    return lab.folder / "in the way", "already_exists"


def a_link_to_nowhere_in_the_way(lab, _still):
    (lab.folder / "link").symlink_to(lab.folder / "nowhere at all")
    return lab.folder / "link", "already_exists"


def a_folder_with_something_in_it(lab, _still):
    (lab.new_folder("full") / "mine").write_text("mine")
    return lab.folder / "full", "already_exists"


def somebody_elses_partial_package(lab, _still):
    (lab.new_folder("begun.partial") / "mine").write_text("mine")
    return lab.folder / "begun", "already_exists"


def the_folder_of_a_disk(_lab, still):
    return Path(still["members"][0]["disks"][0]["frozen"]["path"]).parent, "already_exists"


def an_existing_package(lab, _still):
    target = lab.folder / "older"
    lab.cohort("export", "still", target, "--no-storage")
    return target, "already_exists"


@pytest.mark.parametrize("target_of", [
    a_missing_parent, a_parent_that_is_a_file, a_file_in_the_way, a_link_to_nowhere_in_the_way,
    a_folder_with_something_in_it, somebody_elses_partial_package, the_folder_of_a_disk, an_existing_package])
def test_a_target_is_refused_and_stays_as_it_is(lab, still, target_of):
    target, code = target_of(lab, still)
    place = target.parent if target.parent.is_dir() else lab.folder
    before = content(target) if target.is_dir() else None, names_in(place)
    message = refused(lab, code, "export", "still", target)
    assert str(target) in message or str(target.parent) in message
    refused(lab, code, "export", "still", target, "--dry-run")
    assert (content(target) if target.is_dir() else None, names_in(place)) == before
    if target.is_file():
        assert target.read_text() == "mine"


def test_a_target_that_cannot_be_written_is_refused(lab, still):
    with small_filesystem(lab.folder / "read-only", 64, read_only=True) as folder:
        refused(lab, "permission", "export", "still", folder / "package")
        assert names_in(folder) == []


def test_a_target_with_too_little_space_is_refused_before_the_first_byte(lab, still):
    with small_filesystem(lab.folder / "small", 8) as folder:
        modified = folder.stat().st_mtime_ns
        message = refused(lab, "no_space", "export", "still", folder / "package")
        assert str(folder) in message
        assert names_in(folder) == [] and folder.stat().st_mtime_ns == modified
        # Its configuration needs no such space.
        lab.cohort("export", "still", folder / "package", "--no-storage")
        assert sha256sum_agrees(folder / "package")


def test_an_unknown_snapshot_is_named(lab, still):
    assert "no such one" in refused(lab, "not_found", "export", "no such one", lab.folder / "x")
    assert not (lab.folder / "x").exists()


# The instant

def test_a_frozen_file_that_was_written_to_is_refused(lab):
    """The machine is defined as it was before, and runs for a while: its frozen file is no longer of the instant."""
    guest = bare_machine(lab, "written to", ["qcow2", "raw"])
    own = guest.xml(inactive=True)
    lab.cohort("collection", "create", guest.name, guest.name)
    for name in ("written first", "written second"):
        take(lab, guest.name, name)
    with_overlay = guest.xml(inactive=True)
    target = lab.folder / "written to"
    lab.cohort("export", "written second", target, "--dry-run")
    lab.connection.defineXML(own)
    write(guest, 3)
    lab.connection.defineXML(with_overlay)
    for name in ("written first", "written second"):
        for options in ([], ["--dry-run"]):
            message = refused(lab, "corrupt", "export", name, target, *options)
            assert guest.name in message and str(guest.image("disk0")) in message
    assert not target.exists() and not Path(f"{target}.partial").exists()
    lab.cohort("snapshot", "delete", "written first")
    refused(lab, "corrupt", "export", "written second", target)
    lab.cohort("snapshot", "delete", "written second")
    take(lab, guest.name, "written anew")
    lab.cohort("export", "written anew", target)
    lab.cohort("snapshot", "delete", "written anew")


# Speed and cancel

def test_the_rate_limit_holds_for_the_whole_export(lab, still):
    def export(name, *options):
        began = time.monotonic()
        report = lab.cohort("export", "still", lab.folder / name, *options).json["export"]
        return time.monotonic() - began, report["disk_bytes"]
    unlimited, size = export("fast")
    limited, _ = export("slow", "--rate-limit", "5MiB/s")
    due = size / (5 * MIB)
    # The lower bound is the limit's; the upper one leaves room for a busy machine, but not for another unit.
    assert due * 0.7 < limited < due * 2 + unlimited * 10 + 10


def cancelled_export_leaves_nothing(lab, guest_files, program, target):
    status, out, err = ended(program)
    assert status == 130, out + err
    assert not target.exists() and not Path(f"{target}.partial").exists()
    assert wait_until(lambda: no_helpers_run(lab), 30, "qemu-img has ended")
    snapshot = lab.cohort("snapshot", "show", "still").json["snapshot"]
    assert snapshot["state"] == "ready"
    job = next(job for job in lab.cohort("job", "list").json["jobs"] if job["type"] == "export")
    assert job["state"] == "cancelled" and job["error"]["code"] == "cancelled"
    assert {disk["frozen"]["path"] for disk in snapshot["members"][0]["disks"]} == guest_files


def frozen_files(still):
    return {disk["frozen"]["path"] for disk in still["members"][0]["disks"]}


def test_ctrl_c_leaves_nothing(lab, still):
    target = lab.folder / "interrupted"
    program = lab.cohort_start("export", "still", target, *SLOW)
    running_job(lab, "export")
    assert Path(f"{target}.partial").is_dir()
    program.send_signal(signal.SIGINT)
    cancelled_export_leaves_nothing(lab, frozen_files(still), program, target)
    lab.cohort("export", "still", target)
    assert sha256sum_agrees(target)


def test_a_cancel_by_another_process_leaves_nothing(lab, still):
    target = lab.folder / "cancelled"
    program = lab.cohort_start("export", "still", target, *SLOW)
    job = running_job(lab, "export")
    assert job["pid"] == program.pid
    answer = lab.cohort("job", "cancel", job["id"]).json
    assert answer["cancel_requested"] is True and answer["job"]["id"] == job["id"]
    cancelled_export_leaves_nothing(lab, frozen_files(still), program, target)


def test_deleting_the_snapshot_afterwards_leaves_the_machines_as_they_were(lab, shot, package, writer, firm):
    assert overlays(writer) and overlays(firm)
    lab.cohort("snapshot", "delete", "s 1")
    for guest in (writer, firm):
        left = picture(guest)[guest.name]
        assert set(left["live"].values()) == set(guest.images.values()) == set(left["defined"].values())
    assert overlays(writer, firm) == []
    goes_on(writer)
    assert sha256sum_agrees(package)
