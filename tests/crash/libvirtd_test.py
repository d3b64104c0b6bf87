"""libvirtd is killed in the middle of each operation, and comes back: nobody stays paused, and all is done or as before.

The program stops itself at a named place meanwhile, and is then let go on.
"""

import os
import random
import re
import signal
import threading
import time

import pytest

from crash_site import OFF
from harness import daemons
from harness.stopping import run_on, wait_stopped
from libvirtd_death import STATUS
from lost_machine import end_lost, qemu_of
from operations import Backup, Delete, DeleteLower, Export, Import, Take, TakeFrozen, Try

CASES = [(Take(), "take.planned"), (Take(), "fence.suspended"), (Take(), "capture.after_snapshot"),
         (Take(), "fence.captured"), (Take(), "take.captured"),
         (TakeFrozen(), "freeze.frozen"), (TakeFrozen(), "fence.resumed"),
         (Delete(), "merge.before_commit"), (Delete(), "merge.before_pivot"), (Delete(OFF), "merge.offline_marked"),
         (Export(), "export.disks_copied"), (Import(), "import.before_define"), (Import(), "import.started"),
         (Try(), "try.before_start"), (Try(), "try.running"), (Backup(), "export.begun")]

RESTART_S = 2


@pytest.mark.parametrize("operation, point", CASES, ids=lambda value: value if isinstance(value, str)
                         else type(value).__name__)
def test_libvirtd_is_killed(site, operation, point):
    operation.prepare(site)
    before, token = site.picture(), site.last_token()
    program = site.start(*operation.arguments(site), stop_at=point)
    wait_stopped(program, f"{operation} at {point}")
    daemons.kill("libvirtd")
    daemons.ensure()
    out, err = run_on(program)

    site.members_go_on()
    site.writer_has_written(above=token)
    recovery = site.recover().json.get("recovery", {"failures": []})
    assert recovery["failures"] == [], out + err
    if program.returncode == 0 or operation.is_done(site):
        operation.check_done(site)
    else:
        # A deletion that failed half way waits for its user.
        if operation.job_type == "delete_snapshot":
            site.cohort(*operation.arguments(site))
            operation.check_done(site)
        else:
            operation.check_undone(site)
            assert site.picture() == before
            operation.give_up(site)
            operation.prepare(site)
            site.cohort(*operation.arguments(site))
            operation.check_done(site)
    operation.undo(site)
    site.nothing_is_half_done()


def libvirtd_believes_that_it_runs(guest):
    """As if libvirtd had died after QEMU stopped the machine, and before it noted so. REQUIRES: it does not run."""
    status = STATUS / f"{guest.name}.xml"
    text, count = re.subn(r"<domstatus state='paused' reason='\w+'", "<domstatus state='running' reason='booted'",
                          status.read_text())
    assert count == 1, status.read_text()
    status.write_text(text)


def test_a_machine_is_resumed_that_a_new_libvirtd_takes_for_running(site):
    """It tells what it knew until QEMU has answered it, and that may take a while."""
    operation = Take()
    operation.prepare(site)
    token = site.last_token()
    program = site.start(*operation.arguments(site), stop_at="fence.captured")
    wait_stopped(program, "a snapshot")
    [qemu] = qemu_of(site.writer)
    os.kill(qemu, signal.SIGSTOP)
    try:
        daemons.kill("libvirtd")
        libvirtd_believes_that_it_runs(site.writer)
        daemons.ensure()
        assert site.writer.state() == "running"
        program.send_signal(signal.SIGCONT)
        time.sleep(2)
    finally:
        os.kill(qemu, signal.SIGCONT)
    out, err = run_on(program)
    site.members_go_on()
    site.writer_has_written(above=token)
    assert site.recover().json.get("recovery", {"failures": []})["failures"] == [], out + err
    if program.returncode == 0:
        operation.check_done(site)
        operation.undo(site)
    else:
        operation.check_undone(site)
    site.nothing_is_half_done()


@pytest.mark.parametrize("operation, point", [(Delete(), "merge.before_commit"), (DeleteLower(), "merge.before_commit"),
                                              (Delete(OFF), "merge.offline_after_commit")],
                         ids=["running", "lower", "off"])
def test_a_deletion_outlives_a_restart_of_libvirtd(site, operation, point):
    """It waits for libvirtd to come back, finds its block jobs again, and goes on."""
    operation.prepare(site)
    token = site.last_token()
    program = site.start(*operation.arguments(site), stop_at=point)
    wait_stopped(program, f"{operation} at {point}")
    daemons.kill("libvirtd")
    back = threading.Timer(RESTART_S, daemons.ensure)
    back.start()
    try:
        out, err = run_on(program)
    finally:
        back.join()
    assert program.returncode == 0, out + err
    operation.check_done(site)
    site.writer_has_written(above=token)
    operation.undo(site)
    site.nothing_is_half_done()


def test_no_token_is_lost_when_libvirtd_is_killed_while_disks_are_switched(site):
    """It then loses a machine now and then; nothing is merged as long as that runs, and all is well once its owner has
    defined it as it runs."""
    chance = random.Random(7)  # enough to lose it once or twice here
    operation, lost, kept = Delete(), 0, 0
    for number in range(6):
        operation.prepare(site)
        program = site.start(*operation.arguments(site), stop_at="merge.before_pivot")
        wait_stopped(program, f"{operation} at its first switch")
        program.send_signal(signal.SIGCONT)
        time.sleep(chance.uniform(0, 0.06))
        daemons.kill("libvirtd")
        daemons.ensure()
        out, err = run_on(program)
        if not site.writer.is_active():
            assert program.returncode == 6 and "query-block" in out and site.writer.name in out, out + err
            lost += end_lost(site.writer)
            site.writer.start().wait_ready(timeout=400)
        elif "Shut the machine down and start it" in out:  # it has kept a job that is over: lesson 15
            kept += 1
            site.writer.destroy()
            site.writer.start().wait_ready(timeout=400)
        assert site.recover().json.get("recovery", {"failures": []})["failures"] == []
        if not operation.is_done(site):
            site.cohort(*operation.arguments(site))
        operation.check_done(site)
        site.writer_has_written(above=max(site.writer.tokens_seen(), default=0))
    print(f"libvirtd lost the machine {lost} times, and kept a job {kept} times, in {number + 1} rounds")
    site.writer_has_lost_nothing()
    site.nothing_is_half_done()
