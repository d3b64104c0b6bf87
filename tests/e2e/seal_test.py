"""Exports without hashes share their disks' storage where they can, and are sealed before anybody uses them."""

import subprocess

import pytest

from harness import Disk, SharingFolder
from harness.images import MIB
from harness.lab import NAME_PREFIX
from package_steps import content, disk_in, goes_on, machine_in, manifest, refused, sha256sum_agrees, shows_the_same
from world import take

PREFIX = NAME_PREFIX + "sealed "


@pytest.fixture(scope="module")
def place(lab):
    lab.prefixes.append(PREFIX)
    return SharingFolder(lab.folder / "shared", 768)


@pytest.fixture(scope="module")
def writer(lab, place):
    guest = lab.guest("not hashed ä", disks=[Disk(), Disk("raw")], role="writer", folder=f"{place.place.name}/disks").start()
    guest.wait_ready(timeout=400)
    guest.wait_token(above=3, timeout=200)
    lab.cohort("collection", "create", "not hashed", guest.name)
    take(lab, "not hashed", "not hashed")
    return guest


@pytest.fixture(scope="module")
def full(lab, writer):
    lab.cohort("export", "not hashed", lab.folder / "full")
    return lab.folder / "full"


@pytest.fixture(scope="module")
def package(lab, place, writer):
    before = place.free_bytes()
    target = place.place / "as it is"
    ran = lab.cohort("export", "not hashed", target, "--no-hash")
    assert ran.json["export"]["sealed"] is False
    assert before - place.free_bytes() < 4 * MIB, "it has the blocks of the disks"
    return target


def images_of(package, guest):
    return {disk["target"]: package / disk["file"] for disk in machine_in(package, guest.name)["disks"]}


def test_it_says_that_its_disks_have_no_hash(lab, package, writer):
    assert manifest(package)["format_version"] == 3
    disks = machine_in(package, writer.name)["disks"]
    assert len(disks) == 3 and all(disk["sha256"] is None and "content_hash" not in disk for disk in disks)
    ran = lab.cohort("verify", package, check=False)
    report = ran.json["verify"]
    assert ran.rc == 5 and report["whole"] is False and report["sealed_disks"] == 0
    assert {(each["file"], each["kind"]) for each in report["problems"]} == {(disk["file"], "unsealed") for disk in disks}
    assert sha256sum_agrees(package), "of what has a hash"


def test_it_is_not_used_before_it_is_sealed(lab, package):
    storage = lab.new_folder("storage of none")
    assert "--seal" in refused(lab, "invalid_state", "import", package, "--name-prefix", PREFIX, "--storage", storage)
    assert "--seal" in refused(lab, "invalid_state", "try", package, "--name-prefix", PREFIX)
    assert list(storage.iterdir()) == []


def test_a_difference_from_it_is_whole(lab, package, writer, place):
    take(lab, "not hashed", "later")
    target = place.place / "later"
    report = lab.cohort("export", "later", target, "--since", package).json["export"]
    assert {disk["kind"] for disk in report["disks"]} == {"whole"}
    assert all("block hashes" in disk["whole_because"] for disk in report["disks"])
    lab.cohort("verify", target)
    lab.cohort("snapshot", "delete", "later")


def test_it_shows_what_a_full_export_shows(package, full, writer):
    for target, image in images_of(package, writer).items():
        assert shows_the_same(image, "qcow2", disk_in(full, writer.name, target), "qcow2"), target


@pytest.mark.parametrize("options, words", [(("--compress",), "--compress"), (("--since", "full"), "differences")])
def test_what_is_hashed_anyway_is_named(lab, writer, full, options, words):
    options = [full if word == "full" else word for word in options]
    before = content(lab.folder / "full")
    assert words in refused(lab, "invalid_argument", "export", "not hashed", lab.folder / "none", "--no-hash", *options)
    assert content(lab.folder / "full") == before and not (lab.folder / "none").exists()


def test_what_else_is_wrong_keeps_it_from_being_sealed(lab, package, writer):
    copy = lab.folder / "damaged and not sealed"
    subprocess.run(["cp", "-a", "--sparse=always", package, copy], check=True)
    (copy / machine_in(copy, writer.name)["configuration"]["file"]).write_text("<domain/>")
    before = content(copy)
    ran = lab.cohort("verify", copy, "--seal", check=False)
    assert ran.rc == 12 and {each["kind"] for each in ran.json["verify"]["problems"]} == {"unsealed", "wrong-size"}
    assert content(copy) == before


def test_a_sealed_one_is_a_whole_one(lab, package, full, writer):
    report = lab.cohort("verify", package, "--seal").json["verify"]
    assert report["whole"] is True and report["sealed_disks"] == 3 and report["problems"] == []
    found = manifest(package)
    assert found["format_version"] == 1 and found["sealed"] > found["created"]
    assert sha256sum_agrees(package)
    # The same disks, whatever the time at which they were hashed.
    hashes = [{disk["target"]: disk["content_hash"] for disk in machine_in(each, writer.name)["disks"]}
              for each in (package, full)]
    assert hashes[0] == hashes[1]
    again = lab.cohort("verify", package, "--seal").json["verify"]
    assert again["whole"] is True and again["sealed_disks"] == 0
    lab.cohort("import", package, "--name-prefix", PREFIX, "--storage", lab.new_folder("storage"), "--start")
    copy = lab.adopt(PREFIX + writer.name)
    copy.wait_ready(timeout=400)
    assert goes_on(copy)


def test_raw_disks_of_another_file_system_are_copied(lab, writer, full):
    target = lab.folder / "raw and not hashed"
    lab.cohort("export", "not hashed", target, "--no-hash", "--format", "raw")
    for disk, image in images_of(target, writer).items():
        assert shows_the_same(image, "raw", disk_in(full, writer.name, disk), "qcow2"), disk
    assert lab.cohort("verify", target, "--seal").json["verify"]["sealed_disks"] == 3
