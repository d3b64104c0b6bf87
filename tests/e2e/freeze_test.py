"""Guests are frozen for the instant, hooks included, and always thawed again; what was reached is told, and no more."""

import os
import signal
from pathlib import Path

import libvirt
import pytest

from harness import Lab, inspect, wait_until
from harness.stopping import wait_stopped
from world import PATIENT, bare_machine, error_of, forget_all, frozen, member, overlays, picture, snapshots, take

FREEZE_MS = 60000  # for freezes whose deadline is not what is tested
APPLICATION = ("--consistency", "application", "--freeze-deadline", FREEZE_MS)
BEST = ("--consistency", "best", "--freeze-deadline", FREEZE_MS)
HOOK_S = 8  # that the slow hook takes
SHORT_S = 3  # a freeze deadline that it does not keep
DEADLINE_S = 5  # of a fence in which the program stands still
BUSY_HOST_S = 20


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.one = opened.guest("freezes 1", role="writer")
        opened.two = opened.guest("freezes ü", role="writer")
        opened.silent = opened.guest("no agent", role="writer", role_options={"AGENT": "no"})
        opened.refusing = opened.guest("hook fails", role="writer", role_options={"FREEZE": "fail"})
        opened.slow = opened.guest("hook is slow", role="writer", role_options={"FREEZE_DELAY": HOOK_S})
        opened.all = (opened.one, opened.two, opened.silent, opened.refusing, opened.slow)
        for guest in opened.all:
            guest.start()
        for guest in opened.all:
            guest.wait_ready(600)
            guest.wait_token(timeout=600)
            if guest is not opened.silent:
                guest.wait_agent()
        for name in ("one", "two", "silent", "refusing", "slow"):
            opened.cohort("collection", "create", name, getattr(opened, name).name)
        opened.cohort("collection", "create", "both", opened.one.name, opened.two.name)
        yield opened


@pytest.fixture(autouse=True)
def nothing_stays(lab):
    """One test that fails must not make all others fail."""
    yield
    forget_all(lab, but=("one", "two", "silent", "refusing", "slow", "both"))


def collect(lab, name, *guests):
    lab.cohort("collection", "create", name, *[guest.name for guest in guests])


def status(guest):
    """What the guest's agent says; None if it does not answer now."""
    try:
        return guest.agent("guest-fsfreeze-status", timeout=5)
    except libvirt.libvirtError:
        return None


def wait_thawed(guest, timeout=60):
    wait_until(lambda: status(guest) == "thawed", timeout, f"{guest.name} is thawed")


def hook_calls(guest):
    """How often the hook was run, for the freeze and for the thaw."""
    return [guest.console().count(f"cohort-test-guest: {word}\n") for word in ("freeze", "thaw")]


def check_goes_on(*guests):
    """They write, and so nothing of theirs is frozen."""
    for guest in guests:
        guest.wait_token(above=guest.tokens_seen()[-1], timeout=120)


def refused(lab, collection, *options, code="invalid_state"):
    """The error; all is as it was before."""
    guests = lab.all
    before = picture(*guests)
    ran = lab.cohort("snapshot", "take", collection, *PATIENT, *options, check=False)
    assert error_of(ran)["code"] == code, ran
    assert picture(*guests) == before and overlays(*guests) == [] and snapshots(lab) == {}
    return error_of(ran)["message"]


# What is reached

def test_file_systems_are_clean_at_the_instant_and_the_hooks_were_run(lab):
    calls = {guest: hook_calls(guest) for guest in (lab.one, lab.two)}
    snapshot = take(lab, "both", "frozen", *APPLICATION)
    assert snapshot["consistency_asked"] == "application" and snapshot["fence"]["proven"]
    for guest in (lab.one, lab.two):
        of_guest = member(snapshot, guest)
        assert (of_guest["consistency"], of_guest["consistency_reason"]) == ("application", "")
        assert of_guest["freeze_us"] >= of_guest["pause"]["length_us"]
        path, format = frozen(snapshot, guest)["vdb"]
        assert not inspect.needed_recovery(path, format)
        assert inspect.token_faults([inspect.tokens(path, format)]) == []
        assert status(guest) == "thawed"
        wait_until(lambda: hook_calls(guest) == [calls[guest][0] + 1, calls[guest][1] + 1], 30, "hooks were run")
    check_goes_on(lab.one, lab.two)
    assert lab.cohort("snapshot", "show", "frozen").json["snapshot"]["members"] == snapshot["members"]


