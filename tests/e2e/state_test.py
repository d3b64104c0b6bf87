"""The state: one writer at a time, never recreated when it is damaged; the hypervisor it belongs to."""

import contextlib
import signal
import sqlite3

import pytest

from package_steps import SLOW, ended, names_in, refused, running_job, sha256
from world import bare_machine, take

TEST_DRIVER = ("--connect", "test:///default")


@contextlib.contextmanager
def other_state(lab, name):
    """The lab's commands use this state meanwhile."""
    usual, lab.state = lab.state, lab.folder / name
    try:
        yield lab.state
    finally:
        lab.state = usual


def machine_names(lab):
    return {domain.name() for domain in lab.connection.listAllDomains() if lab.owns(domain)}


# One process at a time

def test_a_second_process_is_told_who_holds_the_state_and_can_look(lab):
    guest = lab.guest("still")
    lab.cohort("collection", "create", "still", guest.name)
    take(lab, "still", "still")
    program = lab.cohort_start("export", "still", lab.folder / "held", *SLOW)
    running_job(lab, "export")
    for command in (("collection", "create", "more", guest.name), ("collection", "rename", "still", "moved"),
                    ("snapshot", "take", "still"), ("snapshot", "delete", "still"),
                    ("export", "still", lab.folder / "second"), ("backup", "--full", "still", lab.folder / "second")):
        assert f"process {program.pid} " in refused(lab, "in_use", *command)
    assert [each["name"] for each in lab.cohort("collection", "list").json["collections"]] == ["still"]
    assert lab.cohort("snapshot", "show", "still").json["snapshot"]["state"] == "ready"
    assert lab.cohort("vm", "list").json["machines"]
    assert program.poll() is None
    program.send_signal(signal.SIGINT)
    assert ended(program)[0] == 130
    assert not [name for name in names_in(lab.folder) if name.startswith(("held", "second"))]
    lab.cohort("collection", "create", "more", guest.name)
    lab.cohort("snapshot", "delete", "still")


def test_a_package_can_be_verified_while_the_state_is_held(lab):
    guest = lab.guest("still too")
    lab.cohort("collection", "create", "still too", guest.name)
    take(lab, "still too", "still too")
    target = lab.folder / "to verify"
    lab.cohort("export", "still too", target, "--no-storage")
    program = lab.cohort_start("export", "still too", lab.folder / "held too", *SLOW)
    running_job(lab, "export")
    assert lab.cohort("verify", target).json["verify"]["whole"] is True
    assert program.poll() is None
    program.send_signal(signal.SIGINT)
    assert ended(program)[0] == 130


def test_a_process_that_was_killed_holds_nothing(lab):
    guest = lab.guest("killed")
    lab.cohort("collection", "create", "killed", guest.name)
    take(lab, "killed", "killed")
    target = lab.folder / "killed package"
    program = lab.cohort_start("export", "killed", target, *SLOW)
    job = running_job(lab, "export")
    program.kill()
    program.wait(timeout=60)
    ran = lab.cohort("export", "killed", target)
    assert ran.json["recovery"]["actions"] and not ran.json["recovery"]["failures"]
    assert (target / "cohort.json").exists()
    assert lab.cohort("job", "show", job["id"]).json["job"]["state"] == "failed"


# What is in the folder

def test_two_states_know_nothing_of_each_other(lab):
    machine = bare_machine(lab, "two states")
    with other_state(lab, "state one"):
        lab.cohort("collection", "create", "shop", machine.name)
    with other_state(lab, "state two"):
        assert lab.cohort("collection", "list").json["collections"] == []
        lab.cohort("collection", "create", "shop", machine.name)
        lab.cohort("collection", "delete", "shop")
    with other_state(lab, "state one"):
        assert [each["name"] for each in lab.cohort("collection", "list").json["collections"]] == ["shop"]


def test_only_the_owner_can_look_into_the_state(lab):
    with other_state(lab, "private") as state:
        lab.cohort("collection", "create", "empty")
        assert state.stat().st_mode & 0o777 == 0o711
        assert {path.name: path.stat().st_mode & 0o777 for path in state.iterdir() if path.is_file()} == {
            name: 0o600 for name in names_in(state)}


# A state that this version cannot use

@pytest.fixture
def used_state(lab, request):
    """A state with a collection in it, and no process that uses it."""
    with other_state(lab, f"used {request.node.name[:60]}") as state:
        lab.cohort("collection", "create", "kept")
        yield state


LOOKING = ("collection", "list")
CHANGING = ("collection", "create", "another")


