"""Reference points on real guests: what changed between two of them is what a full package of the later one shows."""

import os
import shutil
import signal
from pathlib import Path

import libvirt
import pytest

from harness import Disk, wait_until
from harness.images import MIB, run
from harness.lab import NAME_PREFIX
from package_steps import (disk_in, goes_on, image_information, machine_in, manifest, names_in, refused,
                           shows_the_same)
from world import PATIENT, bare_machine, overlays, snapshots, take

COPY = NAME_PREFIX + "of points "


@pytest.fixture(scope="module")
def writer(lab):
    guest = lab.guest("keeps writing", disks=[Disk(), Disk("raw")], role="writer").start()
    guest.wait_ready(timeout=400)
    return guest


@pytest.fixture(scope="module")
def still(lab):
    """A machine that is off; its disks are written to as if it had run between the points."""
    guest = bare_machine(lab, "is off", ["qcow2", "raw"])
    for path in guest.images.values():
        run("qemu-io", "-f", path.suffix[1:], "-c", "write -P 1 0 3M", path)
    return guest


@pytest.fixture(scope="module")
def folder(lab, writer, still):
    """Where packages go; the collection is "points"."""
    lab.cohort("collection", "create", "points", writer.name, still.name)
    return lab.new_folder("points ö")


def points(lab):
    return {each["name"]: each for each in lab.cohort("reference", "list", "points").json["reference_points"]}


def create(lab, name):
    return lab.cohort("reference", "create", "points", "--name", name, *PATIENT).json["reference_point"]


def export(lab, name, target, *options):
    return lab.cohort("reference", "export", name, target, *options).json["export"]


def write_to(guest, *commands):
    for path in guest.disk_paths().values():
        run("qemu-io", "-d", "unmap", "-f", "qcow2", *[word for command in commands for word in ("-c", command)], path)


def kinds(report):
    return {(disk["machine"], disk["target"]): disk["kind"] for disk in report["disks"]}


def identifiers(point, field):
    return {(member["name"], disk["target"]): disk[field] for member in point["members"] for disk in member["disks"]}


def check(lab, difference, full):
    """The difference, with all it stands on, is whole, and shows what the full package does."""
    assert lab.cohort("verify", difference).json["verify"]["whole"] is True
    for machine in manifest(full)["machines"]:
        for disk in machine["disks"]:
            other = disk_in(difference, machine["name"], disk["target"])
            assert shows_the_same(other, "qcow2", full / disk["file"], "qcow2"), other
    hashes = [{(machine["id"], disk["target"]): disk["content_hash"] for machine in manifest(package)["machines"]
               for disk in machine["disks"]} for package in (difference, full)]
    assert hashes[0] == hashes[1]


