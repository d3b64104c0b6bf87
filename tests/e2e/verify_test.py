"""Verify: names what is wrong with which file, and the exit status tells."""

import json
import os
import shutil
import subprocess

import pytest

from harness import Disk
from harness.images import run
from package_steps import (content, disk_in, machine_in, manifest, refused, rehash, write_manifest)
from world import take, writer_of


@pytest.fixture(scope="module")
def machine(lab):
    guest = lab.guest("kept ä", disks=[Disk(), Disk("raw")])
    lab.cohort("collection", "create", "kept", guest.name)
    take(lab, "kept", "kept")
    return guest


@pytest.fixture(scope="module")
def whole(lab, machine):
    target = lab.folder / "whole"
    lab.cohort("export", "kept", target)
    return target


@pytest.fixture(scope="module")
def whole_raw(lab, machine):
    target = lab.folder / "whole-raw"
    lab.cohort("export", "kept", target, "--format", "raw")
    return target


def copy_of(package, place):
    subprocess.run(["cp", "-a", "--sparse=always", package, place], check=True)
    return place


@pytest.fixture
def package(whole, tmp_path_factory, lab):
    place = copy_of(whole, lab.folder / "damaged")
    yield place
    shutil.rmtree(place)


@pytest.fixture
def raw_package(whole_raw, lab):
    place = copy_of(whole_raw, lab.folder / "damaged-raw")
    yield place
    shutil.rmtree(place)


def problems_of(lab, package):
    """What verify finds in a package that is not whole, as {(file, kind)}; it changes nothing."""
    before = content(package)
    ran = lab.cohort("verify", package, check=False)
    assert ran.rc == 12, ran.out + ran.err
    report = ran.json["verify"]
    assert report["whole"] is False and report["package"] == str(package)
    assert all(problem["message"].strip() for problem in report["problems"])
    assert content(package) == before
    return {(problem["file"], problem["kind"]) for problem in report["problems"]}


def data_disk(package, machine, target="vdb"):
    """The image of a disk, and its name in the package."""
    image = disk_in(package, machine.name, target)
    return image, str(image.relative_to(package))


def configuration(package, machine):
    name = machine_in(package, machine.name)["configuration"]["file"]
    return package / name, name


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x40]))


def test_a_whole_package_is_whole(lab, whole, machine):
    report = lab.cohort("verify", whole).json["verify"]
    assert report["whole"] is True and report["problems"] == [] and report["notes"] == []
    assert report["manifest"]["machines"][0]["name"] == machine.name
    listed = len((whole / "SHA256SUMS").read_text().splitlines())
    assert report["files"] == listed - 1  # the manifest itself is not in it
    assert report["bytes"] >= sum(disk["size"] for disk in machine_in(whole, machine.name)["disks"])


def test_a_whole_raw_package_is_whole(lab, whole_raw):
    assert lab.cohort("verify", whole_raw).json["verify"]["whole"] is True


def test_a_missing_file_is_named(lab, package, machine):
    image, name = data_disk(package, machine)
    image.unlink()
    assert problems_of(lab, package) == {(name, "missing")}


def test_a_link_in_place_of_a_file_is_not_followed(lab, package, machine):
    image, name = data_disk(package, machine)
    image.rename(lab.folder / "elsewhere.qcow2")
    image.symlink_to(lab.folder / "elsewhere.qcow2")
    assert problems_of(lab, package) == {(name, "not-a-file")}
    image.unlink()
    (lab.folder / "elsewhere.qcow2").unlink()


