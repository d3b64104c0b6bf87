"""Storage that fails under a package: what is not synced is not reported, nothing is left, and later it works."""

import contextlib
import errno
import os
import shutil

import pytest

from fault_steps import goes_on_and_fails, is_told_as_failed, nothing_is_open, stopped_at, succeeds
from harness import Disk, Lab, LimitedFolder, SmallFileSystem
from harness.faulty_files import FaultyFiles
from harness.images import MIB
from harness.lab import NAME_PREFIX, remove_domain
from package_steps import disk_in, goes_on, machines_and_states, names_in, refused
from world import PATIENT, bare_machine, picture, snapshots, take, write

COPY = NAME_PREFIX + "faults copy "


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.prefixes.append(COPY)
        yield opened


@pytest.fixture(scope="module")
def writer(lab):
    guest = lab.guest("faults writer", role="writer", disks=[Disk(size=16 * MIB)])
    guest.start().wait_ready(timeout=400)
    guest.wait_token(above=2, timeout=200)
    return guest


@pytest.fixture(scope="module")
def faulty(lab):
    return FaultyFiles(lab.folder / "faulty files")


@pytest.fixture(scope="module")
def fragile(lab, faulty):
    """A machine that is off, with its disks where reading can fail."""
    guest = bare_machine(lab, "faults fragile", ["qcow2", "raw"], f"{faulty.place.name}/fragile")
    write(guest, 1)
    return guest


@pytest.fixture(scope="module")
def shots(lab, writer, fragile):
    """The snapshots: one of both machines, and one of the small one alone."""
    lab.cohort("collection", "create", "both", writer.name, fragile.name)
    lab.cohort("collection", "create", "fragile", fragile.name)
    take(lab, "both", "of both")
    take(lab, "fragile", "of fragile")
    write(fragile, 2)
    return take(lab, "fragile", "of fragile later")


@pytest.fixture(scope="module")
def package(lab, shots):
    """A small package on storage that is sound."""
    lab.cohort("export", "of fragile", lab.folder / "package")
    return lab.folder / "package"


@pytest.fixture(autouse=True)
def untouched(lab, writer, fragile, shots, faulty):
    """Whatever a test does: the machines are as before and go on, and no job stays open."""
    before = picture(writer, fragile), machines_and_states(lab)
    yield
    faulty.work()
    assert (picture(writer, fragile), machines_and_states(lab)) == before
    assert goes_on(writer)
    assert {name: each["state"] for name, each in snapshots(lab).items()} == {
        "of both": "ready", "of fragile": "ready", "of fragile later": "ready"}
    assert nothing_is_open(lab)


def is_whole(lab, package, *options):
    return lab.cohort("verify", package, *options).json["verify"]["whole"] is True


# The target of an export

@pytest.fixture(scope="module")
def small(lab):
    return SmallFileSystem(lab.folder / "small", 96)


@contextlib.contextmanager
def unmounted(filesystem):
    filesystem.unmount()
    try:
        yield
        assert names_in(filesystem.place) == [], "nothing was written below the mount"
    finally:
        filesystem.mount()


@contextlib.contextmanager
def read_only(filesystem):
    filesystem.remount("ro")
    try:
        yield
    finally:
        filesystem.remount("rw")


@pytest.mark.parametrize("command, point", [("export", "export.begun"), ("export", "export.disks_copied"),
                                            ("export", "export.before_publish"), ("backup", "export.disks_copied")])
@pytest.mark.parametrize("fault, code, words", [(SmallFileSystem.full, "no_space", "make room"),
                                               (unmounted, "io", "unmounted"),
                                               (read_only, "permission", "read-only")],
                         ids=["full", "unmounted", "read-only"])
def test_a_target_that_fails_in_the_middle(lab, small, command, point, fault, code, words):
    target = small.place / "package"
    arguments = ["export", "of both", target] if command == "export" else ["backup", "--full", "fragile", target, *PATIENT]
    program = stopped_at(lab, point, *arguments)
    with fault(small):
        message = goes_on_and_fails(program, code)
        assert words in message and str(target) in message
        assert is_told_as_failed(lab, command, code)
        left = names_in(small.place)
    stays = fault is read_only  # removing is writing
    assert ("Not taken back" in message) == stays == ("package.partial" in left)
    assert "package" not in names_in(small.place)
    succeeds(lab, *arguments, recovers=stays)
    assert is_whole(lab, target)
    shutil.rmtree(target)
    assert names_in(small.place) == ["lost+found"]