def kill_qemu(guest):
    """As the host's out-of-memory killer would."""
    os.kill(int(Path(f"/run/libvirt/qemu/{guest.name}.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: not guest.domain.isActive(), 60, f"{guest.name} is off")


def test_one_that_is_created_is_no_snapshot_and_is_exported_as_a_whole(lab, folder, writer, still):
    writer.wait_token(above=3, timeout=300)
    first = create(lab, "first")
    assert first["state"] == "ready" and first["fence"]["proven"] is True and first["id"] != first["snapshot"]
    assert snapshots(lab) == {}
    assert set(points(lab)) == {"first"}
    assert len(overlays(writer, still)) == len(writer.disk_paths()) + len(still.disk_paths())
    report = export(lab, "first", folder / "first")
    assert set(kinds(report).values()) == {"whole"} and report["parent"] is None
    assert report["snapshot"]["id"] == first["snapshot"]
    goes_on(writer)


def test_what_changed_since_is_known_after_a_kill_and_of_machines_that_are_off(lab, folder, writer, still):
    writer.wait_token(above=max(writer.tokens_seen()) + 3, timeout=300)
    kill_qemu(writer)
    write_to(still, "write -P 2 1M 100k", "write -z 2M 512k", "discard 0 64k")
    writer.start().wait_ready(timeout=400)
    second = create(lab, "second")
    plan = lab.cohort("reference", "export", "second", folder / "second", "--since", "first", "--dry-run").json["plan"]
    assert plan["parent"]["path"] == "../first" and not (folder / "second").exists()
    report = export(lab, "second", folder / "second", "--since", "first")
    assert set(kinds(report).values()) == {"difference"} and report["parent"]["path"] == "../first"
    export(lab, "second", folder / "second full")
    assert report["disk_bytes"] < sum(path.stat().st_blocks * 512 for path in (folder / "second full").rglob("*")) / 2
    check(lab, folder / "second", folder / "second full")
    first = points(lab)["first"]
    assert identifiers(first, "id") == identifiers(second, "id")
    assert not set(identifiers(first, "tracking_id").values()) & set(identifiers(second, "tracking_id").values())


def test_a_snapshot_that_is_converted_is_the_base_of_the_next_difference(lab, folder, writer, still):
    taken = take(lab, "points", "third")
    assert identifiers(taken, "tracking_id")[still.name, "vda"] is None
    lab.cohort("export", "third", folder / "third", "--since", "second")
    lab.cohort("export", "third", folder / "third full")
    before = overlays(writer, still)
    third = lab.cohort("reference", "convert", "third").json["reference_point"]
    assert third["snapshot"] == taken["id"] and overlays(writer, still) == before
    assert identifiers(third, "id") == identifiers(taken, "id")
    assert snapshots(lab) == {} and list(points(lab)) == ["first", "second", "third"]
    assert "reference point" in refused(lab, "invalid_state", "export", "third", folder / "never")
    assert "reference point" in refused(lab, "invalid_state", "snapshot", "delete", "third")
    assert "reference point" in refused(lab, "invalid_state", "reference", "convert", "third")
    refused(lab, "invalid_state", "collection", "delete", "points")
    check(lab, folder / "third", folder / "third full")
    shutil.rmtree(folder / "third full")


def test_a_point_in_the_middle_is_deleted_and_the_others_hold_what_they_held(lab, folder, writer, still):
    lab.cohort("reference", "delete", "second")
    export(lab, "third", folder / "third again")
    check(lab, folder / "third", folder / "third again")
    write_to(still, "write -P 3 3M 64k", "discard 1M 64k")
    writer.wait_token(above=max(writer.tokens_seen()) + 3, timeout=300)
    create(lab, "fourth")
    # Two lines: one goes on from the third, the other one has not been gone on with since the first.
    for base in ("third", "first"):
        report = export(lab, "fourth", folder / f"fourth from {base}", "--since", points(lab)[base]["id"][:8])
        assert report["parent"]["path"].startswith(f"../{base}")
        assert set(kinds(report).values()) == {"difference"}
    export(lab, "fourth", folder / "fourth full")
    for base in ("third", "first"):
        check(lab, folder / f"fourth from {base}", folder / "fourth full")
    refused(lab, "not_found", "reference", "export", "fourth", folder / "never", "--since", "second")
    refused(lab, "not_found", "reference", "export", "fourth", folder / "never", "--since", folder / "no such")
    assert "never" not in names_in(folder)


def test_some_disks_can_be_chosen(lab, folder, still):
    chosen = folder / "some"
    report = export(lab, "fourth", chosen, "--since", "third", "--disk", f"{still.name}/vda")
    assert kinds(report) == {(still.name, "vda"): "difference"}
    assert lab.cohort("verify", chosen).json["verify"]["whole"] is True
    entry = machine_in(chosen, still.name)
    assert [(disk["target"], disk["reason"]) for disk in entry["left_out"]] == [("vdb", "not-chosen")]
    assert shows_the_same(disk_in(chosen, still.name, "vda"), "qcow2", disk_in(folder / "fourth full", still.name, "vda"),
                          "qcow2")
    refused(lab, "not_found", "reference", "export", "fourth", folder / "never", "--disk", f"{still.name}/vdz")
    storage = lab.new_folder("chosen storage")
    made = lab.cohort("import", chosen, "--name-prefix", COPY, "--storage", storage).json["import"]["machines"]
    for machine in made:
        copy = lab.adopt(machine["name"])
        assert list(copy.disk_paths(inactive=True)) == (["vda"] if machine["original_name"] == still.name else [])
        copy.undefine()


def test_a_disk_that_is_new_or_was_resized_goes_whole(lab, folder, writer, still):
    run("qemu-img", "resize", "-q", "-f", "qcow2", still.disk_paths()["vdb"], str(8 * MIB))
    path = still.folder / "new.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", path, str(4 * MIB))
    still.domain.attachDeviceFlags(
        f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{path}'/>"
        "<target dev='vdx' bus='virtio'/></disk>", libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    create(lab, "fifth")
    report = export(lab, "fifth", folder / "fifth", "--since", folder / "fourth full")
    whole = {key for key, kind in kinds(report).items() if kind == "whole"}
    assert whole == {(still.name, "vdb"), (still.name, "vdx")}
    assert all(disk["whole_because"] for disk in report["disks"] if disk["kind"] == "whole")
    assert "backing-filename" not in image_information(disk_in(folder / "fifth", still.name, "vdx"))
    export(lab, "fifth", folder / "fifth full")
    check(lab, folder / "fifth", folder / "fifth full")


def test_all_are_deleted_and_the_machines_stand_on_their_own_files(lab, writer, still):
    for name in ("fourth", "first", "fifth", "third"):
        lab.cohort("reference", "delete", name)
    assert points(lab) == {} and overlays(writer, still) == []
    goes_on(writer)
    lab.cohort("collection", "delete", "points")
