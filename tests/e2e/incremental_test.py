"""Incremental backups: a little week of nights, each compared with a full export of the same snapshot."""

from pathlib import Path

import libvirt
import pytest

from harness import Disk, inspect
from harness.images import MIB, run
from harness.lab import NAME_PREFIX
from package_steps import (goes_on, image_information, manifest, names_in, refused, shows_the_same,
                           tokens_of_package)
from world import PATIENT, bare_machine, overlays, snapshots

COPY = NAME_PREFIX + "restored "


@pytest.fixture(scope="module")
def writer(lab):
    guest = lab.guest("keeps writing", disks=[Disk(), Disk("raw")], role="writer").start()
    guest.wait_ready(timeout=400)
    guest.wait_token(above=3, timeout=200)
    return guest


@pytest.fixture(scope="module")
def off(lab):
    return bare_machine(lab, "off at night", ["qcow2", "raw"])


class Week:
    """Nights in one folder; each is a package, and beside it a full export of its snapshot."""

    def __init__(self, lab, writer, off):
        self.lab, self.writer, self.off = lab, writer, off
        self.folder, self.full = lab.new_folder("week ö"), lab.new_folder("full")
        lab.cohort("collection", "create", "week", writer.name, off.name)
        self.reports = {}

    def write_while_off(self, number):
        for path in self.off.disk_paths().values():
            run("qemu-io", "-f", "qcow2" if path.suffix == ".qcow2" else "raw", "-c", f"write -P {number} 1M 128k",
                path)

    def night(self, name):
        self.writer.wait_token(above=max(self.writer.tokens_seen(), default=0) + 3, timeout=300)
        report = self.lab.cohort("backup", "week", self.folder / name, *PATIENT).json["backup"]
        self.lab.cohort("export", report["snapshot"]["id"], self.full / name)
        self.reports[name] = report
        return report

    def kinds(self, name):
        return {(disk["machine"], disk["target"]): disk["kind"] for disk in self.reports[name]["disks"]}

    def check(self, name):
        """The package, with those that it stands on, shows what the full export of its snapshot does."""
        assert self.lab.cohort("verify", self.folder / name).json["verify"]["whole"] is True
        whole = {disk["file"]: disk for machine in manifest(self.full / name)["machines"] for disk in machine["disks"]}
        for machine in manifest(self.folder / name)["machines"]:
            for disk in machine["disks"]:
                assert shows_the_same(self.folder / name / disk["file"], "qcow2", self.full / name / disk["file"], "qcow2")
                assert disk["content_hash"] == whole[disk["file"]]["content_hash"]


@pytest.fixture(scope="module")
def week(lab, writer, off):
    return Week(lab, writer, off)


def test_the_first_one_is_full_and_says_why(week, writer, off):
    report = week.night("monday")
    assert "no earlier package of the collection" in report["full_because"]
    assert report["parent"] is None and set(week.kinds("monday").values()) == {"whole"}
    [kept] = snapshots(week.lab).values()
    assert (kept["id"], kept["kept_for"]) == (report["snapshot"]["id"], str(week.folder))
    assert "week ö" in week.lab.cohort("snapshot", "list", json=False).out
    assert len(overlays(writer, off)) == len(writer.disk_paths()) + len(off.disk_paths())
    week.check("monday")


def test_the_next_has_only_what_has_changed_and_is_the_new_base(week, writer, off):
    week.write_while_off(2)
    before = names_in(week.folder)
    plan = week.lab.cohort("backup", "week", week.folder / "tuesday", "--dry-run").json["plan"]
    assert [each["id"] for each in plan["outlived"]] == [week.reports["monday"]["snapshot"]["id"]]
    assert plan["export"]["parent"]["path"] == "../monday" and plan["full_because"] is None
    assert names_in(week.folder) == before
    report = week.night("tuesday")
    assert report["full_because"] is None and report["parent"]["path"] == "../monday"
    assert set(week.kinds("tuesday").values()) == {"difference"}
    assert report["disk_bytes"] < week.reports["monday"]["disk_bytes"] / 2
    [kept] = snapshots(week.lab).values()
    assert kept["id"] == report["snapshot"]["id"]
    # One overlay for each disk, whatever the number of nights.
    assert len(overlays(writer, off)) == len(writer.disk_paths()) + len(off.disk_paths())
    week.check("tuesday")
    goes_on(writer)