@pytest.fixture(scope="module")
def limited(lab):
    return LimitedFolder(lab.folder / "with a quota", 8)


@pytest.mark.parametrize("options", [("--format", "raw"), ("--format", "qcow2"), ("--compress",)],
                         ids=["raw", "qcow2", "compressed"])
def test_a_target_whose_quota_is_used_up(lab, limited, options):
    target = limited.place / "package"
    with limited.limited():
        message = refused(lab, "no_space", "export", "of both", target, *options)
        assert str(limited.place) in message and "quota" in message
        assert names_in(limited.place) == []
    assert is_told_as_failed(lab, "export", "no_space")
    succeeds(lab, "export", "of both", target, *options)
    assert is_whole(lab, target)
    shutil.rmtree(target)


FAULTS = [("write", errno.EIO, "", "io"), ("write", errno.EDQUOT, "", "no_space"),
          ("write", errno.ENOSPC, ".raw", "no_space"), ("fsync", errno.EIO, ".raw", "io"),
          ("fsync", errno.EIO, "cohort.json", "io"), ("write", errno.ENOSPC, ".hashes", "no_space"),
          ("fsync", errno.EIO, ".hashes", "io"),
          ("fsync", errno.EDQUOT, ".qcow2", "no_space"), ("create", errno.ENOSPC, "SHA256SUMS", "no_space"),
          ("fsyncdir", errno.EIO, "Virtual Hard Disks", "io"), ("fsyncdir", errno.EIO, "/parent", "io"),
          ("rename", errno.EIO, "", "io"), ("mkdir", errno.ENOSPC, "", "no_space")]


def name_of_fault(value):
    return errno.errorcode[value] if isinstance(value, int) else str(value).replace(" ", "") or "any"


def faults_in_each_way():
    """Each fault, and those of copying disks in each way in which they are copied."""
    ways = {"plain": (), "compressed": ("--compress",), "unhashed": ("--no-hash",), "difference": ("--since",)}
    for operation, error, name, code in FAULTS:
        for way, options in ways.items():
            is_of_copying = operation in ("write", "fsync") and name != "cohort.json"
            is_there = (way != "unhashed" or name != ".hashes") and (way in ("plain", "unhashed") or name != ".raw")
            if is_there and (is_of_copying or way in ("plain", "compressed")):
                names = [name_of_fault(value) for value in (operation, error, name)]
                yield pytest.param(operation, error, name, code, options, id="-".join([way, *names]))


@pytest.mark.parametrize("operation, error, name, code, options", faults_in_each_way())
def test_a_target_whose_storage_fails(lab, faulty, package, operation, error, name, code, options):
    parent = faulty.place / "parent"
    parent.mkdir()
    since = ("--since", package) if "--since" in options else options
    format = "raw" if name == ".raw" else "qcow2"
    command = ["export", "of fragile later", parent / "package", "--format", format, *since]
    faulty.fail(operation, error, name)
    message = refused(lab, code, *command)
    assert str(parent) in message
    assert is_told_as_failed(lab, "export", code)
    assert names_in(parent) == []
    faulty.work()
    succeeds(lab, *command)
    assert is_whole(lab, parent / "package", *(["--seal"] if "--no-hash" in options else []))
    shutil.rmtree(parent)


def test_a_package_that_can_neither_be_synced_nor_taken_away_is_not_called_complete(lab, faulty):
    parent = faulty.place / "parent"
    parent.mkdir()
    faulty.fail("fsyncdir", errno.EIO, "/parent")
    faulty.fail("rename", errno.EIO, "/package", also=True)
    message = refused(lab, "io", "export", "of fragile", parent / "package")
    assert f'stands there as "{parent / "package"}"' in message and "do not rely on it" in message
    assert is_told_as_failed(lab, "export", "io")
    assert names_in(parent) == ["package"]
    faulty.work()
    shutil.rmtree(parent)


