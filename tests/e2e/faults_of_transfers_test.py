"""Storage that moves less than it was asked to, in each read and write: nothing is lost or taken for the end."""

import shutil

import pytest

from fault_steps import nothing_is_open
from harness.faulty_files import FaultyFiles
from harness.images import run
from harness.lab import NAME_PREFIX, remove_domain
from package_steps import disk_in, manifest, shows_the_same
from world import bare_machine, format_of, take

COPY = NAME_PREFIX + "transfers copy "
MOST = 5000  # bytes: neither whole pages nor sectors
TARGETS = ("vda", "vdb")


@pytest.fixture(scope="module")
def files(lab):
    lab.prefixes.append(COPY)
    return FaultyFiles(lab.folder / "slow files", is_cached=False)


def change(guest, *commands):
    for path in guest.disk_paths().values():
        run("qemu-io", "-f", format_of(path), *[word for command in commands for word in ("-c", command)], path)


@pytest.fixture(scope="module")
def machine(lab, files):
    """Off, its disks on that storage; in two snapshots."""
    guest = bare_machine(lab, "transfers", ["qcow2", "raw"], f"{files.place.name}/machine")
    change(guest, "write -P 1 0 1M", "write -P 2 2M 200k", "write -P 3 3M 4k")
    lab.cohort("collection", "create", "transfers", guest.name)
    take(lab, "transfers", "monday")
    change(guest, "write -P 4 1M 300k", "write -P 5 0 64k", "write -P 6 3M 8k")
    take(lab, "transfers", "tuesday")
    return guest


@pytest.fixture(scope="module")
def sound(lab, files, machine):
    """Packages that were made when all was moved at once: {name: folder}."""
    files.work()
    folder = lab.new_folder("sound")
    for name in ("monday", "tuesday"):
        lab.cohort("export", name, folder / name)
    return {name: folder / name for name in ("monday", "tuesday")}


@pytest.fixture
def slow(lab, files, sound):
    """A folder on the storage, which moves little at a time."""
    place = files.place / "packages"
    place.mkdir()
    files.move_less(("read", "write"), MOST)
    yield place
    files.work()
    shutil.rmtree(place)
    assert nothing_is_open(lab)


def is_as(package, sound, machine):
    """Each disk shows what that of the other package does, and has its hash if it has one."""
    for target in TARGETS:
        [mine], [theirs] = ([disk for disk in manifest(each)["machines"][0]["disks"] if disk["target"] == target]
                            for each in (package, sound))
        image, other = disk_in(package, machine.name, target), disk_in(sound, machine.name, target)
        assert shows_the_same(image, format_of(image), other, format_of(other)), target
        assert mine.get("content_hash") in (None, theirs["content_hash"])
    return True


@pytest.mark.parametrize("options", [(), ("--format", "raw"), ("--compress",), ("--no-hash",), ("--since", "monday")],
                         ids=["qcow2", "raw", "compressed", "unhashed", "difference"])
def test_an_export(lab, files, slow, sound, machine, options):
    since = ("--since", sound["monday"]) if "--since" in options else options
    lab.cohort("export", "tuesday", slow / "package", *since)
    seal = ["--seal"] if "--no-hash" in options else []
    assert lab.cohort("verify", slow / "package", *seal).json["verify"]["whole"] is True
    files.work()
    assert lab.cohort("verify", slow / "package").json["verify"]["whole"] is True
    assert is_as(slow / "package", sound["tuesday"], machine)


def test_a_merge(lab, slow, sound, machine):
    lab.cohort("export", "tuesday", slow / "difference", "--since", sound["monday"])
    lab.cohort("package", "merge", slow / "difference", slow / "merged")
    assert is_as(slow / "merged", sound["tuesday"], machine)


def test_an_import(lab, files, slow, sound, machine):
    shutil.copytree(sound["tuesday"], slow / "package")
    storage = slow / "storage"
    storage.mkdir()
    made = lab.cohort("import", slow / "package", "--name-prefix", COPY, "--storage", storage).json["import"]
    files.work()
    copy = lab.adopt(made["machines"][0]["name"])
    for target, path in copy.disk_paths().items():
        image = disk_in(sound["tuesday"], machine.name, target)
        assert shows_the_same(path, format_of(path), image, format_of(image)), target
    remove_domain(copy.domain)