def test_a_killed_guest_and_a_new_disk_break_no_chain(week, writer, off):
    writer.destroy()
    writer.start().wait_ready(timeout=400)
    path = off.folder / "new.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", path, str(4 * MIB))
    off.domain.attachDeviceFlags(
        f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{path}'/>"
        "<target dev='vdx' bus='virtio'/></disk>", libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    week.write_while_off(3)
    week.night("wednesday")
    kinds = week.kinds("wednesday")
    assert kinds.pop((off.name, "vdx")) == "whole"
    assert set(kinds.values()) == {"difference"}
    week.check("wednesday")


def test_a_night_after_a_shutdown_and_a_resize(week, writer, off):
    writer.shutdown(timeout=200)
    run("qemu-img", "resize", "-q", "-f", "qcow2", off.disk_paths()["vda"], str(8 * MIB))
    writer.start().wait_ready(timeout=400)
    report = week.night("thursday")
    kinds = week.kinds("thursday")
    assert kinds.pop((off.name, "vda")) == "whole"
    assert set(kinds.values()) == {"difference"}
    assert any(str(8 * MIB) in (disk["whole_because"] or "") for disk in report["disks"])
    week.check("thursday")


def test_each_folder_has_a_base_of_its_own(week, lab, writer, off):
    other = lab.new_folder("other")
    first = lab.cohort("backup", "week", other / "first", *PATIENT).json["backup"]
    assert first["full_because"]
    assert {each["kept_for"] for each in snapshots(lab).values()} == {str(week.folder), str(other)}
    report = week.night("friday")
    assert report["parent"]["path"] == "../thursday"
    assert {each["kept_for"] for each in snapshots(lab).values()} == {str(week.folder), str(other)}
    second = lab.cohort("backup", "week", other / "second", *PATIENT).json["backup"]
    assert second["parent"]["path"] == "../first"
    week.check("friday")


def test_any_night_can_be_restored_and_merged(week, lab, writer, off):
    storage = lab.new_folder("storage")
    for name in ("tuesday", "friday"):
        made = lab.cohort("import", week.folder / name, "--name-prefix", COPY, "--storage", storage).json["import"]
        for machine in made["machines"]:
            copy = lab.adopt(machine["name"])
            for disk in machine["disks"]:
                assert "backing-filename" not in image_information(disk["path"])
            if machine["original_name"] == writer.name:
                copy.start().wait_ready(timeout=400)
                copy.destroy()
            copy.undefine()
            for disk in machine["disks"]:
                Path(disk["path"]).unlink()
        assert inspect.token_faults(tokens_of_package(week.folder / name, writer.name, ["vdb", "vdc"])) == []
    alone = week.folder / "friday alone"
    merged = lab.cohort("package", "merge", week.folder / "friday", alone).json["merge"]
    assert [Path(parent["package"]).name for parent in merged["parents"]] == [
        "thursday", "wednesday", "tuesday", "monday"]
    for machine in manifest(alone)["machines"]:
        for disk in machine["disks"]:
            assert shows_the_same(alone / disk["file"], "qcow2", week.full / "friday" / disk["file"], "qcow2")
    # From now on nothing needs the nights before.
    assert week.night("friday late")["parent"]["path"] == "../friday alone"
    for name in ("monday", "tuesday", "wednesday", "thursday", "friday"):
        (week.folder / name).rename(lab.folder / f"not needed {name}")
    week.check("friday late")


def test_without_its_base_a_backup_is_full_again(week, lab, writer, off):
    kept = next(each for each in snapshots(lab).values() if each["kept_for"] == str(week.folder))
    lab.cohort("snapshot", "delete", kept["id"])
    report = week.night("saturday")
    assert report["full_because"] and report["parent"] is None
    week.check("saturday")
    assert week.night("sunday")["parent"]["path"] == "../saturday"
    week.check("sunday")


def test_what_can_be_no_difference_is_refused(week, lab):
    before = (snapshots(lab), names_in(week.folder))
    for options in (["--format", "raw"], ["--no-hash"], ["--no-storage"], ["--subdirectory"]):
        assert "leave out" in refused(lab, "invalid_argument", "backup", "week", week.folder / "never",
                                      *options)
    refused(lab, "already_exists", "backup", "week", week.folder / "saturday")
    refused(lab, "not_found", "backup", "week", week.folder / "nowhere" / "never")
    assert (snapshots(lab), names_in(week.folder)) == before