def stays_refused(lab, state, code):
    """Looking and changing are refused alike, and the file stays as it is; returns what is said."""
    before = sha256(state / "cohort.db")
    said = [refused(lab, code, *command) for command in (LOOKING, CHANGING, LOOKING)]
    assert sha256(state / "cohort.db") == before
    assert all(str(state / "cohort.db") in message for message in said)
    return said


def test_a_newer_schema_is_refused(lab, used_state):
    with contextlib.closing(sqlite3.connect(used_state / "cohort.db")) as database:
        database.execute("PRAGMA user_version = 999")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    said = stays_refused(lab, used_state, "unsupported")
    assert all("999" in message and "newer" in message for message in said)
    with contextlib.closing(sqlite3.connect(used_state / "cohort.db")) as database:
        assert database.execute("SELECT name FROM collection").fetchall() == [("kept",)]


def test_an_empty_file_is_damage_and_not_a_new_state(lab, used_state):
    (used_state / "cohort.db").write_bytes(b"")
    stays_refused(lab, used_state, "corrupt")


def test_a_file_that_is_no_database_is_damage(lab, used_state):
    (used_state / "cohort.db").write_bytes(b"This was a state once." * 1000)
    stays_refused(lab, used_state, "corrupt")


def test_another_programs_database_is_damage(lab, used_state):
    (used_state / "cohort.db").unlink()
    with contextlib.closing(sqlite3.connect(used_state / "cohort.db")) as database:
        database.execute("CREATE TABLE mine (x)")
        database.commit()
    stays_refused(lab, used_state, "corrupt")


def test_a_truncated_file_is_reported_before_anything_is_changed(lab, used_state):
    path = used_state / "cohort.db"
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    before = sha256(path)
    assert str(path) in refused(lab, "corrupt", *CHANGING)
    assert sha256(path) == before


def test_overwritten_pages_are_reported_before_anything_is_changed(lab, used_state):
    path = used_state / "cohort.db"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    before = sha256(path)
    assert str(path) in refused(lab, "corrupt", *CHANGING)
    assert sha256(path) == before


def test_a_state_that_cannot_be_made_is_named(lab):
    (lab.folder / "a file").write_text("mine")
    with other_state(lab, "a file") as state:
        ran = lab.cohort(*CHANGING, check=False)
        assert ran.rc != 0 and str(state) in ran.json["error"]["message"]
    assert (lab.folder / "a file").read_text() == "mine"


# Hypervisors

def test_the_test_driver_works_as_far_as_it_can(lab):
    with other_state(lab, "test driver"):
        machines = lab.cohort(*TEST_DRIVER, "vm", "list").json["machines"]
        assert [(each["name"], each["power"]) for each in machines] == [("test", "running")]
        lab.cohort(*TEST_DRIVER, "collection", "create", "shop", "test")
        shown = lab.cohort(*TEST_DRIVER, "collection", "show", "shop").json["collection"]
        assert [(each["name"], each["missing"]) for each in shown["machines"]] == [("test", False)]
        checked = lab.cohort(*TEST_DRIVER, "host", "check", check=False)
        assert checked.rc == 7
        assert checked.json["host"]["usable"] is False and checked.json["host"]["can_snapshot"] is False
        for command in (("snapshot", "take", "shop"), ("snapshot", "take", "shop", "--dry-run"),
                        ("backup", "shop", lab.folder / "never"), ("backup", "shop", lab.folder / "never", "--dry-run")):
            assert "QEMU" in refused(lab, "unsupported", *TEST_DRIVER, *command)
        assert lab.cohort(*TEST_DRIVER, "snapshot", "list").json["snapshots"] == []
    assert not (lab.folder / "never").exists() and not (lab.folder / "never.partial").exists()


def test_a_state_belongs_to_its_hypervisor(lab):
    with other_state(lab, "of the test driver") as state:
        lab.cohort(*TEST_DRIVER, "collection", "create", "shop", "test")
        before = sha256(state / "cohort.db")
        for command in (LOOKING, CHANGING):
            assert "test:///default" in refused(lab, "invalid_argument", *command)
        assert sha256(state / "cohort.db") == before


@pytest.mark.parametrize("uri, code", [("qemu:///nonexistent", "hypervisor"), ("nonsense:///", "invalid_argument")])
def test_a_hypervisor_that_cannot_be_reached_is_named(lab, uri, code):
    with other_state(lab, f"of {uri.replace('/', '')}"):
        for command in (("vm", "list"), ("collection", "create", "shop", "db")):
            assert uri in refused(lab, code, "--connect", uri, *command)
        checked = lab.cohort("--connect", uri, "host", "check", check=False)
        assert checked.rc == 7 and checked.json["host"]["usable"] is False
        assert any(uri in item["message"] for item in checked.json["host"]["items"] if item["finding"] == "bad")
