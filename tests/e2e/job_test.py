"""Jobs: every long operation can be followed, waited for and stopped by another process, and is remembered."""

import json
import signal
from pathlib import Path

import pytest

from harness import wait_until
from package_steps import SLOW, ended, names_in, refused, running_job
from world import bare_machine, take

# A step every few seconds, so that progress can be seen to grow, and more of them than a test waits for.
STEADY = ("--rate-limit", "256K")


@pytest.fixture(scope="module")
def snapshot(lab):
    """A snapshot of a machine that is off, with some 20 MiB to copy."""
    guest = lab.guest("still")
    lab.cohort("collection", "create", "still", guest.name)
    return take(lab, "still", "still")


def jobs(lab):
    return lab.cohort("job", "list").json["jobs"]


def show(lab, id):
    return lab.cohort("job", "show", id).json["job"]


@pytest.fixture
def exporting(lab, snapshot, request):
    """An export that copies: its process, and its job as a second process sees it."""
    target = lab.folder / f"exporting {request.node.name[:60]}"
    program = lab.cohort_start("export", "still", target, *STEADY)
    job = running_job(lab, "export")
    yield program, job, target
    if program.poll() is None:
        program.send_signal(signal.SIGINT)
        ended(program)


def test_every_operation_is_remembered_with_what_it_made(lab):
    machine = bare_machine(lab, "remembered")
    lab.cohort("collection", "create", "remembered", machine.name)
    taken = take(lab, "remembered", "r1")
    target = lab.folder / "remembered package"
    lab.cohort("export", "r1", target)
    lab.cohort("verify", target)
    storage = lab.new_folder("remembered storage")
    lab.cohort("import", target, "--name-prefix", "cohort-test-copy-", "--storage", storage)
    lab.cohort("snapshot", "delete", "r1")
    lab.cohort("backup", "--full", "remembered", lab.folder / "remembered backup")
    newest = jobs(lab)[:6]
    assert [job["type"] for job in newest] == ["backup", "delete_snapshot", "import", "verify", "export",
                                               "take_snapshot"]
    for job in newest:
        assert job["state"] == "completed" and job["error"] is None
        assert job["created"] <= job["started"] <= job["ended"]
        assert show(lab, job["id"]) == job
        assert lab.cohort("job", "wait", job["id"]).json["job"] == job
    subjects = [job["subject"] for job in newest]
    assert subjects == ["remembered", "r1", str(target), str(target), "r1", "remembered"]
    assert newest[0]["result"] == str(lab.folder / "remembered backup")
    assert newest[4]["result"] == str(target)
    assert newest[5]["result"] == taken["id"]


def test_a_failed_job_keeps_its_code_and_sentence(lab, snapshot):
    target = lab.folder / "missing" / "package"
    message = refused(lab, "not_found", "export", "still", target)
    job = jobs(lab)[0]
    assert (job["type"], job["state"]) == ("export", "failed")
    assert (job["error"]["code"], job["error"]["message"]) == ("not_found", message)
    waited = lab.cohort("job", "wait", job["id"], check=False)
    assert waited.rc == 3 and waited.json["job"] == job
    text = lab.cohort("job", "show", job["id"], json=False).out
    assert message in " ".join(text.split())


def test_a_second_process_sees_the_progress_grow(lab, exporting):
    program, job, _ = exporting
    assert job["pid"] == program.pid
    assert job["state"] == "running" and job["ended"] is None and job["error"] is None
    first = job["progress"]
    assert 0 < first["done_bytes"] < first["total_bytes"] and first["phase"]
    later = wait_until(lambda: grown(lab, job["id"], first["done_bytes"]), 120, "the progress grows")
    assert later["state"] == "running"
    assert later["progress"]["done_bytes"] <= later["progress"]["total_bytes"] == first["total_bytes"]
    table = lab.cohort("job", "list", json=False).out
    assert any(job["id"][:4] in line and "running" in line for line in table.splitlines())


def grown(lab, id, above):
    job = show(lab, id)
    return job if job["progress"]["done_bytes"] > above else None


def test_waiting_ends_at_its_timeout_and_the_job_goes_on(lab, exporting):
    program, job, _ = exporting
    refused(lab, "timeout", "job", "wait", job["id"], "--timeout", "0.5")
    assert show(lab, job["id"])["state"] == "running" and program.poll() is None


def test_interrupting_the_waiting_does_not_touch_the_job(lab, exporting):
    program, job, _ = exporting
    waiting = lab.cohort_start("job", "wait", job["id"])
    wait_until(lambda: is_connected_to_state(waiting, lab), 60, "the waiting process reads the state")
    waiting.send_signal(signal.SIGINT)
    assert ended(waiting)[0] != 0
    assert show(lab, job["id"])["state"] == "running" and program.poll() is None


def is_connected_to_state(program, lab):
    """Whether the process has opened the state: it is past its start."""
    for link in Path(f"/proc/{program.pid}/fd").glob("*"):
        try:
            if link.readlink() == lab.state / "cohort.db":
                return True
        except OSError:
            continue
    return False


def test_a_cancel_ends_the_job_and_those_who_wait_for_it(lab, exporting):
    program, job, target = exporting
    waiting = lab.cohort_start("job", "wait", job["id"], json=True)
    # The first characters of an id are enough.
    assert lab.cohort("job", "cancel", job["id"][:8]).json["cancel_requested"] is True
    status, out, err = ended(waiting)
    assert status == 130, out + err
    assert json.loads(out)["job"]["state"] == "cancelled"
    assert ended(program)[0] == 130
    cancelled = show(lab, job["id"])
    assert (cancelled["state"], cancelled["error"]["code"]) == ("cancelled", "cancelled")
    assert cancelled["ended"] >= cancelled["started"]
    assert not [name for name in names_in(lab.folder) if name.startswith(target.name)]
    message = refused(lab, "invalid_state", "job", "cancel", job["id"])
    assert "cancelled" in message
    assert show(lab, job["id"]) == cancelled


def test_waiting_for_a_job_that_completes(lab, snapshot):
    target = lab.folder / "waited for"
    program = lab.cohort_start("export", "still", target, "--rate-limit", "4M")
    job = running_job(lab, "export")
    waited = lab.cohort("job", "wait", job["id"])
    assert waited.json["job"]["state"] == "completed" and waited.json["job"]["result"] == str(target)
    assert (target / "cohort.json").exists()
    assert ended(program)[0] == 0


@pytest.mark.parametrize("verb", ["show", "wait", "cancel"])
def test_an_unknown_job_is_refused(lab, snapshot, verb):
    assert "4242" in refused(lab, "not_found", "job", verb, "42424242-0000-4000-8000-000000000000")


def test_looking_at_jobs_makes_none(lab, snapshot):
    before = jobs(lab)
    lab.cohort("job", "list", json=False)
    lab.cohort("snapshot", "list")
    lab.cohort("snapshot", "show", "still")
    lab.cohort("export", "still", lab.folder / "dry", "--dry-run")
    assert jobs(lab) == before


def test_a_second_ctrl_c_explains_and_the_cancel_still_ends_well(lab, snapshot):
    target = lab.folder / "twice"
    program = lab.cohort_start("export", "still", target, *SLOW)
    running_job(lab, "export")
    for _ in range(2):
        program.send_signal(signal.SIGINT)
    status, _, err = ended(program)
    assert status == 130
    assert "ancel" in err
    assert not [name for name in names_in(lab.folder) if name.startswith("twice")]
