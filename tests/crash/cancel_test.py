"""Ctrl-C in the middle of each operation: it ends with status 130, nearly always within a second, and leaves nothing.

The program stops itself at a named place, so that the signal always meets it there, and is then let go on.
"""

import pytest

from crash_site import OFF, PATIENT
from harness.stopping import Interrupt, wait_stopped
from operations import Backup, Convert, Delete, Export, Import, IncrementalBackup, MergePackage, Prune, Seal, Take, Try

CANCELLED = 130
PATIENCE_S = 180  # seconds on an idle machine; merges take their time on one that is not

# libvirt begins to start a machine right after these places (an import's next one), which takes a second on an idle host
# and cannot be interrupted; all others keep within the second.
LONGEST_S = {"try.before_start": 2.0, "import.started": 2.0}

CASES = [(Take(), "take.planned"), (Take(), "fence.suspended"), (Take(), "take.captured"),
         (Convert(), "convert.begun"), (Convert(), "convert.converted"),
         (Export(), "export.begun"), (Export(), "export.disks_copied"),
         (Import(), "import.before_copy"), (Import(), "import.started"),
         (Try(), "try.before_start"), (Try(), "try.running"),
         (Backup(), "export.begun"), (IncrementalBackup(), "export.disks_copied"), (Seal(), "seal.before_list"),
         (MergePackage(), "merge_package.begun"), (MergePackage(), "merge_package.disk_made"),
         (Prune(), "merge_package.begun")]


def interrupted(site, type, point, *arguments):
    """Runs the program, with ctrl-C at the point; returns its error as --json told it."""
    program = site.start(*arguments, stop_at=point)
    wait_stopped(program, f"{arguments} at {point}")
    interrupt = Interrupt(program)
    out, err = interrupt.wait(PATIENCE_S)
    assert program.returncode == CANCELLED, out + err
    assert '"cancelled"' in out
    job = last_job(site, type)
    assert (job["state"], job["error"]["code"]) == ("cancelled", "cancelled")
    interrupt.was_quick(job, f"{type} at {point}", LONGEST_S.get(point, Interrupt.LONGEST_S))
    return out


def last_job(site, type):
    """The newest job of the type: its end is what the list has to tell."""
    return next(job for job in site.jobs().values() if job["type"] == type)


def succeeds(site, operation):
    ran = site.cohort(*operation.arguments(site))
    assert "recovery" not in ran.json
    operation.check_done(site)
    operation.undo(site)


@pytest.mark.parametrize("operation, point", CASES, ids=lambda value: value if isinstance(value, str)
                         else type(value).__name__)
def test_interrupted_leaves_nothing(site, operation, point):
    operation.prepare(site)
    before, token = site.picture(), site.last_token()
    interrupted(site, operation.job_type, point, *operation.arguments(site))
    site.nothing_is_half_done()
    assert not operation.is_done(site)
    operation.check_undone(site)
    assert site.picture() == before
    site.writer_has_written(above=token)
    succeeds(site, operation)


@pytest.mark.parametrize("operation", [Delete(), Delete(OFF)], ids=["running", "off"])
def test_an_interrupted_merge_leaves_the_machines_on_their_overlays_and_goes_on_later(site, operation):
    operation.prepare(site)
    before, token = site.picture(), site.last_token()
    out = interrupted(site, "delete_snapshot", "merge.before_commit", *operation.arguments(site))
    assert "cohort snapshot delete" in out and "goes on" in out
    site.no_block_jobs_run()
    site.no_processes_stay()
    site.members_go_on()
    site.off_is_intact()
    assert site.picture() == before
    assert site.snapshots() == {"deleted": "deleting"}
    # Other changes do not go on with it: that is left to whoever has interrupted it.
    assert "recovery" not in site.recover().json
    assert site.snapshots() == {"deleted": "deleting"}
    site.writer_has_written(above=token)
    succeeds(site, operation)


def test_a_backup_interrupted_after_its_package_is_complete_leaves_the_machines_clean(site):
    operation = Backup()
    before = site.picture()
    out = interrupted(site, "backup", "backup.exported", *operation.arguments(site))
    assert "is complete" in out
    site.nothing_is_half_done()
    operation.check_done(site)
    assert site.picture() == before
    operation.undo(site)


@pytest.mark.parametrize("point", ["backup.base_kept", "merge.before_commit"])
def test_an_incremental_backup_interrupted_after_its_package_is_complete_has_a_base(site, point):
    operation = IncrementalBackup()
    operation.prepare(site)
    out = interrupted(site, "backup", point, *operation.arguments(site))
    assert "is complete" in out and "taken back" not in out
    site.members_go_on()
    site.package_is_whole(operation.target(site).with_name("first"))
    report = site.cohort("verify", operation.target(site)).json["verify"]
    assert report["whole"] is True
    # The next one has only what has changed since, on every disk.
    third = operation.target(site).with_name("third")
    made = site.cohort("backup", operation.collection, third, *PATIENT).json["backup"]
    assert made["full_because"] is None and {disk["kind"] for disk in made["disks"]} == {"difference"}
    assert made["parent"]["path"] == "../second"
    site.nothing_is_half_done()
    site.remove(third)
    site.remove(operation.target(site))
    operation.give_up(site)


def test_an_interrupted_verification_changes_nothing(site):
    before = sorted((path, path.stat().st_mtime_ns) for path in site.package.rglob("*"))
    interrupted(site, "verify", "job.begun", "verify", site.package)
    site.nothing_is_half_done()
    assert sorted((path, path.stat().st_mtime_ns) for path in site.package.rglob("*")) == before
    site.package_is_whole(site.package)
