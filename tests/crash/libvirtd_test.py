"""libvirtd is killed in the middle of each operation, and comes back: nobody stays paused, and all is done or as before.

The program stops itself at a named place meanwhile, and is then let go on.
"""

import subprocess
from pathlib import Path

import pytest

from crash_site import OFF
from harness import daemons, wait_until
from harness.stopping import run_on, wait_stopped
from operations import Backup, Delete, Export, Import, Take, Try

CASES = [(Take(), "take.planned"), (Take(), "fence.suspended"), (Take(), "capture.after_snapshot"),
         (Take(), "fence.captured"), (Take(), "take.captured"),
         (Delete(), "merge.before_commit"), (Delete(), "merge.before_pivot"), (Delete(OFF), "merge.offline_marked"),
         (Export(), "export.disk_copied"), (Import(), "import.before_define"), (Import(), "import.started"),
         (Try(), "try.before_start"), (Try(), "try.running"), (Backup(), "export.begun")]


def kill_libvirtd():
    """Another one runs when this returns."""
    killed = subprocess.run(["pgrep", "-x", "libvirtd"], text=True, capture_output=True, check=True).stdout.split()
    subprocess.run(["kill", "-KILL", *killed], check=True)
    wait_until(lambda: not any(Path("/proc", pid).exists() for pid in killed), 20, "libvirtd has ended")
    daemons.ensure()


@pytest.mark.parametrize("operation, point", CASES, ids=lambda value: value if isinstance(value, str)
                         else type(value).__name__)
def test_libvirtd_is_killed(site, operation, point):
    operation.prepare(site)
    before, token = site.picture(), site.last_token()
    program = site.start(*operation.arguments(site), stop_at=point)
    wait_stopped(program, f"{operation} at {point}")
    kill_libvirtd()
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
