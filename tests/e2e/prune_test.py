"""Old packages are pruned night after night, and whatever is kept shows what a full export of its snapshot does."""

import datetime
import shutil
from pathlib import Path

import pytest

from harness import Disk
from harness.images import run
from harness.lab import NAME_PREFIX
from package_steps import content, manifest, names_in, refused, sha256sum_agrees, shows_the_same, small_filesystem
from world import PATIENT, bare_machine

COPY = NAME_PREFIX + "of nights "


@pytest.fixture(scope="module")
def writer(lab):
    guest = lab.guest("keeps writing", disks=[Disk()], role="writer").start()
    guest.wait_ready(timeout=400)
    return guest


class Nights:
    """Incremental backups in one folder, and a full export of each snapshot elsewhere."""

    def __init__(self, lab, writer, off):
        self.lab, self.writer, self.off = lab, writer, off
        self.folder, self.full = lab.new_folder("nights ö"), lab.new_folder("full")
        lab.cohort("collection", "create", "nights", writer.name, off.name)
        self.count = 0

    def night(self):
        name = f"night {self.count}"
        self.count += 1
        for path in self.off.disk_paths().values():
            run("qemu-io", "-f", "qcow2" if path.suffix == ".qcow2" else "raw", "-c",
                f"write -P {self.count} {self.count * 128}k 128k", path)
        self.writer.wait_token(above=max(self.writer.tokens_seen(), default=0) + 2, timeout=300)
        report = self.lab.cohort("backup", "nights", self.folder / name, *PATIENT).json["backup"]
        self.lab.cohort("export", report["snapshot"]["id"], self.full / name)
        return report

    def prune(self, *options):
        return self.lab.cohort("package", "prune", self.folder, *options).json

    def fates(self, report):
        return {Path(each["package"]).name: each["fate"] for each in report["packages"]}

    def parents(self, name):
        report = self.lab.cohort("verify", self.folder / name).json["verify"]
        assert report["whole"] is True and report["notes"] == []
        return [Path(parent["package"]).name for parent in report["parents"]]

    def check(self, name):
        """The package, with those that it stands on, shows what the full export of its snapshot does."""
        assert sha256sum_agrees(self.folder / name)
        whole = {disk["file"]: disk for machine in manifest(self.full / name)["machines"] for disk in machine["disks"]}
        for machine in manifest(self.folder / name)["machines"]:
            for disk in machine["disks"]:
                assert shows_the_same(self.folder / name / disk["file"], "qcow2", self.full / name / disk["file"], "qcow2")
                assert disk["content_hash"] == whole[disk["file"]]["content_hash"]


@pytest.fixture(scope="module")
def nights(lab, writer):
    made = Nights(lab, writer, bare_machine(lab, "off at night", ["qcow2", "raw"]))
    for _ in range(4):
        made.night()
    return made


def test_a_plan_changes_nothing(nights):
    before = content(nights.folder)
    plan = nights.prune("--keep-last", "2", "--dry-run")["plan"]
    assert nights.fates(plan) == {"night 0": "removed", "night 1": "removed", "night 2": "merged", "night 3": "kept"}
    assert plan["packages"][2]["estimated_bytes"] > 0 and plan["packages"][3]["kept_by"] == ["last"]
    refused(nights.lab, "invalid_argument", "package", "prune", nights.folder)
    assert content(nights.folder) == before


def test_the_lowest_that_is_kept_is_merged_in_its_place_and_the_chain_goes_on(nights):
    old = manifest(nights.folder / "night 2")
    pruned = nights.prune("--keep-last", "2")["prune"]
    assert nights.fates(pruned) == {"night 0": "removed", "night 1": "removed", "night 2": "merged", "night 3": "kept"}
    assert names_in(nights.folder) == ["night 2", "night 3"]
    assert nights.parents("night 2") == [] and nights.parents("night 3") == ["night 2"]
    merged = manifest(nights.folder / "night 2")
    assert merged["stands_for"] == manifest(nights.folder / "night 3")["parent"]["manifest_sha256"]
    assert (merged["snapshot"], merged["collection"]) == (old["snapshot"], old["collection"])
    for name in ("night 2", "night 3"):
        nights.check(name)
    # The next night stands on what is there, and so does the one after the next prune.
    assert nights.night()["parent"]["path"] == "../night 3"
    assert nights.parents("night 4") == ["night 3", "night 2"]
    nights.prune("--keep-last", "2", "--keep-daily", "1")
    assert names_in(nights.folder) == ["night 3", "night 4"]
    assert nights.parents("night 4") == ["night 3"]
    report = nights.night()
    assert report["parent"]["path"] == "../night 4" and report["full_because"] is None
    for name in ("night 3", "night 4", "night 5"):
        nights.check(name)
    assert nights.fates(nights.prune("--keep-last", "9")["prune"]) == {
        "night 3": "kept", "night 4": "kept", "night 5": "kept"}


