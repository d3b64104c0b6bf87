"""The program is killed at each of its kill points; whatever it was doing is then done, or as before.

The list of the points comes from the sources. COHORT_CRASH_ROUNDS kills at that many random moments, and
COHORT_CRASH_SEED repeats the moments of an earlier run.
"""

import dataclasses
import os
import random
import re
import signal
import subprocess
import time

import pytest

import apply_test
import fork_test
import forgotten_test
from crash_site import OFF
from harness import inspect
from harness.images import REPOSITORY, run
from operations import (Backup, Convert, Delete, DeleteLower, DeleteReference, Export, ExportDifference, ExportMerged, Import,
                        IncrementalBackup, MergePackage, Operation, Prune, Seal, Take, TakeFrozen, TakeStandard, Try)

# What is left of an operation after recovery. DONE: the job was interrupted, but what it was to do is done.
UNDONE, DONE, EITHER = "undone", "done", "either"


@dataclasses.dataclass
class Case:
    """An operation, and where it is killed."""
    operation: Operation
    point: str
    outcome: str
    skip: int = 0  # how often the point is passed before
    is_told: bool = True  # whether there was something for recovery to do

    def __str__(self):
        words = [self.operation.__class__.__name__, self.point, *([str(self.skip)] if self.skip else [])]
        return "-".join(words + (["off"] if self.operation.collection == OFF else []))


def cases(operation, outcome, *points):
    """A point is a name, or a name and how often it is passed before."""
    return [Case(operation, *((point, outcome) if isinstance(point, str) else (point[0], outcome, point[1])))
            for point in points]


CASES = [
    Case(Take(), "job.begun", UNDONE, is_told=False),
    *cases(Take(), UNDONE, "take.planned", "take.overlay_created", ("take.overlay_created", 2), "fence.intent",
           "fence.suspended", "capture.before_snapshot", "capture.after_snapshot", ("capture.after_snapshot", 1),
           "fence.captured", "fence.resumed", "take.captured", "take.ready", "job.before_end",
           ("store.after_commit", 2)),
    Case(Take(), "store.before_commit", UNDONE, 2, is_told=False),  # nothing was there yet

    *cases(TakeFrozen(), UNDONE, "fence.intent", "freeze.frozen", "fence.suspended", "fence.resumed", "freeze.thawed",
           "take.captured"),

    *cases(TakeStandard(), UNDONE, "fence.suspended", "capture.before_snapshot", "capture.after_snapshot",
           ("capture.after_snapshot", 1), "fence.captured", "fence.resumed", "take.captured", "take.ready"),

    *cases(Delete(), DONE, "delete.begun", "merge.before_commit", "merge.before_pivot", ("merge.before_pivot", 1),
           "merge.after_commit", "merge.before_remove", "merge_back.after_merge", ("merge_back.after_merge", 1),
           "delete.merged"),
    Case(Delete(), "delete.forgotten", DONE, is_told=False),
    *[Case(Delete(OFF), point, EITHER, skip, is_told=False)
      for point in ("store.before_commit", "store.after_commit") for skip in (1, 2)],
    *cases(Delete(OFF), DONE, "merge.before_commit", "merge.offline_after_commit", "merge.offline_marked",
           "merge.offline_after_define", "merge.before_remove"),
    *cases(DeleteLower(), DONE, "merge.before_commit", "merge.after_commit", "merge_back.after_merge"),
    *cases(DeleteLower(OFF), DONE, "merge.offline_after_commit", "merge.offline_marked", "merge.offline_after_rebase",
           "merge.offline_after_define", "merge_back.after_merge"),

    Case(Convert(), "convert.begun", UNDONE, is_told=False),  # nothing was there to be taken back
    *cases(Convert(), UNDONE, "convert.converted", "job.before_end"),
    *cases(DeleteReference(), DONE, "delete.begun", "merge.before_pivot", "delete.merged"),

    *cases(Export(), UNDONE, "export.begun", "export.disks_copied", "export.before_publish", "publish.before_rename"),
    # The package is whole: there is nothing to take back, and nothing to tell of.
    *[Case(Export(), point, DONE, is_told=False) for point in ("publish.after_rename", "export.published")],

    *cases(ExportDifference(), UNDONE, "export.begun", "export.disks_copied", "publish.before_rename"),
    Case(ExportDifference(), "publish.after_rename", DONE, is_told=False),

    *cases(ExportMerged(), UNDONE, "export.begun", "export.difference_made", "merge_package.begun",
           "merge_package.before_publish"),
    *cases(ExportMerged(), DONE, "merge_package.published", "export.merged"),

    Case(Seal(), "seal.before_list", UNDONE),
    Case(Seal(), "seal.before_manifest", UNDONE),

    *cases(MergePackage(), UNDONE, "merge_package.begun", "merge_package.disk_made", "merge_package.before_publish"),
    Case(MergePackage(), "merge_package.published", DONE, is_told=False),

    *cases(Prune(), UNDONE, "merge_package.begun", "publish.before_rename", "publish.after_rename",
           "merge_package.published"),
    *[Case(Prune(), point, UNDONE, is_told=False) for point in ("prune.merged", "prune.before_hide")],
    Case(Prune(), "prune.hidden", DONE),
    Case(Prune(), "prune.removed", DONE, is_told=False),

    Case(Import(), "import.before_copy", UNDONE, is_told=False),
    *cases(Import(), UNDONE, ("import.before_copy", 1), "import.copied", "import.before_define", "define.after_define",
           ("import.defined", 1), ("import.before_start", 1), "import.started"),

    *cases(Try(), UNDONE, "try.network_made", "try.folder_made", "try.overlay_made", ("try.overlay_made", 1),
           "try.before_start", "throwaway.defined", "throwaway.started", ("try.started", 1), "try.running"),
    Case(Try(), "try.removed", UNDONE, is_told=False),  # all that was left to do was to say so

    *cases(Backup(), UNDONE, "take.captured", "export.disks_copied"),
    *cases(Backup(), DONE, "backup.exported", "merge.before_pivot"),

    *cases(IncrementalBackup(), UNDONE, "take.captured", "export.disks_copied"),
    *cases(IncrementalBackup(), DONE, "backup.exported", "merge.before_commit", "merge_back.after_merge"),
    Case(IncrementalBackup(), "backup.base_kept", DONE, is_told=False),
]

