"""What the tests of storage faults have in common."""

import json

from harness.lab import Ran
from harness.stopping import run_on, wait_stopped
from package_steps import EXIT_CODES


def stopped_at(lab, point, *arguments):
    """Starts the program, which stands at the point when this returns."""
    program = lab.cohort_start(*arguments, json=True, env={"COHORT_STOP_AT": point})
    wait_stopped(program, f"{arguments} at {point}")
    return program


def goes_on_to_end(program):
    out, err = run_on(program)
    return Ran(program.returncode, out, err, json.loads(out))


def goes_on_and_fails(program, code):
    """Lets the program go on; it must fail with this code. Returns what it says."""
    ran = goes_on_to_end(program)
    assert "error" in ran.json, ran
    error = ran.json["error"]
    assert (error["code"], ran.rc) == (code, EXIT_CODES[code]), error
    return error["message"]


def succeeds(lab, *arguments, recovers=False):
    """Runs a command that must succeed, and says whether something had to be taken back before it."""
    ran = lab.cohort(*arguments)
    assert ("recovery" in ran.json) == recovers, ran.json
    assert not recovers or not ran.json["recovery"]["failures"], ran.json
    return ran.json


def last_job(lab):
    return lab.cohort("job", "list").json["jobs"][0]


def is_told_as_failed(lab, type, code):
    """The newest job has the end that it had."""
    job = last_job(lab)
    assert (job["type"], job["state"], job["error"]["code"]) == (type, "failed", code), job
    assert job["ended"]
    return True


def nothing_is_open(lab):
    assert [job for job in lab.cohort("job", "list").json["jobs"] if job["state"] in ("queued", "running")] == []
    return True
