"""Storage that fails under the machines' disks while a snapshot is taken or deleted: the machines go on as before."""

import errno

import pytest

from fault_steps import goes_on_and_fails, is_told_as_failed, nothing_is_open, stopped_at, succeeds
from harness import Disk, SmallFileSystem, inspect
from harness.faulty_files import FaultyFiles
from harness.images import MIB, run
from package_steps import goes_on, refused
from world import PATIENT, bare_machine, content, format_of, overlays, picture, snapshots, take, write


@pytest.fixture(scope="module")
def faulty(lab):
    return FaultyFiles(lab.folder / "faulty files")


@pytest.fixture(scope="module")
def disks(lab):
    return SmallFileSystem(lab.folder / "disks", 160)


@pytest.fixture(scope="module")
def base(lab):
    return SmallFileSystem(lab.folder / "base", 48)


def lies_on(guest, label, place):
    """Moves the file of a disk to another file system, without a change of its name."""
    path = guest.images[label]
    there = place / path.name
    run("cp", "--sparse=always", path, there)
    path.write_bytes(b"")
    run("mount", "--bind", there, path)


@pytest.fixture(scope="module")
def writer(lab, disks, base, faulty):
    """It runs. Its own disks need no more room; the others, which lie elsewhere, grow as it writes to them."""
    raw = Disk("raw", size=16 * MIB)
    guest = lab.guest("faults disks", role="writer", interval_ms=100, boot=Disk("raw"), folder="disks/guest",
                      disks=[raw, Disk(name="full", size=16 * MIB), Disk(name="failing", size=16 * MIB)])
    for label in ("boot", "data"):
        run("fallocate", "--length", str(guest.images[label].stat().st_size), guest.images[label])
    lies_on(guest, "data2", base.place)
    lies_on(guest, "data3", faulty.place)
    guest.start().wait_ready(timeout=400)
    guest.wait_token(above=2, timeout=200)
    lab.cohort("collection", "create", "writer", guest.name)
    return guest


@pytest.fixture
def untouched(lab, writer):
    """Whatever a test does: the machine is as before and goes on, its disks in step, and no job stays open."""
    before = picture(writer)
    yield
    assert picture(writer) == before
    assert goes_on(writer)
    assert snapshots(lab) == {}
    assert nothing_is_open(lab)


def delete(lab, name="shot", **how):
    succeeds(lab, "snapshot", "delete", name, **how)


# Deleting, the machine runs

def has_grown(writer, path):
    """The overlay holds what its base has no place for yet: the guest's journal has not been everywhere before.

    So this comes first, with few tokens written.
    """
    writer.wait_token(above=max(writer.tokens_seen()) + 40, timeout=200)
    return path.stat().st_blocks * 512 > MIB // 2


def overlay_of(writer, target):
    return writer.disk_paths()[target]


def test_a_base_that_fills_up_while_the_machine_writes(lab, writer, base, untouched):
    take(lab, "writer", "shot")
    assert has_grown(writer, overlay_of(writer, "vdc"))
    with base.full():
        message = refused(lab, "no_space", "snapshot", "delete", "shot")
        assert str(writer.images["data2"]) in message and "make room" in message and "goes on" in message
        assert is_told_as_failed(lab, "delete_snapshot", "no_space")
        assert snapshots(lab)["shot"]["state"] == "deleting"
        assert overlay_of(writer, "vdc") != writer.images["data2"]
        # The others are on their own files again, so one is less to worry about.
        assert overlay_of(writer, "vdb") == writer.images["data"]
        assert goes_on(writer)
        refused(lab, "no_space", "snapshot", "delete", "shot")
    delete(lab)


def test_a_base_that_cannot_be_written_while_the_machine_writes(lab, writer, faulty, untouched):
    take(lab, "writer", "shot")
    assert has_grown(writer, overlay_of(writer, "vdd"))
    faulty.fail("write", errno.EIO, "failing.qcow2")
    message = refused(lab, "hypervisor", "snapshot", "delete", "shot")
    assert str(writer.images["data3"]) in message and "goes on" in message
    assert overlay_of(writer, "vdd") != writer.images["data3"]
    assert goes_on(writer)
    faulty.work()
    delete(lab)


# Taking

@pytest.mark.parametrize("point", ["take.planned", "take.overlay_created"])
def test_a_file_system_that_fills_up_while_overlays_are_made(lab, writer, disks, untouched, point):
    command = ("snapshot", "take", "writer", "--name", "shot", *PATIENT)
    program = stopped_at(lab, point, *command)
    with disks.full():
        message = goes_on_and_fails(program, "no_space")
        assert ".cohort-" in message and "make room" in message
        assert overlays(writer) == []
        assert goes_on(writer)
    assert is_told_as_failed(lab, "take_snapshot", "no_space")
    succeeds(lab, *command)
    delete(lab)


