"""The state on storage that is full or fails: machines go on, what was begun is taken back, and later all works."""

import contextlib
import errno
import shutil

import pytest

from fault_steps import goes_on_and_fails, goes_on_to_end, is_told_as_failed, nothing_is_open, stopped_at, succeeds
from harness import Disk, Lab, SmallFileSystem
from harness.faulty_files import FaultyFiles
from harness.images import MIB
from harness.lab import NAME_PREFIX, remove_domain
from harness.stopping import run_on
from package_steps import SLOW, ended, goes_on, machines_and_states, names_in, refused, running_job
from world import PATIENT, bare_machine, overlays, picture, snapshots

COPY = NAME_PREFIX + "faults state copy "
TAKE = ("snapshot", "take", "both", "--name", "shot", *PATIENT)
DELETE = ("snapshot", "delete", "shot")


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.prefixes.append(COPY)
        yield opened


@pytest.fixture(scope="module")
def small(lab):
    """The state's file system."""
    filesystem = SmallFileSystem(lab.folder / "small", 32)
    lab.state = filesystem.place / "state"
    return filesystem


@pytest.fixture(scope="module")
def writer(lab):
    guest = lab.guest("faults state", role="writer", firmware="uefi", disks=[Disk(size=16 * MIB)])
    guest.start().wait_ready(timeout=400)
    guest.wait_token(above=2, timeout=200)
    return guest


@pytest.fixture(scope="module")
def off(lab):
    return bare_machine(lab, "faults state off", ["qcow2", "raw"])


@pytest.fixture(scope="module")
def package(lab, small, writer, off):
    """The collections, and a package of the machine that is off."""
    lab.cohort("collection", "create", "both", writer.name, off.name)
    lab.cohort("collection", "create", "off", off.name)
    lab.cohort("backup", "--full", "off", lab.folder / "package", *PATIENT)
    return lab.folder / "package"


@pytest.fixture(autouse=True)
def untouched(lab, writer, off, package):
    """Whatever a test does: the machines are as before and go on, no snapshot is left, and no job stays open."""
    before = picture(writer, off), machines_and_states(lab)
    yield
    assert (picture(writer, off), machines_and_states(lab)) == before
    assert not list(lab.folder.glob("*.partial"))
    assert goes_on(writer)
    assert snapshots(lab) == {}
    assert not any((lab.state / "snapshots").glob("*"))
    assert nothing_is_open(lab)


def is_whole(lab, package):
    return lab.cohort("verify", package).json["verify"]["whole"] is True


# A full file system

@pytest.mark.parametrize("point", ["take.planned", "fence.intent", "fence.suspended", "take.captured"])
def test_a_snapshot_is_taken_back_while_the_state_is_full(lab, small, writer, off, point):
    before = picture(writer, off)
    program = stopped_at(lab, point, *TAKE)
    with small.full():
        message = goes_on_and_fails(program, "no_space")
        assert str(lab.state) in message and "Not taken back" not in message
        assert picture(writer, off) == before
        assert goes_on(writer)
        # Looking works, and tells the truth.
        assert snapshots(lab) == {}
        assert is_told_as_failed(lab, "take_snapshot", "no_space")
        # Nothing is begun.
        assert "make room" in refused(lab, "no_space", *TAKE)
    succeeds(lab, *TAKE)
    succeeds(lab, *DELETE)


def test_without_any_room_members_run_and_the_next_command_takes_back(lab, small, writer, off):
    """Somebody has even removed what is kept for it."""
    program = stopped_at(lab, "take.captured", *TAKE)
    (lab.state / "cohort.db.reserve").unlink()
    with small.full():
        message = goes_on_and_fails(program, "no_space")
        assert "Not taken back" in message and str(lab.state) in message
        assert overlays(writer) and writer.state() == "running"
        assert goes_on(writer)
    succeeds(lab, "collection", "create", "later", recovers=True)
    succeeds(lab, "collection", "delete", "later")


@pytest.mark.parametrize("point", [None, "merge.before_pivot", "delete.merged"])
def test_a_snapshot_can_be_deleted_while_the_state_is_full(lab, small, writer, off, point):
    """It is how room is made where the disks lie beside the state."""
    before = picture(writer, off)
    succeeds(lab, *TAKE)
    program = stopped_at(lab, point, *DELETE) if point else None
    with small.full():
        ran = goes_on_to_end(program) if point else lab.cohort(*DELETE)
        assert ran.rc == 0 and "recovery" not in ran.json, ran
        assert picture(writer, off) == before
        assert lab.cohort("job", "list").json["jobs"][0]["state"] == "completed"