def test_what_somebody_else_stands_on_stays(nights):
    nights.lab.cohort("snapshot", "take", "nights", "--name", "apart", *PATIENT)
    nights.lab.cohort("reference", "convert", "apart")
    apart = nights.folder / "apart"
    nights.lab.cohort("reference", "export", "apart", apart, "--since", nights.folder / "night 5", "--disk",
                      f"{nights.off.name}/vda")
    nights.lab.cohort("reference", "delete", "apart")
    pruned = nights.prune("--keep-last", "1", "--dry-run")["plan"]
    assert nights.fates(pruned) == {"night 3": "kept", "night 4": "kept", "night 5": "kept", "apart": "left"}
    whys = [each["why"] or "" for each in pruned["packages"]]
    assert '"apart" stands on it' in whys[0] and "Not all disks" in whys[3]
    shutil.rmtree(apart)


def test_without_room_for_a_merge_nothing_is_lost(nights):
    needed = sum(path.stat().st_size for path in nights.folder.rglob("*") if path.is_file())
    with small_filesystem(nights.lab.folder / "small", needed // 2**20 + 4) as small:
        for name in names_in(nights.folder):
            shutil.copytree(nights.folder / name, small / name)
        assert "nothing was written" in refused(nights.lab, "no_space", "package", "prune", small, "--keep-last", "1")
        assert names_in(small) == names_in(nights.folder)
        assert nights.lab.cohort("verify", small / "night 5").json["verify"]["whole"] is True


def test_a_package_of_a_time_is_imported(nights):
    lab = nights.lab
    instant = datetime.datetime.fromisoformat(manifest(nights.folder / "night 4")["snapshot"]["instant"])
    storage = lab.new_folder("of a time")
    arguments = ("--name-prefix", COPY, "--storage", storage)
    early = (instant - datetime.timedelta(days=1)).strftime("%Y-%m-%d")
    refused(lab, "not_found", "import", nights.folder, "--at", early, *arguments)
    at = instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    made = lab.cohort("import", nights.folder, "--at", at, *arguments).json["import"]["machines"]
    for machine in made:
        copy = lab.adopt(machine["name"])
        for disk in machine["disks"]:
            [whole] = [each["file"] for entry in manifest(nights.full / "night 4")["machines"]
                       for each in entry["disks"] if (entry["name"], each["target"]) == (machine["original_name"],
                                                                                        disk["target"])]
            assert shows_the_same(disk["path"], "qcow2", nights.full / "night 4" / whole, "qcow2")
        if machine["original_name"] == nights.writer.name:
            copy.start().wait_ready(timeout=400)
            copy.destroy()
        copy.undefine()


def test_a_backup_prunes_what_is_too_old_when_it_is_complete(lab):
    off = bare_machine(lab, "pruned every night", ["qcow2"])
    lab.cohort("collection", "create", "kept", off.name)
    folder = lab.new_folder("pruned every night")
    keep = ("--keep-last", "2", *PATIENT)

    def night(number, *options, check=True):
        [path] = off.disk_paths().values()
        run("qemu-io", "-f", "qcow2", "-c", f"write -P {number} {number * 128}k 128k", path)
        return lab.cohort("backup", "kept", folder / str(number), *keep, *options, check=check)

    for number in (1, 2):
        report = night(number).json
        assert report["prune_error"] is None
        assert [each["fate"] for each in report["prune"]["packages"]] == ["kept"] * number
    plan = lab.cohort("backup", "kept", folder / "3", *keep, "--dry-run").json["plan"]
    assert [each["fate"] for each in plan["prune"]["packages"]] == ["removed", "merged", "kept"]
    assert names_in(folder) == ["1", "2"]

    # What is in the way of the pruning costs the exit status, and neither the backup nor its report.
    (folder / "1.partial").mkdir()
    failed = night(3, check=False)
    assert failed.rc == 4 and failed.json["prune"] is None and failed.json["prune_error"]["code"] == "already_exists"
    assert failed.json["backup"]["package"] == str(folder / "3")
    jobs = lab.cohort("job", "list").json["jobs"]
    assert [(job["type"], job["state"]) for job in jobs[:2]] == [("prune", "failed"), ("backup", "completed")]
    assert lab.cohort("verify", folder / "3").json["verify"]["whole"] is True
    (folder / "1.partial").rmdir()

    # A backup that fails removes nothing.
    assert night(3, check=False).rc == 4
    assert set(names_in(folder)) >= {"1", "3"}

    report = night(4).json
    assert names_in(folder) == ["3", "4"] and report["prune_error"] is None
    assert lab.cohort("verify", folder / "4").json["verify"]["whole"] is True
    assert [Path(each["package"]).name for each in lab.cohort("verify", folder / "4").json["verify"]["parents"]] == ["3"]
