"""Somebody else changes a machine in the middle of an operation: it is done, or all is as before, and the siblings never
notice.

The program stops itself at a named place meanwhile, and is then let go on.
"""

import os
import signal
import subprocess

import pytest

from cancel_test import is_stopped
from crash_site import ALL
from harness import wait_until
from libvirtd_test import ended
from operations import Backup, Delete, DeleteLower, Export, Take


class Change:
    """What is done to a machine, and how its owner has it back."""

    def __init__(self, name, apply, restores_run=True):
        self.name, self.apply, self.restores_run = name, apply, restores_run

    def __repr__(self):
        return self.name


def kill_qemu(guest):
    pid = int(subprocess.run(["pgrep", "-f", f"guest={guest.name},"], text=True, capture_output=True,
                             check=True).stdout.split()[0])
    os.kill(pid, signal.SIGKILL)
    guest.wait_state("shut off")


def vanish(guest):
    guest.destroy()
    guest.undefine()


def rename(guest):
    guest.domain.rename(guest.name + " renamed")


KILLED = Change("killed", kill_qemu)
POWERED_OFF = Change("powered-off", lambda guest: guest.destroy())
RESET = Change("reset", lambda guest: guest.domain.reset())
UNDEFINED = Change("undefined", lambda guest: guest.undefine())
VANISHED = Change("vanished", vanish)
RENAMED = Change("renamed", rename)

CASES = [(Take(), "take.planned", "writer", KILLED), (Take(), "take.planned", "writer", VANISHED),
         (Take(), "take.planned", "off", RENAMED), (Take(), "take.planned", "off", VANISHED),
         (Take(), "fence.suspended", "writer", KILLED), (Take(), "fence.suspended", "writer", RESET),
         (Take(), "fence.suspended", "paused", POWERED_OFF), (Take(), "fence.captured", "writer", KILLED),
         (Take(), "take.captured", "writer", VANISHED), (Take(), "take.captured", "writer", UNDEFINED),
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
    defined = {domain.name(): domain for domain in site.lab.connection.listAllDomains()}
    if guest.name not in defined or not defined[guest.name].isPersistent():
        site.lab.connection.defineXML(definition)
    if state != "shut off" and guest.state() == "shut off":
        guest.start()
        guest.wait_ready(timeout=400)
        if state == "paused":
            guest.pause()


@pytest.mark.parametrize("operation, point, whose, change", CASES, ids=lambda value: value if isinstance(value, str)
                         else repr(value) if isinstance(value, Change) else type(value).__name__)
def test_a_machine_changes(site, operation, point, whose, change):
    guest = getattr(site, whose)
    site.stands_on_own_files()
    clean = guest.xml(inactive=True)
    operation.prepare(site)
    state = guest.state()
    program = site.start(*operation.arguments(site), stop_at=point)
    wait_until(lambda: is_stopped(program) or program.poll() is not None, 120, f"{operation} reaches {point}")
    assert program.poll() is None, f"{point} was not reached: {program.communicate()}"
    definition = guest.xml(inactive=True)
    change.apply(guest)
    out, err = ended(program)
    print(change, program.returncode, out, err)

    siblings = [each for each in site.guests if each is not guest]
    for each, expected in ((site.writer, "running"), (site.paused, "paused"), (site.off, "shut off")):
        if each in siblings:
            assert each.state() == expected, (each, each.state())
    if site.writer in siblings:
        site.writer_has_written(above=site.last_token())
    owner_restores(site, guest, definition if program.returncode else clean, state)
    recovery = site.recover().json.get("recovery", {"failures": []})
    print(recovery)
    assert recovery["failures"] == [], recovery
    if program.returncode:
        assert guest.name in out, out
    for name in list(site.snapshots()):
        site.cohort("snapshot", "delete", name)
    site.stands_on_own_files()
    site.nothing_is_half_done()
