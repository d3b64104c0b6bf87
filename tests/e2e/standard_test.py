"""Standard snapshots: the memory of all members at the instant of their disks, how long the fence is for it, and that
nobody stays standing still whatever happens meanwhile."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import libvirt
import pytest

from harness import Disk, Lab, wait_until
from harness.images import MIB
from witness import Witness
from world import bare_machine, error_of, forget_all, member, overlays, picture, snapshots, take

LONG_DEADLINE_S = 120
BUSY_HOST_S = 20


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.running = opened.guest("remembered ü", role="writer", disks=[Disk(size=32 * MIB)])
        opened.paused = opened.guest("paused by its user", role="writer", disks=[Disk(size=32 * MIB)])
        opened.off = bare_machine(opened, "off", ["qcow2", "raw"])
        for guest in (opened.running, opened.paused):
            guest.start()
        for guest in (opened.running, opened.paused):
            guest.wait_ready(600)
            guest.wait_token(above=3, timeout=600)
        opened.paused.pause()
        opened.all = (opened.running, opened.paused, opened.off)
        opened.cohort("collection", "create", "all", *[guest.name for guest in opened.all])
        opened.cohort("collection", "create", "one", opened.running.name)
        yield opened


@pytest.fixture(autouse=True)
def nothing_stays(lab):
    """Each test finds the machines on their own disks; the paused one, whose memory can be saved again."""
    yield
    forget_all(lab, but=("all", "one"))
    lab.paused.resume()
    lab.paused.wait_token(above=lab.paused.tokens_seen()[-1], timeout=120)
    lab.paused.pause()
    lab.running.wait_token(above=lab.running.tokens_seen()[-1], timeout=120)
    assert overlays(*lab.all) == []


def memory_of(snapshot, guest):
    memory = member(snapshot, guest)["memory"]
    return memory and Path(memory["path"])


def disk_in_memory(lab, file):
    """What the saved machine has for its disks, as libvirt reads the file."""
    xml = lab.connection.saveImageGetXMLDesc(str(file), 0)
    assert "<domain" in xml
    return xml


def test_memory_of_all_that_were_not_off_is_kept_beside_the_disks(lab):
    planned = lab.cohort("snapshot", "take", "all", "--standard", "--dry-run").json["plan"]
    assert planned["kind"] == "standard" and planned["memory_bytes"] == 2 * 128 * MIB
    assert planned["estimated_saving_ms"] == 2 * 128 * MIB * 1000 // planned["assumed_bytes_per_second"]
    assert planned["deadline_ms"] == 2000 + 2 * planned["estimated_saving_ms"]
    before = {guest.name: guest.state() for guest in lab.all}
    with Witness() as witness:
        snapshot = take(lab, "all", "remembered", "--standard")
        assert witness.of(lab.paused) == []
    assert {guest.name: guest.state() for guest in lab.all} == before
    assert snapshot["kind"] == "standard" and snapshot["state"] == "ready" and snapshot["fence"]["proven"]
    for guest in (lab.running, lab.paused):
        file = memory_of(snapshot, guest)
        assert file.parent == guest.folder and file.stat().st_mode & 0o077 == 0
        assert 20 * MIB < file.stat().st_size == member(snapshot, guest)["memory"]["size_bytes"]
        # It was saved before the disks were switched: it names the frozen files.
        xml = disk_in_memory(lab, file)
        assert all(disk["frozen"]["path"] in xml for disk in member(snapshot, guest)["disks"])
    assert memory_of(snapshot, lab.off) is None
    # The length that is shown contains the saving.
    assert snapshot["fence"]["raised_us"] >= member(snapshot, lab.running)["pause"]["length_us"] > 0
    lab.cohort("snapshot", "delete", "remembered")
    assert [file for guest in lab.all for file in guest.folder.glob("*.mem")] == []


def test_without_memory_it_is_as_short_as_any(lab):
    snapshot = take(lab, "all", "disks", "--disk-only")
    assert snapshot["kind"] == "standard"
    assert [each["memory"] for each in snapshot["members"]] == [None, None, None]
    assert not [file for guest in lab.all for file in guest.folder.glob("*.mem")]


def test_a_paused_machine_is_merged_although_its_memory_was_saved(lab):
    """QEMU gives up the images of a machine whose memory it has saved until it is resumed; this one is not."""
    before = picture(lab.paused)
    take(lab, "all", "one", "--standard")
    take(lab, "all", "two")
    lab.cohort("snapshot", "delete", "one")
    lab.cohort("snapshot", "delete", "two")
    assert picture(lab.paused) == before


def test_what_has_been_saved_since_it_was_paused_is_not_saved_again(lab):
    take(lab, "all", "one", "--standard")
    before = picture(*lab.all)
    refused = lab.cohort("snapshot", "take", "all", "--name", "two", "--standard", check=False)
    assert error_of(refused)["code"] == "invalid_state" and "--disk-only" in error_of(refused)["message"]
    assert lab.paused.name in error_of(refused)["message"]
    assert picture(*lab.all) == before and list(snapshots(lab)) == ["one"]
    take(lab, "all", "two", "--disk-only")


def test_no_memory_is_kept_of_guests_that_are_to_be_frozen(lab):
    refused = lab.cohort("snapshot", "take", "all", "--standard", "--consistency", "best", check=False)
    assert refused.rc == 2 and "--disk-only" in error_of(refused)["message"]


def begin(lab, fate, place, *options):
    return lab.cohort_start("snapshot", "take", "one", "--name", "doomed", "--standard", *options,
                            env={f"COHORT_{fate}_AT": place})


def is_saving(guest):
    return guest.domain.jobInfo()[0] != libvirt.VIR_DOMAIN_JOB_NONE


def test_cancelled_while_memory_is_saved(lab):
    before = picture(lab.running)
    program = begin(lab, "NOTHING", "x", "--deadline", LONG_DEADLINE_S * 1000)
    wait_until(lambda: program.poll() is not None or lab.running.state() == "paused", 60, "the fence is up")
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    lab.running.wait_state("running")
    if program.returncode != 0:
        assert picture(lab.running) == before and snapshots(lab) == {}, out + err


@pytest.mark.parametrize("place", ["fence.suspended", "capture.before_snapshot", "capture.after_snapshot",
                                   "fence.captured"])
def test_killed_in_the_fence(lab, place):
    before = picture(lab.running)
    with Witness() as witness:
        program = begin(lab, "KILL", place, "--deadline", LONG_DEADLINE_S * 1000)
        assert program.wait(timeout=120) == -signal.SIGKILL
        died = time.time()
        _stopped, resumed = witness.wait_pause(lab.running)
        assert resumed - died < BUSY_HOST_S
    lab.cohort("collection", "create", "after")
    assert picture(lab.running) == before and not list(lab.running.folder.glob("*.mem"))


def writer_of_memory(guest):
    """The process through which libvirt writes the guest's memory."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        if b"iohelper" in words and str(guest.folder).encode() in words:
            return int(process.name)
    return None


