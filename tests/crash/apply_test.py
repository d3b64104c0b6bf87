"""The program is killed while it takes machines back to a snapshot: at the next command all are back there, or all are
where they were."""

import signal

import pytest

from harness import Disk, Lab, inspect
from harness.images import MIB

PATIENT = ("--deadline", "60000")
SLACK = 60

# Where an application is killed, and whether it is then completed.
UNDONE = ["apply.rescue_taken", "apply.overlay_created", "apply.prepared", "apply.all_stand_still", "apply.begun",
          "restore.stopped", "restore.defined", "restore.done", "apply.gone_back"]
DONE = ["apply.settled"]
# Where the recovery of a killed one is killed, one after the other.
RECOVERY = ["put_back.overlay_removed", "put_back.members"]
POINTS = UNDONE + DONE + RECOVERY


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.guests = [opened.guest(name, role="writer", disks=[Disk(size=32 * MIB)]) for name in ("back 1", "back 2")]
        for guest in opened.guests:
            guest.start()
        for guest in opened.guests:
            guest.wait_ready(600)
            guest.wait_token(above=3, timeout=600)
        opened.cohort("collection", "create", "all", *[guest.name for guest in opened.guests])
        opened.cohort("snapshot", "take", "all", "--name", "before", "--standard", *PATIENT)
        opened.early = last_tokens(opened)
        yield opened
        for guest in opened.guests:
            guest.destroy()
            assert inspect.token_faults([inspect.tokens(guest.data_paths()[0])]) == []


def last_tokens(lab):
    return [guest.tokens_seen()[-1] for guest in lab.guests]


def go_on(lab):
    """Further from the snapshot than the slack."""
    for guest, early in zip(lab.guests, lab.early):
        guest.wait_token(above=max(early, guest.tokens_seen()[-1]) + SLACK + 20, timeout=300)
    return last_tokens(lab)


def kill_in_apply(lab, point):
    killed = lab.cohort("snapshot", "apply", "before", env={"COHORT_KILL_AT": point}, check=False)
    assert killed.rc == -signal.SIGKILL, f"{point} was not reached: {killed}"


def recover(lab, kill_at=None):
    env = {"COHORT_KILL_AT": kill_at} if kill_at else {}
    lab.names = getattr(lab, "names", 0) + 1
    ran = lab.cohort("collection", "create", f"made while recovering {lab.names}", env=env, check=not kill_at)
    assert kill_at or ran.json.get("recovery", {"failures": []})["failures"] == []
    return ran


def check_all_go_on_from(lab, tokens, late):
    """In memory and on disk, without a boot; all from the one instant, or all from the other."""
    for guest in lab.guests:
        guest.mark_console()
    for guest, last, other in zip(lab.guests, tokens, late):
        guest.wait_state("running", 60)
        guest.wait_token(timeout=120)
        seen = guest.tokens_seen()
        assert last - 15 <= seen[0], (guest, last, seen)
        assert last == other or seen[0] <= last + SLACK, (guest, last, seen)
        guest.wait_token(above=seen[-1] + 5, timeout=120)
        assert "ready boot" not in guest.console()


def check_nothing_is_left(lab):
    shown = lab.cohort("snapshot", "list").json["snapshots"]
    assert [(each["name"], each["state"], each["current"]) for each in shown] == [("before", "ready", True)]
    for guest in lab.guests:
        names = sorted(path.name for path in guest.folder.iterdir() if ".cohort-" in path.name)
        disks = [disk for each in shown[0]["members"] if each["name"] == guest.name for disk in each["disks"]]
        assert len(names) == len(disks) + 1, names  # an overlay for each, and the memory
        assert {disk["overlay"] for disk in disks} == {str(path) for path in guest.disk_paths().values()}
        assert guest.disk_paths() == guest.disk_paths(inactive=True)


@pytest.mark.parametrize("point", UNDONE + DONE)
def test_killed_at(lab, point):
    late = go_on(lab)
    kill_in_apply(lab, point)
    recover(lab)
    check_nothing_is_left(lab)
    check_all_go_on_from(lab, lab.early if point in DONE else late, late)


def test_its_recovery_is_killed_and_goes_on(lab):
    late = go_on(lab)
    kill_in_apply(lab, "apply.gone_back")
    for point in RECOVERY:
        assert recover(lab, kill_at=point).rc == -signal.SIGKILL
    recover(lab)
    check_nothing_is_left(lab)
    check_all_go_on_from(lab, late, late)