def test_what_cannot_be_removed_is_said_and_removed_later(lab, faulty):
    target = faulty.place / "package"
    faulty.fail(("fsync", "unlink"), errno.EIO)
    message = refused(lab, "io", "export", "of fragile", target)
    assert "Not taken back" in message and f"{target}.partial" in message
    assert not target.exists()
    faulty.work()
    succeeds(lab, "export", "of fragile", target, recovers=True)
    assert is_whole(lab, target)
    shutil.rmtree(target)


def test_a_target_that_does_not_answer_when_it_is_cleaned_is_not_forgotten(lab, faulty):
    """Where a folder cannot be looked at, nobody knows that it is not there."""
    target = faulty.place / "package"
    program = stopped_at(lab, "export.disks_copied", "export", "of fragile", target)
    faulty.fail("getattr", errno.ESTALE, "package.partial")
    assert "Not taken back" in goes_on_and_fails(program, "io")
    faulty.work()
    succeeds(lab, "export", "of fragile", target, recovers=True)
    shutil.rmtree(target)


# What an export reads

@pytest.mark.parametrize("label, start", [("disk0", 0), ("disk0", 384 * 1024), ("disk1", 96 * 1024)])
def test_a_frozen_file_that_cannot_be_read(lab, faulty, fragile, label, start):
    file = fragile.images[label]
    faulty.fail("read", errno.EIO, file.name, start=start)
    message = refused(lab, "io", "export", "of both", lab.folder / "unread")
    assert str(file) in message and "kernel's log" in message
    assert is_told_as_failed(lab, "export", "io")
    assert not [name for name in names_in(lab.folder) if name.startswith("unread")]
    faulty.work()
    succeeds(lab, "export", "of both", lab.folder / "unread")
    assert is_whole(lab, lab.folder / "unread")
    shutil.rmtree(lab.folder / "unread")


@contextlib.contextmanager
def cut_off(path, length):
    """The file ends early meanwhile, and is as it was afterwards."""
    was, data = os.stat(path), path.read_bytes()
    os.truncate(path, length)
    try:
        yield
    finally:
        with open(path, "r+b") as file:
            file.write(data)
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


@pytest.mark.parametrize("label", ["disk0", "disk1"])
@pytest.mark.parametrize("point", [None, "export.begun"], ids=["before", "meanwhile"])
def test_a_frozen_file_that_was_cut_off(lab, fragile, label, point):
    file, target = fragile.images[label], lab.folder / "cut"
    command = ("export", "of both", target)
    program = stopped_at(lab, point, *command) if point else None
    with cut_off(file, 100 * 1024):
        message = goes_on_and_fails(program, "corrupt") if point else refused(lab, "corrupt", *command)
        assert str(file) in message
    assert not [name for name in names_in(lab.folder) if name.startswith("cut")]
    succeeds(lab, *command)
    assert is_whole(lab, target)
    shutil.rmtree(target)


# Verifying

@pytest.fixture
def frail(faulty, package):
    """The package where reading can fail."""
    place = faulty.place / "frail"
    shutil.copytree(package, place)
    yield place
    faulty.work()
    shutil.rmtree(place)


@pytest.mark.parametrize("file, start", [("vda", 0), ("vda", 128 * 1024), ("vdb", 0), ("SHA256SUMS", 0)])
def test_what_cannot_be_read_is_neither_called_whole_nor_damaged(lab, faulty, frail, fragile, file, start):
    path = disk_in(frail, fragile.name, file) if file.startswith("vd") else frail / file
    faulty.fail("read", errno.EIO, path.name, start=start)
    ran = lab.cohort("verify", frail, check=False)
    assert ran.rc == 11
    found = ran.json["verify"]
    assert found["whole"] is False
    named = {(each["file"], each["kind"]) for each in found["problems"]}
    assert named == {(str(path.relative_to(frail)), "unreadable")}
    assert all("Input/output error" in each["message"] for each in found["problems"])
    assert is_told_as_failed(lab, "verify", "io")
    assert "CANNOT be read" in lab.cohort("verify", frail, check=False, json=False).out
    faulty.work()
    assert is_whole(lab, frail)