def test_without_it_file_systems_need_recovery(lab):
    """The check of the test above can fail."""
    calls = hook_calls(lab.one)
    snapshot = take(lab, "one", "as it is")
    assert member(snapshot, lab.one)["consistency"] == "crash" and member(snapshot, lab.one)["freeze_us"] is None
    assert inspect.needed_recovery(*frozen(snapshot, lab.one)["vdb"])
    assert hook_calls(lab.one) == calls


def test_a_package_tells_it(lab):
    target = lab.folder / "frozen package"
    lab.cohort("backup", "--full", "one", target, *PATIENT, *APPLICATION)
    [machine] = lab.cohort("verify", target).json["verify"]["manifest"]["machines"]
    assert machine["consistency"] == "application" and machine["freeze_us"] > 0
    [image] = target.glob("Virtual Hard Disks/*vdb.qcow2")
    assert not inspect.needed_recovery(image, "qcow2")
    check_goes_on(lab.one)


def test_members_that_are_paused_or_off_are_captured_as_they_are(lab):
    off = bare_machine(lab, "off", ["qcow2"])
    lab.two.pause()
    try:
        collect(lab, "mixed", lab.one, lab.two, off)
        snapshot = take(lab, "mixed", "mixed", *APPLICATION)
        reached = [member(snapshot, guest)["consistency"] for guest in (lab.one, lab.two, off)]
        assert reached == ["application", "crash", "off"]
        assert "paused" in member(snapshot, lab.two)["consistency_reason"]
        assert lab.two.state() == "paused" and off.state() == "shut off"
    finally:
        lab.two.resume()
    check_goes_on(lab.one, lab.two)


# Guests that cannot be frozen

def test_a_guest_whose_agent_is_missing(lab):
    collect(lab, "silent pair", lab.one, lab.silent)
    calls = hook_calls(lab.one)
    message = refused(lab, "silent pair", *APPLICATION)
    assert lab.silent.name in message and "--consistency best" in message
    assert hook_calls(lab.one) == calls, "nobody is frozen in vain"
    snapshot = take(lab, "silent pair", "best", *BEST)
    assert member(snapshot, lab.one)["consistency"] == "application"
    assert member(snapshot, lab.silent)["consistency"] == "crash"
    assert lab.silent.name in member(snapshot, lab.silent)["consistency_reason"]
    plan = lab.cohort("snapshot", "take", "silent pair", "--dry-run", *BEST).json["plan"]
    assert [each["consistency"] for each in plan["members"]] == ["application", "crash"]
    check_goes_on(lab.one, lab.silent)


def test_a_guest_whose_hook_fails(lab):
    collect(lab, "refusing pair", lab.one, lab.refusing)
    message = refused(lab, "refusing pair", *APPLICATION)
    assert lab.refusing.name in message and "hook" in message
    assert status(lab.one) == status(lab.refusing) == "thawed"
    snapshot = take(lab, "refusing pair", "best", *BEST)
    assert member(snapshot, lab.one)["consistency"] == "application"
    assert member(snapshot, lab.refusing)["consistency"] == "crash"
    assert "hook" in member(snapshot, lab.refusing)["consistency_reason"]
    check_goes_on(lab.one, lab.refusing)


def test_a_guest_whose_hook_is_too_slow(lab):
    """Its agent freezes it long after it was given up, and it is thawed even so."""
    collect(lab, "slow pair", lab.one, lab.slow)
    short = ("--freeze-deadline", SHORT_S * 1000)
    calls = hook_calls(lab.slow)
    message = refused(lab, "slow pair", "--consistency", "application", *short)
    assert lab.slow.name in message and "--freeze-deadline" in message
    assert hook_calls(lab.slow) == [calls[0] + 1, calls[1] + 1]
    assert status(lab.one) == status(lab.slow) == "thawed"
    snapshot = take(lab, "slow pair", "best", "--consistency", "best", *short)
    assert member(snapshot, lab.one)["consistency"] == "application"
    assert member(snapshot, lab.one)["freeze_us"] < HOOK_S * 1e6, "it does not wait for the slow one"
    assert member(snapshot, lab.slow)["consistency"] == "crash"
    assert status(lab.one) == status(lab.slow) == "thawed"
    check_goes_on(lab.one, lab.slow)
    snapshot = take(lab, "slow pair", "patient", *APPLICATION)
    assert member(snapshot, lab.slow)["consistency"] == "application"