@pytest.mark.parametrize("point", ["export.begun", "export.published"])
def test_a_backup_ends_while_the_state_is_full(lab, small, writer, off, point):
    before = picture(writer, off)
    target = lab.folder / "target"
    program = stopped_at(lab, point, "backup", "--full", "off", target, *PATIENT)
    with small.full():
        ran = goes_on_to_end(program)
        assert ran.rc == 0, ran
        assert picture(writer, off) == before
        assert is_whole(lab, target)
    shutil.rmtree(target)


@pytest.mark.parametrize("point", ["import.before_copy", "import.before_define"])
def test_an_import_ends_well_or_leaves_nothing_while_the_state_is_full(lab, small, package, point):
    before, storage = machines_and_states(lab), lab.new_folder("storage")
    command = ("import", package, "--name-prefix", COPY, "--storage", storage)
    program = stopped_at(lab, point, *command)
    with small.full():
        out, err = run_on(program)
        assert (program.returncode == 0) == (machines_and_states(lab) != before) == bool(names_in(storage)), out + err
        assert program.returncode in (0, 10), out + err
    if program.returncode != 0:
        succeeds(lab, *command)
    for domain in lab.connection.listAllDomains():
        if domain.name().startswith(COPY):
            remove_domain(domain)
    shutil.rmtree(storage)


def test_a_package_can_be_verified_while_the_state_is_full(lab, small, package):
    with small.full():
        assert is_whole(lab, package)


def test_a_job_can_be_cancelled_while_the_state_is_full(lab, small, writer, off):
    succeeds(lab, *TAKE)
    target = lab.folder / "cancelled"
    program = lab.cohort_start("export", "shot", target, *SLOW)
    job = running_job(lab, "export")
    with small.full():
        lab.cohort("job", "cancel", job["id"])
        status, out, err = ended(program)
        assert status == 130, out + err
        assert lab.cohort("job", "show", job["id"]).json["job"]["state"] == "cancelled"
        succeeds(lab, *DELETE)


def test_a_state_that_cannot_be_begun_is_named(lab, small):
    usual = lab.state
    lab.state = small.place / "another"
    try:
        with small.full():
            assert str(lab.state) in refused(lab, "no_space", "collection", "create", "mine")
        lab.cohort("collection", "create", "mine")
    finally:
        shutil.rmtree(lab.state)
        lab.state = usual


# A file system that can be read only

def test_a_state_that_is_read_only_is_named(lab, small, writer, off):
    small.remount("ro")
    try:
        for command in (TAKE, ("backup", "--full", "off", lab.folder / "never", *PATIENT), DELETE, ("job", "list")):
            message = refused(lab, "permission", *command)
            assert str(lab.state) in message and "read-only" in message
        assert overlays(writer, off) == []
    finally:
        small.remount("rw")


@pytest.mark.parametrize("point", ["take.planned", "fence.suspended", "take.captured"])
def test_a_state_whose_file_system_stops_is_recovered_when_it_is_mended(lab, small, writer, off, point):
    """As the kernel does it after an error of the disk: nothing can be written from then on."""
    program = stopped_at(lab, point, *TAKE)
    with contextlib.suppress(RuntimeError):
        small.remount("abort")
    out, err = run_on(program)
    assert program.returncode in (9, 11), out + err
    assert str(lab.state) in out
    writer.wait_state("running")
    assert goes_on(writer)
    small.repair()
    succeeds(lab, "collection", "create", "later", recovers=True)
    succeeds(lab, "collection", "delete", "later")


# Storage that fails

@pytest.fixture(scope="module")
def faulty(lab):
    return FaultyFiles(lab.folder / "faulty files")


@pytest.fixture
def failing_state(lab, faulty, writer, off):
    usual = lab.state
    lab.state = faulty.place / "state"
    lab.cohort("collection", "create", "both", writer.name, off.name)
    yield faulty
    faulty.work()
    shutil.rmtree(lab.state)
    lab.state = usual


@pytest.mark.parametrize("operation", ["write", "fsync"])
@pytest.mark.parametrize("point", ["fence.intent", "take.captured"])
def test_a_state_file_that_cannot_be_written(lab, failing_state, writer, off, operation, point):
    program = stopped_at(lab, point, *TAKE)
    failing_state.fail(operation, errno.EIO)
    message = goes_on_and_fails(program, "io")
    assert str(lab.state) in message
    assert writer.state() == "running"
    assert goes_on(writer)
    failing_state.work()
    succeeds(lab, "collection", "create", "later", recovers=True)
    assert snapshots(lab) == {} and nothing_is_open(lab)


def test_a_state_file_that_cannot_be_read(lab, failing_state, writer, off):
    failing_state.fail("read", errno.EIO, "cohort.db")
    for command in (TAKE, ("job", "list")):
        message = refused(lab, "io", *command)
        assert str(lab.state) in message and "kernel's log" in message
    failing_state.work()
    succeeds(lab, *TAKE)
    succeeds(lab, *DELETE)