@pytest.mark.parametrize("put", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_named(lab, package, machine, put):
    path, name = configuration(package, machine)
    path.unlink()
    put(path)
    assert problems_of_special(lab, package) == {(name, "not-a-file")}


def problems_of_special(lab, package):
    """As problems_of, for a package with something in it that cannot be read."""
    ran = lab.cohort("verify", package, check=False, timeout=120)
    assert ran.rc == 12
    return {(problem["file"], problem["kind"]) for problem in ran.json["verify"]["problems"]}


@pytest.mark.parametrize("change", [-1, 1, 4096])
def test_a_wrong_size_is_named(lab, raw_package, machine, change):
    image, name = data_disk(raw_package, machine, "vdc")
    os.truncate(image, image.stat().st_size + change)
    assert problems_of(lab, raw_package) == {(name, "wrong-size")}


def test_one_flipped_bit_of_a_raw_disk_is_found(lab, raw_package, machine):
    image, name = data_disk(raw_package, machine, "vdb")
    flip(image, image.stat().st_size - 1)
    assert problems_of(lab, raw_package) == {(name, "wrong-hash")}


def test_one_flipped_bit_of_a_configuration_is_found(lab, package, machine):
    path, name = configuration(package, machine)
    flip(path, path.stat().st_size // 2)
    assert problems_of(lab, package) == {(name, "wrong-hash")}


def test_all_that_is_wrong_is_named_at_once(lab, package, machine):
    image, image_name = data_disk(package, machine, "vdc")
    flip(image, image.stat().st_size - 1)
    boot, boot_name = data_disk(package, machine, "vda")
    boot.unlink()
    path, name = configuration(package, machine)
    os.truncate(path, 10)
    (package / "SHA256SUMS").unlink()
    found = problems_of(lab, package)
    assert found >= {(image_name, "wrong-hash"), (boot_name, "missing"), (name, "wrong-size"),
                     ("SHA256SUMS", "bad-list")}
    ran = lab.cohort("verify", package, json=False, check=False)
    assert ran.rc == 12
    assert all(file in ran.out + ran.err for file, _ in found)


def test_a_damaged_image_is_found_even_if_all_hashes_fit(lab, package, machine):
    image, name = data_disk(package, machine)
    with open(image, "r+b") as file:
        file.seek(48)  # of the header: where the table of reference counts is
        table = int.from_bytes(file.read(8), "big")
        file.seek(table)
        block = int.from_bytes(file.read(8), "big")
        file.seek(block)
        file.write(b"\0" * 64)
    assert subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", image], capture_output=True).returncode != 0
    rehash(package)
    assert problems_of(lab, package) == {(name, "bad-image")}


def test_an_image_that_is_none_is_found_even_if_all_hashes_fit(lab, package, machine):
    image, name = data_disk(package, machine)
    image.write_bytes(b"no image at all" * 4096)
    rehash(package)
    assert problems_of(lab, package) == {(name, "bad-image")}


def test_an_image_of_another_size_is_found_even_if_all_hashes_fit(lab, package, machine):
    image, name = data_disk(package, machine)
    run("qemu-img", "resize", "-q", "-f", "qcow2", image, "+1M")
    rehash(package)
    assert problems_of(lab, package) == {(name, "bad-image")}


def test_an_image_that_stands_on_a_file_of_the_host_is_found(lab, package, machine):
    image, name = data_disk(package, machine)
    size = next(disk["virtual_size"] for disk in machine_in(package, machine.name)["disks"]
                if disk["file"] == name)
    image.unlink()
    run("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw", image, size)
    rehash(package)
    assert problems_of(lab, package) == {(name, "foreign-file")}


def test_an_image_with_its_data_in_another_file_is_found(lab, package, machine):
    image, name = data_disk(package, machine)
    size = next(disk["virtual_size"] for disk in machine_in(package, machine.name)["disks"]
                if disk["file"] == name)
    image.unlink()
    outside = lab.folder / "outside"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={outside},data_file_raw=on", image, size)
    rehash(package)
    assert problems_of(lab, package) == {(name, "foreign-file")}
    outside.unlink()


def test_an_image_that_a_program_writes_to_is_not_called_whole(lab, package, machine):
    image, name = data_disk(package, machine)
    with writer_of(image, lab.folder / "nbd"):
        ran = lab.cohort("verify", package, check=False)
    assert ran.rc == 11
    assert (name, "unreadable") in {(each["file"], each["kind"]) for each in ran.json["verify"]["problems"]}


def test_a_list_that_differs_from_the_manifest_is_named(lab, package):
    listed = package / "SHA256SUMS"
    text = listed.read_text()
    listed.write_text(text.replace(text[:8], "00000000", 1))
    assert problems_of(lab, package) == {("SHA256SUMS", "bad-list")}


def test_a_manifest_that_was_changed_differs_from_the_list(lab, package):
    document = manifest(package)
    document["collection"]["name"] = "another"
    (package / "cohort.json").write_text(json.dumps(document))
    assert problems_of(lab, package) == {("SHA256SUMS", "bad-list")}


def test_a_file_that_is_not_listed_is_a_note(lab, package):
    (package / "Virtual Hard Disks" / "mine.txt").write_text("mine")
    report = lab.cohort("verify", package).json["verify"]
    assert report["whole"] is True
    assert [(note["file"], note["kind"]) for note in report["notes"]] == [
        ("Virtual Hard Disks/mine.txt", "unlisted")]


def test_a_manifest_that_cannot_be_read_is_refused(lab, package):
    text = (package / "cohort.json").read_text()
    (package / "cohort.json").write_text(text[:len(text) // 2])
    assert "cohort.json" in refused(lab, "corrupt", "verify", package)


def test_a_manifest_of_a_newer_version_is_refused(lab, package):
    document = manifest(package)
    document["format_version"] = 5
    write_manifest(package, document)
    refused(lab, "unsupported", "verify", package)


def test_a_folder_that_is_no_package_is_refused(lab, package):
    (package / "cohort.json").unlink()
    assert str(package) in refused(lab, "not_found", "verify", package)
    refused(lab, "not_found", "verify", lab.folder / "nowhere")


def test_a_repaired_package_is_whole_again(lab, package, whole, machine):
    image, name = data_disk(package, machine)
    good = image.read_bytes()
    flip(image, 0)
    assert (name, "wrong-hash") in problems_of(lab, package)
    image.write_bytes(good)
    assert lab.cohort("verify", package).json["verify"]["whole"] is True
    assert content(package) == content(whole)