def test_a_guest_that_its_owner_has_frozen_stays_frozen(lab):
    lab.one.agent("guest-fsfreeze-freeze", timeout=60)
    try:
        snapshot = take(lab, "both", "owner's", *APPLICATION)
        assert status(lab.one) == "frozen" and status(lab.two) == "thawed"
    finally:
        lab.one.agent("guest-fsfreeze-thaw", timeout=60)
    of_one = member(snapshot, lab.one)
    assert (of_one["consistency"], of_one["frozen_by_others"], of_one["freeze_us"]) == ("file-system", True, None)
    assert not inspect.needed_recovery(*frozen(snapshot, lab.one)["vdb"])
    check_goes_on(lab.one, lab.two)


# The guard

MARK = "COHORT_TEST_FREEZE"  # a variable that the program's guard inherits
PLACES = ("freeze.frozen", "fence.suspended", "fence.captured", "fence.resumed")


def begin(lab, fate, place, freeze_s, deadline_s=DEADLINE_S):
    return lab.cohort_start("snapshot", "take", "both", "--name", "doomed", "--consistency", "application",
                            "--freeze-deadline", freeze_s * 1000, "--deadline", deadline_s * 1000,
                            env={f"COHORT_{fate}_AT": place, MARK: str(lab.folder)})


def wait_run(lab, timeout):
    for guest in (lab.one, lab.two):
        guest.wait_state("running", timeout)
        wait_thawed(guest, timeout)


def check_recovery(lab, before):
    ran = lab.cohort("collection", "create", "after")
    assert ran.json["recovery"]["failures"] == [] and ran.json["recovery"]["actions"], ran.json
    assert picture(*lab.all) == before and overlays(*lab.all) == [] and snapshots(lab) == {}
    check_goes_on(lab.one, lab.two)


@pytest.mark.parametrize("place", PLACES)
def test_killed_while_guests_are_frozen(lab, place):
    before = picture(*lab.all)
    program = begin(lab, "KILL", place, 120, 30)
    assert program.wait(timeout=120) == -signal.SIGKILL
    # It is the death that thaws them; the deadlines are far away.
    wait_run(lab, BUSY_HOST_S)
    check_recovery(lab, before)


@pytest.mark.parametrize("fate", ["STOP", "HANG"])
@pytest.mark.parametrize("place", PLACES)
def test_standing_still_while_guests_are_frozen(lab, fate, place):
    before = picture(*lab.all)
    calls = hook_calls(lab.one)
    program = begin(lab, fate, place, SHORT_S)
    wait_until(lambda: hook_calls(lab.one)[0] > calls[0], 60, "the guests are being frozen")
    wait_run(lab, SHORT_S + DEADLINE_S + BUSY_HOST_S)
    assert program.poll() is None  # it is still in there
    program.kill()
    program.wait()
    check_recovery(lab, before)


def test_a_program_that_wakes_up_too_late_takes_its_snapshot_back(lab):
    before = picture(*lab.all)
    program = begin(lab, "STOP", "freeze.frozen", SHORT_S)
    wait_stopped(program, "the program")
    wait_run(lab, SHORT_S + DEADLINE_S + BUSY_HOST_S)
    program.send_signal(signal.SIGCONT)
    out, err = program.communicate(timeout=300)
    assert program.returncode == 8 and "--freeze-deadline" in out + err, out + err
    assert picture(*lab.all) == before and snapshots(lab) == {}
    check_goes_on(lab.one, lab.two)


def guards_of(lab):
    """The processes of guards that this lab's program has started."""
    mark = f"{MARK}={lab.folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            is_guard = entry.name.isdigit() and (entry / "comm").read_text() == "cohort-guard\n"
            if is_guard and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_recovery_thaws_where_the_guard_has_died_too(lab):
    """Nobody is left who knows of it but the state."""
    before = picture(*lab.all)
    program = begin(lab, "STOP", "freeze.frozen", 120, 30)
    wait_stopped(program, "the program")
    [guard] = guards_of(lab)
    os.kill(guard, signal.SIGKILL)
    program.kill()
    program.wait()
    assert status(lab.one) == status(lab.two) == "frozen"
    check_recovery(lab, before)
    assert status(lab.one) == status(lab.two) == "thawed"


def test_values_outside_of_what_is_sane_are_refused(lab):
    for options in (("--freeze-deadline", "999"), ("--freeze-deadline", "300001"), ("--consistency", "perfect")):
        ran = lab.cohort("snapshot", "take", "one", *options, check=False)
        assert (ran.rc, error_of(ran)["code"]) == (2, "invalid_argument")