# Where the recovery of a killed take is killed, one after the other: each goes on where the one before was.
RECOVERY_POINTS = ["job.begun", "merge.before_commit", "merge.before_pivot", "merge.after_commit",
                   "merge.before_remove", "merge_back.after_merge", "merge.offline_after_commit",
                   "merge.offline_marked", "merge.offline_after_define", "undo.after_step"]

OPERATIONS = (Take(), TakeFrozen(), TakeStandard(), Delete(), Delete(OFF), DeleteLower(), Export(), ExportDifference(), Import(), Try(),
              Backup())

ROUNDS = int(os.environ.get("COHORT_CRASH_ROUNDS") or 8)
SEED = int(os.environ.get("COHORT_CRASH_SEED") or time.time())


def points_in_sources():
    found = set()
    for path in (REPOSITORY / "src").rglob("*.cc"):
        found |= set(re.findall(r'kill_point\("([^"]+)"\)', path.read_text()))
    return found


def test_every_kill_point_of_the_sources_is_killed_at():
    claimed = {case.point for case in CASES} | set(RECOVERY_POINTS) | set(forgotten_test.POINTS) | set(apply_test.POINTS) | set(fork_test.POINTS)
    assert points_in_sources() == claimed


def check_killed_job(jobs, type):
    """The job that was interrupted tells so; that of the recovery has succeeded."""
    [killed] = [job for job in jobs if job["type"] == type]
    assert (killed["state"], killed["error"]["code"]) == ("failed", "internal"), killed
    assert str(killed["pid"]) in killed["error"]["message"]
    assert [job["state"] for job in jobs if job["type"] == "recover"] == ["completed"]


def check_outcome(site, operation, before, outcome):
    """The world is as before, or the operation is done; nothing between. Returns whether it is done."""
    site.nothing_is_half_done()
    is_done = operation.is_done(site)
    if outcome != EITHER:
        assert is_done == (outcome == DONE)
    if is_done:
        operation.check_done(site)
    else:
        operation.check_undone(site)
        assert site.picture() == before
    return is_done


def succeeds(site, operation):
    """The operation is run again, and works."""
    operation.before_again(site)
    began = time.monotonic()
    ran = site.cohort(*operation.arguments(site))
    took = time.monotonic() - began
    assert "recovery" not in ran.json
    operation.check_done(site)
    operation.undo(site)
    return took


def new_jobs(site, known):
    return [job for id, job in site.jobs().items() if id not in known]


def killed_recovery(site, point, skip=0):
    ran = site.recover(kill_at=point, skip=skip, check=False)
    assert ran.rc == -signal.SIGKILL, f"{point} was not reached in a recovery: {ran}"
    site.members_go_on()


def check_recovered_at_last(site, operation, before, known, killed_recoveries):
    # All that the last one had to do may have been done by those that were killed.
    assert site.recover().json.get("recovery", {"failures": []})["failures"] == []
    jobs = new_jobs(site, known)
    states = sorted(job["state"] for job in jobs if job["type"] == "recover")
    assert states == ["completed"] + ["failed"] * killed_recoveries
    assert [job["state"] for job in jobs if job["type"] == operation.job_type] == ["failed"]
    check_outcome(site, operation, before, UNDONE)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_killed_at(site, case):
    operation = case.operation
    operation.prepare(site)
    before, known, token = site.picture(), site.jobs(), site.last_token()

    killed = site.cohort(*operation.arguments(site), kill_at=case.point, skip=case.skip, check=False)
    assert killed.rc == -signal.SIGKILL, f"{case.point} was not reached: {killed}"
    site.members_go_on()
    site.scribble()
    recovery = site.recover().json.get("recovery", {"actions": [], "failures": []})
    assert recovery["failures"] == []
    assert recovery["actions"] or not case.is_told

    check_killed_job(new_jobs(site, known), operation.job_type)
    is_done = check_outcome(site, operation, before, case.outcome)
    site.writer_has_written(above=token)
    if is_done:
        operation.undo(site)
        operation.prepare(site)
    succeeds(site, operation)


