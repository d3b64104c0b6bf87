"""Somebody else changes a machine in the middle of an operation: it is done, or all is as before, and the siblings never
notice.

The program stops itself at a named place meanwhile, and is then let go on.
"""

import os
import signal

import libvirt
import pytest

from crash_site import overlays
from harness.stopping import run_on, wait_stopped
from lost_machine import qemu_of
from operations import Backup, Delete, DeleteLower, Export, Take


class Change:
    """What is done to a machine, and how its owner has it back."""

    def __init__(self, name, apply, end=lambda guest: None):
        self.name, self.apply, self.end = name, apply, end

    def __repr__(self):
        return self.name


def kill_qemu(guest):
    [pid] = qemu_of(guest)
    os.kill(pid, signal.SIGKILL)
    guest.wait_state("shut off")


def vanish(guest):
    guest.destroy()
    guest.undefine()


def rename(guest):
    guest.domain.rename(guest.name + " renamed")


def copy_of_others(guest):
    return guest.folder / "copied-by-somebody.qcow2"


def begin_block_job(guest):
    target = next(iter(guest.disk_paths()))
    guest.domain.blockCopy(target, f"<disk type='file'><source file='{copy_of_others(guest)}'/>"
                                   "<driver type='qcow2'/></disk>", {libvirt.VIR_DOMAIN_BLOCK_COPY_BANDWIDTH: 4096},
                           libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)


def end_block_job(guest):
    guest.domain.blockJobAbort(next(iter(guest.disk_paths())))
    copy_of_others(guest).unlink()


KILLED = Change("killed", kill_qemu)
POWERED_OFF = Change("powered-off", lambda guest: guest.destroy())
RESET = Change("reset", lambda guest: guest.domain.reset())
UNDEFINED = Change("undefined", lambda guest: guest.undefine())
VANISHED = Change("vanished", vanish)
RENAMED = Change("renamed", rename)
BLOCK_JOB = Change("block-job", begin_block_job, end_block_job)

CASES = [(Take(), "take.planned", "writer", KILLED), (Take(), "take.planned", "writer", VANISHED),
         (Take(), "take.planned", "off", RENAMED), (Take(), "take.planned", "off", VANISHED),
         (Take(), "fence.suspended", "writer", KILLED), (Take(), "fence.suspended", "writer", RESET),
         (Take(), "fence.suspended", "paused", POWERED_OFF), (Take(), "fence.captured", "writer", KILLED),
         (Take(), "take.captured", "writer", VANISHED), (Take(), "take.captured", "writer", UNDEFINED),
         (Take(), "take.planned", "writer", BLOCK_JOB), (Delete(), "delete.begun", "writer", BLOCK_JOB),
         (Delete(), "delete.begun", "writer", KILLED), (Delete(), "delete.begun", "writer", UNDEFINED),
         (Delete(), "delete.begun", "off", RENAMED), (Delete(), "delete.begun", "paused", VANISHED),
         (Delete(), "merge.before_pivot", "writer", KILLED), (Delete(), "merge.before_pivot", "writer", RESET),
         (DeleteLower(), "merge.before_commit", "writer", POWERED_OFF),
         (Export(), "export.begun", "writer", KILLED), (Export(), "export.begun", "off", VANISHED),
         (Backup(), "export.begun", "writer", KILLED), (Backup(), "export.begun", "writer", VANISHED)]


def owner_restores(site, guest, definition, state):
    """The owner has the machine back as it was: defined under its name, and running if it ran."""
    renamed = [domain for domain in site.lab.connection.listAllDomains() if domain.name() == guest.name + " renamed"]
    if renamed:
        renamed[0].rename(guest.name)
    there = {domain.name(): domain for domain in site.lab.connection.listAllDomains()}
    if guest.name not in there:
        site.lab.connection.defineXML(definition)
    elif not there[guest.name].isPersistent():
        site.lab.connection.defineXML(guest.xml(inactive=True))  # as it runs now
    if state != "shut off" and guest.state() == "shut off":
        guest.start()
        guest.wait_ready(timeout=400)
        if state == "paused":
            guest.pause()


def siblings_never_noticed(site, guest):
    for each, expected in ((site.writer, "running"), (site.paused, "paused"), (site.off, "shut off")):
        assert each is guest or each.state() == expected, (each, each.state())
    if guest is not site.writer:
        site.writer_has_written(above=site.last_token())


def mend_what_was_left(site, guest):
    """A backup names the overlays of a machine that has vanished, and the doctor merges them when it is back."""
    wanted = [word for name in overlays(guest) for word in ("--mend", f"unrecorded_overlay:{guest.folder / name}")]
    if wanted:
        site.cohort("host", "doctor", *wanted, check=False)


@pytest.mark.parametrize("operation, point, whose, change", CASES, ids=lambda value: value if isinstance(value, str)
                         else repr(value) if isinstance(value, Change) else type(value).__name__)
def test_a_machine_changes(site, operation, point, whose, change):
    guest = getattr(site, whose)
    site.stands_on_own_files()
    operation.prepare(site)
    state = guest.state()
    program = site.start(*operation.arguments(site), stop_at=point)
    wait_stopped(program, f"{operation} at {point}")
    definition = guest.xml(inactive=True)
    change.apply(guest)
    out, err = run_on(program)

    siblings_never_noticed(site, guest)
    assert program.returncode == 0 or guest.name in out, out + err
    change.end(guest)
    owner_restores(site, guest, definition, state)
    recovery = site.recover().json.get("recovery", {"failures": []})
    assert recovery["failures"] == [], recovery
    if program.returncode == 0 and operation.job_type in ("export", "backup"):
        site.package_is_whole(operation.target(site))
        site.remove(operation.target(site))
    for name in site.snapshots():
        site.cohort("snapshot", "delete", name)
    if change is VANISHED:
        mend_what_was_left(site, guest)
    site.stands_on_own_files()
    site.nothing_is_half_done()
