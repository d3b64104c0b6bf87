"""The guard: machines run again although the program dies, stops or hangs inside the fence."""

import signal
import time
from pathlib import Path

import pytest

from harness import Lab, wait_until
from witness import Witness
from world import PATIENT, error_of, overlays, picture, snapshots

BUSY_HOST_S = 10  # beyond the deadline, for a host that has no processor to spare
DEADLINE_S = 5
LONG_DEADLINE_S = 30  # of a program that is killed: long, so that it cannot be what lets the machines run

PLACES = ("fence.suspended", "fence.captured")


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.running = [opened.guest(name, role="writer") for name in ("guarded 1", "guarded ü")]
        opened.paused = opened.guest("paused by its user", role="writer")
        opened.all = [*opened.running, opened.paused]
        for guest in opened.all:
            guest.start()
        for guest in opened.all:
            guest.wait_ready(600)
            guest.wait_token(timeout=600)
        opened.paused.pause()
        opened.cohort("collection", "create", "guarded", *[guest.name for guest in opened.all])
        yield opened


def begin(lab, fate, place, deadline_s):
    return lab.cohort_start("snapshot", "take", "guarded", "--name", "doomed", "--deadline", deadline_s * 1000,
                            env={f"COHORT_{fate}_AT": place})


def is_stopped(program):
    """Whether the process stands still by SIGSTOP."""
    return Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def end(program):
    program.kill()
    program.wait()


def wait_until_all_run(lab, witness):
    """Waits until each member that ran stood still and was resumed; returns both times by QEMU's clock."""
    return [witness.wait_pause(guest) for guest in lab.running]


def check_world_inside(lab, place, before):
    """The program was caught where the test means it to be: before or after the disks were switched."""
    if place == "fence.captured":
        assert len(overlays(*lab.all)) == 6
        assert all(path.name.count(".cohort-") for guest in lab.all for path in guest.disk_paths().values())
    else:
        after = picture(*lab.all)
        assert all(after[name]["live"] == before[name]["live"] for name in before)


def check_recovery(ran):
    """The command has found what the dead one left, taken it back, and says so."""
    assert ran.json["recovery"]["failures"] == []
    assert any("taken back" in action for action in ran.json["recovery"]["actions"]), ran.json


def check_as_before(lab, witness, before):
    assert picture(*lab.all) == before
    assert overlays(*lab.all) == []
    assert snapshots(lab) == {}
    assert witness.of(lab.paused) == []
    for guest in lab.running:
        guest.wait_token(above=guest.tokens_seen()[-1], timeout=120)


def check_recovered_by_any_change(lab):
    check_recovery(lab.cohort("collection", "create", "after"))
    lab.cohort("collection", "delete", "after")


def check_the_same_again_succeeds(lab):
    """At once: the guard of the dead process may still be at work, and must not break the new fence."""
    ran = lab.cohort("snapshot", "take", "guarded", "--name", "doomed", *PATIENT)
    check_recovery(ran)
    assert ran.json["snapshot"]["state"] == "ready" and ran.json["snapshot"]["fence"]["proven"]
    assert list(snapshots(lab)) == ["doomed"] and len(overlays(*lab.all)) == 6
    lab.cohort("snapshot", "delete", "doomed")


@pytest.mark.parametrize("place", PLACES)
def test_killed_in_the_fence(lab, place):
    before = picture(*lab.all)
    with Witness() as witness:
        program = begin(lab, "KILL", place, LONG_DEADLINE_S)
        assert program.wait(timeout=120) == -signal.SIGKILL
        died = time.time()
        # It is the death that lets them run; the deadline is far away.
        for _stopped, resumed in wait_until_all_run(lab, witness):
            assert resumed - died < BUSY_HOST_S
        check_world_inside(lab, place, before)
        check_the_same_again_succeeds(lab)
        check_as_before(lab, witness, before)


@pytest.mark.parametrize("fate", ["STOP", "HANG"])
@pytest.mark.parametrize("place", PLACES)
def test_standing_still_in_the_fence(lab, fate, place):
    before = picture(*lab.all)
    with Witness() as witness:
        program = begin(lab, fate, place, DEADLINE_S)
        for stopped, resumed in wait_until_all_run(lab, witness):
            assert resumed - stopped < DEADLINE_S + BUSY_HOST_S
        assert program.poll() is None  # it is still in there
        assert is_stopped(program) == (fate == "STOP")
        for guest in lab.running:
            guest.wait_state("running")
        check_world_inside(lab, place, before)
        end(program)
        check_recovered_by_any_change(lab)
        check_as_before(lab, witness, before)


@pytest.mark.parametrize("place", PLACES)
def test_a_program_that_wakes_up_too_late_takes_its_snapshot_back(lab, place):
    before = picture(*lab.all)
    with Witness() as witness:
        program = lab.cohort_start("snapshot", "take", "guarded", "--deadline", DEADLINE_S * 1000, json=True,
                                   env={"COHORT_STOP_AT": place})
        wait_until_all_run(lab, witness)
        wait_until(lambda: is_stopped(program), 60, "the program stands still")
        program.send_signal(signal.SIGCONT)
        out, _ = program.communicate(timeout=300)
        assert program.returncode == 8, out
        assert '"timeout"' in out
        check_as_before(lab, witness, before)
    assert "recovery" not in lab.cohort("collection", "create", "after").json
    lab.cohort("collection", "delete", "after")


def test_a_deadline_outside_of_what_is_sane_is_refused(lab):
    before = picture(*lab.all)
    for deadline in ("99", "30001", "-1", "x"):
        ran = lab.cohort("snapshot", "take", "guarded", "--deadline", deadline, check=False)
        assert (ran.rc, error_of(ran)["code"]) == (2, "invalid_argument")
    assert picture(*lab.all) == before