def write_slowly(process, is_over):
    """The process gets on in small steps, as on slow storage, until it has ended or `is_over`."""
    with contextlib.suppress(ProcessLookupError):
        while not is_over.wait(0.001):
            os.kill(process, signal.SIGSTOP)
            is_over.wait(0.05)
            os.kill(process, signal.SIGCONT)


@contextlib.contextmanager
def memory_written_slowly(guest, program):
    """Goes on when the guest's memory has begun to be written; that takes minutes."""
    found = []

    def has_begun():
        found[:] = [writer_of_memory(guest)]
        assert program.poll() is None, program.communicate()
        return found[0] is not None
    wait_until(has_begun, 60, "memory is saved", 0.001)
    is_over = threading.Event()
    storage = threading.Thread(target=write_slowly, args=(found[0], is_over))
    storage.start()
    try:
        yield
    finally:
        is_over.set()
        storage.join()


def test_killed_while_memory_is_saved(lab):
    """libvirt goes on saving by itself; the guard ends that, since no machine can be resumed before."""
    before = picture(lab.running)
    with Witness() as witness:
        program = begin(lab, "NOTHING", "x", "--deadline", LONG_DEADLINE_S * 1000)
        with memory_written_slowly(lab.running, program):
            assert is_saving(lab.running)
            program.kill()
            assert program.wait() == -signal.SIGKILL
            died = time.time()
            wait_until(lambda: not is_saving(lab.running), BUSY_HOST_S, "the saving is broken off")
        _stopped, resumed = witness.wait_pause(lab.running)
        assert resumed - died < BUSY_HOST_S
    lab.cohort("collection", "create", "after")
    assert picture(lab.running) == before and not list(lab.running.folder.glob("*.mem"))


def test_past_the_deadline_the_saving_is_broken_off(lab):
    """The program hangs; the guard counts the time."""
    before = picture(lab.running)
    with Witness() as witness:
        program = begin(lab, "HANG", "capture.before_snapshot", "--deadline", "3000")
        stopped, resumed = witness.wait_pause(lab.running)
        assert 2.5 < resumed - stopped < 3 + BUSY_HOST_S
        program.kill()
        program.wait()
    lab.cohort("collection", "create", "after")
    assert picture(lab.running) == before


def test_a_deadline_that_is_too_short_for_the_memory(lab):
    before = picture(lab.running)
    program = begin(lab, "NOTHING", "x", "--deadline", "1000")
    with memory_written_slowly(lab.running, program):
        out, err = program.communicate(timeout=BUSY_HOST_S)
    assert program.returncode == 8 and "within 1000 ms" in err, out + err
    lab.running.wait_state("running")
    assert picture(lab.running) == before and not list(lab.running.folder.glob("*.mem"))