def test_recovery_is_killed_at_each_of_its_steps_and_goes_on(site):
    operation = Take()
    before, known, token = site.picture(), site.jobs(), site.last_token()
    killed = site.cohort(*operation.arguments(site), kill_at="take.captured", check=False)
    assert killed.rc == -signal.SIGKILL
    site.members_go_on()
    site.scribble()
    for point in RECOVERY_POINTS:
        killed_recovery(site, point)
    killed_recovery(site, "store.before_commit", skip=1)
    check_recovered_at_last(site, operation, before, known, len(RECOVERY_POINTS) + 1)
    site.writer_has_written(above=token)
    succeeds(site, operation)


def test_recovery_of_an_import_is_killed_after_each_step_and_goes_on(site):
    operation = Import()
    before, known = site.picture(), site.jobs()
    killed = site.cohort(*operation.arguments(site), kill_at="import.started", check=False)
    assert killed.rc == -signal.SIGKILL
    steps = 6  # two machines with a disk and a port's log each
    for skip in [0] + [1] * (steps - 1):  # the killed step is there again the next time
        killed_recovery(site, "undo.after_step", skip)
    check_recovered_at_last(site, operation, before, known, steps)
    succeeds(site, operation)


def test_people_are_told_what_was_recovered(site):
    operation = Take()
    site.cohort(*operation.arguments(site), kill_at="take.captured", check=False)
    ran = site.recover(json=False)
    assert "recovered: " in ran.err and "was taken back" in ran.err, ran
    site.nothing_is_half_done()
    operation.check_undone(site)


def test_the_repeated_command_recovers_and_says_that_all_is_done(site):
    operation = Delete()
    operation.prepare(site)
    site.cohort(*operation.arguments(site), kill_at="merge.before_pivot", check=False)
    repeated = site.cohort(*operation.arguments(site), check=False)
    assert repeated.json["error"]["code"] == "not_found"
    assert "deleted" in " ".join(repeated.json["recovery"]["actions"])
    site.nothing_is_half_done()
    operation.check_done(site)


# Random moments

@pytest.fixture(scope="module")
def durations():
    """How long each operation takes here, as far as it was measured."""
    return {}


def kill_after(site, operation, seconds):
    """Returns whether the program was killed before it ended."""
    program = site.start(*operation.arguments(site))
    try:
        out, err = program.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        program.kill()
        out, err = program.communicate(timeout=60)
    assert program.returncode in (0, -signal.SIGKILL), out + err
    return program.returncode != 0


@pytest.mark.parametrize("number", [pytest.param(number, id=f"seed-{SEED}-round-{number}") for number in range(ROUNDS)])
def test_killed_at_a_random_moment(site, durations, number):
    chance = random.Random(f"{SEED}-{number}")
    index = chance.randrange(len(OPERATIONS))
    operation = OPERATIONS[index]
    if index not in durations:
        operation.prepare(site)
        durations[index] = succeeds(site, operation)
    operation.prepare(site)
    before, known, token = site.picture(), site.jobs(), site.last_token()

    seconds = chance.uniform(0, durations[index])
    print(f"COHORT_CRASH_SEED={SEED}: {type(operation).__name__} killed after {seconds:.3f} s")
    was_killed = kill_after(site, operation, seconds)
    site.members_go_on()
    site.scribble()
    recovery = site.recover().json.get("recovery", {"actions": [], "failures": []})
    assert recovery["failures"] == []

    jobs = new_jobs(site, known)  # before the checks, some of which are jobs, too
    is_done = check_outcome(site, operation, before, EITHER)
    has_ended = any(job["state"] == "completed" and job["type"] == operation.job_type for job in jobs)
    if has_ended or not jobs:  # killed before it was recorded, or when all that was left to do was to say so
        assert is_done == has_ended and (was_killed or has_ended)
    else:
        check_killed_job(jobs, operation.job_type)
    site.writer_has_written(above=token)
    if is_done:
        operation.undo(site)
        operation.prepare(site)
    succeeds(site, operation)


def test_no_data_was_lost(site):
    """After all that: the disks are sound, and every token is where it should be."""
    site.stands_on_own_files()
    seen, boots = site.last_token(), site.writer.wait_ready()
    site.paused.resume()
    site.paused.wait_state("running")
    for guest in site.guests:
        guest.destroy()
    tokens = inspect.tokens(site.writer.image())
    assert inspect.token_faults([tokens]) == []
    assert tokens[-1].number >= seen
    for guest in site.guests:
        for path in guest.disk_paths().values():
            if path.suffix == ".qcow2":  # raw ones know no check
                run("qemu-img", "check", "-q", path)
    site.writer.start()
    assert site.writer.wait_ready(timeout=400) == boots + 1
    site.writer.wait_token(above=seen, timeout=200)
    site.paused.start().wait_ready(timeout=400)
    site.paused.pause()
