"""What an export says of the content of its disks, and compressed disks."""

import re
import subprocess
import textwrap
from pathlib import Path

import pytest

from harness import Disk, inspect
from harness.images import run
from package_steps import machine_in, refused, sha256sum_agrees, shows_the_same
from world import take

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/package.md"


@pytest.fixture(scope="module")
def machine(lab):
    guest = lab.guest("content", disks=[Disk(), Disk("raw")])
    for label in ("data", "data2"):
        image = guest.images[label]
        run("qemu-io", "-f", inspect.image_format(image), "-c", "write -P 7 1M 3M", "-c", "write -P 9 20M 65k", image)
    lab.cohort("collection", "create", "content", guest.name)
    take(lab, "content", "content")
    return guest


@pytest.fixture(scope="module")
def packages(lab, machine):
    made = {}
    for name, options in {"plain": (), "raw": ("--format", "raw"), "packed": ("--compress",)}.items():
        made[name] = lab.folder / name
        lab.cohort("export", "content", made[name], *options)
    return made


def documented_hash(image):
    """By the program in the documentation."""
    block = re.search(r"(?m)^    (python3 -c '.*?) disk\.raw$", DOCUMENT.read_text(), re.DOTALL).group(1)
    command = textwrap.dedent("    " + block) + ' "$1"'
    return subprocess.run(["sh", "-c", command, "sh", str(image)], capture_output=True, text=True, check=True).stdout.strip()


def disks(package, machine):
    return {disk["target"]: disk for disk in machine_in(package, machine.name)["disks"]}


def test_the_content_hash_is_what_the_documentation_says_in_every_format(packages, machine):
    expected = {target: documented_hash(packages["raw"] / disk["file"])
                for target, disk in disks(packages["raw"], machine).items()}
    assert len(set(expected.values())) == len(expected) >= 2
    for package in packages.values():
        assert {target: disk["content_hash"] for target, disk in disks(package, machine).items()} == expected


def test_a_compressed_package_is_smaller_and_whole(lab, packages, machine):
    assert sha256sum_agrees(packages["packed"])
    report = lab.cohort("verify", packages["packed"]).json["verify"]
    assert report["whole"]
    for target, disk in disks(packages["packed"], machine).items():
        image = packages["packed"] / disk["file"]
        assert image.stat().st_size == disk["size"] < disks(packages["plain"], machine)[target]["size"]
        assert "zstd" in run("qemu-img", "info", "-f", "qcow2", image)
        assert shows_the_same(image, "qcow2", packages["raw"] / disks(packages["raw"], machine)[target]["file"], "raw")


def test_a_compressed_package_is_imported_as_it_is(lab, packages, machine):
    storage = lab.new_folder("storage")
    made = lab.cohort("import", packages["packed"], "--name-prefix", "cohort-test-packed-", "--storage",
                      storage).json["import"]["machines"][0]
    copy = lab.adopt(made["name"])
    for disk in made["disks"]:
        original = packages["packed"] / disks(packages["packed"], machine)[disk["target"]]["file"]
        assert Path(disk["path"]).read_bytes() == original.read_bytes()
    copy.undefine()


def test_raw_disks_are_not_compressed(lab, packages):
    refused(lab, "invalid_argument", "export", "content", lab.folder / "never", "--format", "raw", "--compress")
    assert not (lab.folder / "never").exists()


def test_verify_shows_the_content_hash(lab, packages, machine):
    shown = lab.cohort("verify", packages["plain"]).json["verify"]["manifest"]["machines"][0]["disks"]
    assert {disk["target"]: disk["content_hash"] for disk in shown} == {
        target: disk["content_hash"] for target, disk in disks(packages["plain"], machine).items()}