def test_a_full_file_system_is_noticed_before_anything_is_made(lab, writer, disks, untouched):
    with disks.full():
        changed = writer.folder.stat().st_mtime_ns
        assert str(writer.folder) in refused(lab, "no_space", "snapshot", "take", "writer", *PATIENT)
        assert writer.folder.stat().st_mtime_ns == changed
        assert goes_on(writer)


@pytest.fixture(scope="module")
def fragile(lab, faulty):
    """A machine that is off, with its disks where the storage can fail."""
    guest = bare_machine(lab, "faults failing", ["qcow2", "raw"], f"{faulty.place.name}/fragile")
    lab.cohort("collection", "create", "fragile", guest.name)
    return guest


@pytest.mark.parametrize("operation, error, code", [("create", errno.EIO, "io"), ("create", errno.EDQUOT, "no_space"),
                                                    ("write", errno.EIO, "io"), ("write", errno.EDQUOT, "no_space"),
                                                    ("fsync", errno.EIO, "io"), ("fsyncdir", errno.EIO, "io")])
def test_an_overlay_that_cannot_be_made(lab, faulty, fragile, operation, error, code):
    before = picture(fragile)
    command = ("snapshot", "take", "fragile", "--name", "shot")
    faulty.fail(operation, error, "/fragile" if operation == "fsyncdir" else "/fragile/*")
    assert str(fragile.folder) in refused(lab, code, *command)
    faulty.work()
    assert is_told_as_failed(lab, "take_snapshot", code)
    assert overlays(fragile) == []
    succeeds(lab, *command)
    delete(lab)
    assert picture(fragile) == before and nothing_is_open(lab)


def test_nothing_that_the_machine_wrote_was_lost_by_it(lab, writer):
    """After the tests above: all that was acknowledged is on all disks."""
    seen = goes_on(writer)
    writer.destroy()
    tokens = [inspect.tokens(path) for path in writer.data_paths()]
    writer.start().wait_ready(timeout=400)
    assert tokens[0][-1].number >= seen
    assert inspect.token_faults(tokens) == []


# Deleting, the machine is off

def holds(lab, guest, numbers):
    for path in guest.images.values():
        data = content(lab, path, format_of(path))
        assert data[:65536] == bytes([numbers[-1]]) * 65536
        assert all(data[number * 65536:(number + 1) * 65536] == bytes([number]) * 65536 for number in numbers)
    return True


def test_a_base_that_fills_up_while_the_machine_is_off(lab, disks):
    guest = bare_machine(lab, "faults off", ["qcow2", "raw"], "disks/off")
    lab.cohort("collection", "create", "off", guest.name)
    write(guest, 1)
    before = picture(guest)
    take(lab, "off", "shot")
    write(guest, 2)
    with disks.full():
        message = refused(lab, "no_space", "snapshot", "delete", "shot")
        assert str(guest.folder) in message and "make room" in message and "goes on" in message
        assert is_told_as_failed(lab, "delete_snapshot", "no_space")
    delete(lab)
    assert picture(guest) == before and holds(lab, guest, [1, 2]) and nothing_is_open(lab)


@pytest.mark.parametrize("operation, name, error, code", [
    ("write", "disk0.qcow2", errno.EIO, "io"), ("write", "disk1.raw", errno.EIO, "io"),
    ("write", "disk1.raw", errno.EDQUOT, "no_space"), ("fsync", "disk0.qcow2", errno.EIO, "io"),
    ("fsync", "disk1.raw", errno.EIO, "io"), ("unlink", "/fragile/*", errno.EIO, "io"),
    ("unlink", "/fragile/*", errno.EROFS, "permission"),
    ("fsyncdir", "/fragile", errno.EIO, "io")])
def test_a_base_whose_storage_fails(lab, faulty, fragile, operation, name, error, code):
    before = picture(fragile)
    write(fragile, 1)
    take(lab, "fragile", "shot")
    write(fragile, 2)
    faulty.fail(operation, error, name)
    message = refused(lab, code, "snapshot", "delete", "shot")
    assert str(fragile.folder) in message and "goes on" in message
    assert is_told_as_failed(lab, "delete_snapshot", code)
    assert snapshots(lab)["shot"]["state"] == "deleting"
    faulty.work()
    delete(lab)
    assert picture(fragile) == before and holds(lab, fragile, [1, 2]) and nothing_is_open(lab)


def test_an_overlay_that_cannot_be_read(lab, faulty, fragile):
    before = picture(fragile)
    write(fragile, 1)
    take(lab, "fragile", "shot")
    write(fragile, 2)
    faulty.fail("read", errno.EIO, fragile.disk_paths()["vda"].name, start=384 * 1024)
    assert "kernel's log" in refused(lab, "io", "snapshot", "delete", "shot")
    faulty.work()
    delete(lab)
    assert picture(fragile) == before and holds(lab, fragile, [1, 2]) and nothing_is_open(lab)
