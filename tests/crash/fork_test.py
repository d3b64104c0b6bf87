"""The program is killed while it deletes a snapshot that two branches stand on, and while it merges what they shared."""

import hashlib
import signal

import pytest

from harness import Disk, Lab
from harness.images import MIB, run

# Where the deletion of the fork is killed, and how often the point is passed before.
LEAVING = [("store.before_commit", 2), ("delete.retired", 0), ("delete.belongings_removed", 0)]
# Where the deletion of the last but one branch is killed: it is gone then, and what was shared is merged next.
MERGING = [("delete.forgotten", 0), ("delete.begun", 1), ("merge.before_commit", 0), ("merge_back.after_merge", 1),
           ("delete.merged", 1), ("delete.forgotten", 1)]
POINTS = ["delete.retired", "delete.belongings_removed"]


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.guests = [opened.guest(f"forked {number}", single_disk=True, disks=[Disk(size=16 * MIB)])
                         for number in (1, 2)]
        opened.cohort("collection", "create", "all", *[guest.name for guest in opened.guests])
        opened.names = 0
        yield opened


def write(lab, pattern):
    for guest in lab.guests:
        [path] = guest.disk_paths().values()
        run("qemu-io", "-f", "qcow2", "-c", f"write -P {pattern} {pattern * MIB} {MIB}", path)


def contents(lab):
    found = []
    for guest in lab.guests:
        [path] = guest.disk_paths().values()
        run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", path, lab.folder / "content")
        found.append(hashlib.sha256((lab.folder / "content").read_bytes()).hexdigest())
    return found


def names(lab):
    return [each["name"] for each in lab.cohort("snapshot", "list").json["snapshots"]]


def fork(lab):
    """Returns what the machines hold in "one" and now."""
    write(lab, 1)
    lab.cohort("snapshot", "take", "all", "--name", "before", "--standard")
    write(lab, 2)
    one = contents(lab)
    lab.cohort("snapshot", "apply", "before", "--keep-current=one")
    write(lab, 3)
    lab.cohort("snapshot", "take", "all", "--name", "two", "--standard")
    write(lab, 4)
    return one, contents(lab)


def kill_in_delete(lab, name, point, skip):
    killed = lab.cohort("snapshot", "delete", name, env={"COHORT_KILL_AT": point, "COHORT_KILL_SKIP": str(skip)},
                        check=False)
    assert killed.rc == -signal.SIGKILL, f"{point} was not reached: {killed}"


def recover(lab):
    lab.names += 1
    ran = lab.cohort("collection", "create", f"made while recovering {lab.names}")
    assert ran.json.get("recovery", {"failures": []})["failures"] == []


def end(lab, now):
    """All that is left can be deleted, and the machines are on their own files."""
    for name in names(lab):
        lab.cohort("snapshot", "delete", name)
    assert contents(lab) == now
    for guest in lab.guests:
        assert [path.name for path in guest.folder.iterdir() if ".cohort-" in path.name] == []


@pytest.mark.parametrize("point, skip", LEAVING)
def test_the_fork_is_deleted_or_there_when_killed_at(lab, point, skip):
    one, now = fork(lab)
    kill_in_delete(lab, "before", point, skip)
    recover(lab)
    if "before" in names(lab):
        lab.cohort("snapshot", "delete", "before")
    assert names(lab) == ["one", "two"] and contents(lab) == now
    assert lab.cohort("host", "doctor").json["doctor"]["ailments"] == []
    lab.cohort("snapshot", "apply", "one", "--keep-current=three")
    assert contents(lab) == one
    lab.cohort("snapshot", "apply", "three")
    assert contents(lab) == now
    end(lab, now)


@pytest.mark.parametrize("point, skip", MERGING)
def test_what_was_shared_is_merged_when_killed_at(lab, point, skip):
    _, now = fork(lab)
    lab.cohort("snapshot", "delete", "before")
    kill_in_delete(lab, "one", point, skip)
    recover(lab)
    assert names(lab) == ["two"] and contents(lab) == now
    for guest in lab.guests:  # its overlay and nothing else
        assert len([path for path in guest.folder.iterdir() if ".cohort-" in path.name]) == 1
    end(lab, now)