@pytest.mark.parametrize("operation, name", [("read", "cohort.json"), ("open", "cohort.json"), ("readdir", "frail")])
def test_a_package_that_cannot_be_looked_at(lab, faulty, frail, operation, name):
    faulty.fail(operation, errno.EIO, name)
    assert name in refused(lab, "io", "verify", frail)
    assert is_told_as_failed(lab, "verify", "io")


# Importing

@pytest.fixture
def importing(lab, writer, fragile):
    """Runs an import that must succeed, and removes what it made."""
    def run(package, storage, machines=1, **how):
        succeeds(lab, *command_for(package, storage), **how)
        made = [domain for domain in lab.connection.listAllDomains() if domain.name().startswith(COPY)]
        assert len(made) == machines
        for domain in made:
            remove_domain(domain)
        for path in storage.iterdir():
            if path.is_file():
                path.unlink()
    return run


def command_for(package, storage):
    return "import", package, "--name-prefix", COPY, "--storage", storage


def test_a_storage_folder_that_fills_up(lab, small, package, importing):
    program = stopped_at(lab, "import.before_copy", *command_for(package, small.place))
    with small.full():
        message = goes_on_and_fails(program, "no_space")
        assert str(small.place) in message and "make room" in message
        assert names_in(small.place) == ["filler", "lost+found"]
    assert is_told_as_failed(lab, "import", "no_space")
    importing(package, small.place)


def test_a_storage_folder_whose_quota_is_used_up(lab, limited, importing, shots):
    package = lab.folder / "package of both"
    lab.cohort("export", "of both", package, "--format", "raw")
    with limited.limited():
        message = refused(lab, "no_space", *command_for(package, limited.place))
        assert str(limited.place) in message and "quota" in message
        assert names_in(limited.place) == []
    assert is_told_as_failed(lab, "import", "no_space")
    importing(package, limited.place, machines=2)


def test_a_storage_folder_that_becomes_read_only(lab, small, package, importing):
    program = stopped_at(lab, "import.before_copy", *command_for(package, small.place))
    with read_only(small):
        assert str(small.place) in goes_on_and_fails(program, "permission")
        assert names_in(small.place) == ["lost+found"]
        refused(lab, "permission", *command_for(package, small.place))
    importing(package, small.place)


@pytest.mark.parametrize("operation, error, code", [("write", errno.EIO, "io"), ("write", errno.EDQUOT, "no_space"),
                                                    ("fsync", errno.EIO, "io"), ("fsyncdir", errno.EIO, "io")],
                         ids=name_of_fault)
def test_a_storage_folder_that_fails(lab, faulty, package, importing, operation, error, code):
    storage = faulty.place / "storage"
    storage.mkdir()
    faulty.fail(operation, error)
    assert str(storage) in refused(lab, code, *command_for(package, storage))
    assert is_told_as_failed(lab, "import", code)
    assert names_in(storage) == []
    faulty.work()
    importing(package, storage)
    storage.rmdir()


@pytest.mark.parametrize("point", [None, "import.before_copy"], ids=["before", "meanwhile"])
def test_a_package_that_cannot_be_read_makes_no_machine(lab, faulty, frail, fragile, importing, point):
    storage = lab.new_folder(f"storage {point}")
    image = disk_in(frail, fragile.name, "vdb")
    program = stopped_at(lab, point, *command_for(frail, storage)) if point else None
    faulty.fail("read", errno.EIO, image.name)
    message = goes_on_and_fails(program, "io") if point else refused(lab, "io", *command_for(frail, storage))
    assert image.name in message and "kernel's log" in message
    assert is_told_as_failed(lab, "import", "io")
    assert names_in(storage) == []
    faulty.work()
    importing(frail, storage)


@pytest.mark.parametrize("target", ["vda", "vdb"])
def test_a_package_that_is_cut_off_while_it_is_imported_makes_no_machine(lab, frail, fragile, importing, target):
    storage = lab.new_folder(f"storage {target}")
    image = disk_in(frail, fragile.name, target)
    program = stopped_at(lab, "import.before_copy", *command_for(frail, storage))
    with cut_off(image, 100 * 1024):
        assert image.name in goes_on_and_fails(program, "corrupt")
        assert names_in(storage) == []
    importing(frail, storage)
