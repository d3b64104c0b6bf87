"""Proves the harness and the test guest: run it with /usr/bin/pytest-3 tests/harness/selftest.py"""

import contextlib
import errno
import signal
import subprocess
import sys
import time
from pathlib import Path

import libvirt
import pytest

from . import daemons, folders, inspect, lab as lab_module, processes
from .faulty_files import FaultyFiles
from .images import MIB, Disk, run
from .lab import CohortFailed, Lab, cleanup_leftovers
from .storage import SmallFileSystem
from .waiting import TimedOut, wait_until

VARIANTS = {
    "bios-qcow2": {},
    "uefi-qcow2": {"firmware": "uefi"},
    "bios-raw-single-disk": {"disks": [Disk("raw")], "single_disk": True},
    "uefi-qcow2-single-disk": {"disks": [Disk()], "single_disk": True, "firmware": "uefi"},
    "three-disks": {"disks": [Disk(), Disk("raw"), Disk(size=32 * MIB, backing=True)]},
    "sata": {"disks": [Disk(bus="sata"), Disk("raw", bus="sata")]},
    "scsi": {"disks": [Disk(bus="scsi")]},
    "uefi-tpm": {"firmware": "uefi", "tpm": True},
    "options": {"disks": [Disk(create="extended_l2=on,cluster_size=128k", backing=True,
                               driver={"cache": "none", "io": "native", "discard": "unmap"})],
                "boot": Disk("raw"), "machine": "pc"},
}


@pytest.fixture
def lab():
    with Lab() as opened:
        yield opened


def traces(folder):
    """What is left of a lab."""
    connection = libvirt.open(daemons.URI)
    domains = [domain.name() for domain in connection.listAllDomains()
               if folder in folders.folders_in(domain.XMLDesc())]
    files = [folder] if folder.exists() else []
    return domains + files + processes.of_folder(folder)


@pytest.mark.parametrize("variant", VARIANTS)
def test_variant_boots_and_its_tokens_are_on_its_disks(lab, variant, record_property):
    guest = lab.guest(f"{variant} ä 1", role="writer", interval_ms=50, **VARIANTS[variant])
    began = time.monotonic()
    guest.start()
    assert guest.wait_ready() == 1
    seconds = time.monotonic() - began
    record_property("boot_seconds", seconds)
    print(f"{variant}: {seconds:.1f} s to user space")
    guest.wait_agent()
    assert guest.state() == "running"
    seen = guest.wait_token(above=20)
    guest.destroy()
    disks = [inspect.tokens(path) for path in guest.data_paths()]
    print(f"{variant}: {token_rate(disks[0]):.0f} tokens a second")
    assert len(disks) == (1 if guest.images["boot"] == guest.images["data"] else len(guest.images) - 1)
    assert disks[0][-1].number >= seen
    assert inspect.token_faults(disks) == []


def token_rate(tokens):
    return (len(tokens) - 1) * 1e6 / (tokens[-1].time_us - tokens[0].time_us)


def test_tokens_go_on_after_loss_of_power_and_after_a_clean_shutdown(lab):
    guest = lab.guest("again", role="writer", interval_ms=20)
    assert guest.start().wait_ready() == 1
    first = guest.wait_token(above=10)
    guest.destroy()
    assert inspect.needed_recovery(guest.image())
    assert guest.start().wait_ready() == 2
    second = guest.wait_token(above=first)
    guest.shutdown()
    assert guest.state() == "shut off"
    with inspect.Filesystem(guest.image()) as filesystem:
        assert not filesystem.needed_recovery
        assert filesystem.read("/boot") == b"2\n"
        assert filesystem.tokens()[-1].number >= second
        assert inspect.token_faults([filesystem.tokens()]) == []


def test_pingpong_advances_and_the_paused_cut_is_consistent(lab):
    ping, pong = lab.pingpong()
    for guest in (ping, pong):
        guest.start()
    for guest in (ping, pong):
        guest.wait_ready()
        guest.wait_pingpong(above=20)
    began, before = time.monotonic(), ping.pingpong_seen()[-1]
    after = ping.wait_pingpong(above=before + 100)
    print(f"pingpong: {(after - before) / (time.monotonic() - began):.0f} exchanges a second")
    # Pausing one after the other is no instant, yet here nothing else can move while one stands still.
    ping.pause()
    time.sleep(0.5)
    pong.pause()
    logs = [inspect.pingpong_log(guest.image()) for guest in (ping, pong)]
    assert logs[0][-1][1] >= 100
    assert inspect.pingpong_faults(*logs) == []

    for guest in (ping, pong):
        guest.destroy()
    for guest in (ping, pong):
        guest.start()
    for guest in (ping, pong):
        guest.wait_pingpong(above=after)
        assert "gap" not in guest.console() and "behind" not in guest.console()


def take_disk_snapshot(guest):
    guest.domain.snapshotCreateXML("<domainsnapshot/>", libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY |
                                   libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA)


def test_pingpong_shows_a_cut_that_is_no_instant(lab):
    ping, pong = lab.pingpong()
    for guest in (ping, pong):
        guest.start()
    for guest in (ping, pong):
        guest.wait_pingpong(above=20)
    take_disk_snapshot(ping)
    pong.wait_pingpong(above=pong.pingpong_seen()[-1])
    take_disk_snapshot(pong)
    assert ping.data_paths() != [ping.image()]
    assert inspect.pingpong_faults(*[inspect.pingpong_log(guest.image()) for guest in (ping, pong)])


def test_agent_reboots_the_guest(lab):
    guest = lab.guest("reboots")
    guest.start().wait_agent()
    with contextlib.suppress(libvirt.libvirtError):  # it may not answer any more
        guest.agent("guest-shutdown", mode="reboot")
    guest.wait_ready(boot=2)
    assert guest.is_active()


def test_agent_freezes_the_data_disk(lab):
    guest = lab.guest("frozen", role="writer", interval_ms=10)
    guest.start().wait_agent()
    guest.wait_token(above=5)
    assert guest.agent("guest-fsfreeze-freeze") >= 1
    assert not inspect.needed_recovery(guest.image())
    assert guest.agent("guest-fsfreeze-thaw") >= 1
    guest.wait_token(above=guest.tokens_seen()[-1])
    guest.pause()
    assert guest.state() == "paused"
    assert inspect.needed_recovery(guest.image())


def test_agent_can_be_absent_or_refuse(lab):
    refusing = lab.guest("refusing", role_options={"FREEZE": "fail"})
    silent = lab.guest("silent", role_options={"AGENT": "no"})
    refusing.start()
    silent.start()
    silent.wait_ready()
    refusing.wait_agent()
    with pytest.raises(libvirt.libvirtError):
        refusing.agent("guest-fsfreeze-freeze")
    assert not silent.agent_answers()


def test_a_copy_of_the_disks_boots_elsewhere(lab):
    original = lab.guest("original", role="writer")
    original.start().wait_ready()
    original.wait_token(above=5)
    original.destroy()
    copy = lab.new_folder("copy")
    xml = original.xml(inactive=True).replace(original.uuid, "").replace("<uuid></uuid>", "")
    for path in original.images.values():
        run("cp", "--sparse=always", path, copy / path.name)
    xml = xml.replace(str(original.folder), str(copy)).replace(original.name, "cohort-test-imported")
    lab.connection.defineXML(xml)
    imported = lab.adopt("cohort-test-imported")
    assert imported.start().wait_ready() == 2
    assert imported.disk_paths()["vda"].parent == copy


def test_faults_are_found():
    token = inspect.Token
    assert inspect.token_faults([[token(1, 0), token(3, 0)]])
    assert inspect.token_faults([[token(1, 0)], [token(1, 0), token(2, 0)]])
    assert inspect.token_faults([[token(1, 0), token(2, 0), token(3, 0)], [token(1, 0)]])
    assert not inspect.token_faults([[token(1, 0), token(2, 0)], [token(1, 0)]])
    assert not inspect.pingpong_faults([("sent", 1)], [])
    assert inspect.pingpong_faults([], [("recv", 1)])
    assert inspect.pingpong_faults([("sent", 1), ("recv", 1)], [("recv", 1)])


def test_waiting_ends_with_what_was_waited_for():
    with pytest.raises(TimedOut, match="the moon"):
        wait_until(lambda: False, 0.2, "the moon")


def test_cohort_runs_the_program_with_the_labs_state(lab, monkeypatch):
    program = lab.folder / "program"
    program.write_text('#!/bin/sh\necho "{\\"arguments\\": \\"$*\\", \\"more\\": \\"$MORE\\"}"\n'
                       'case "$*" in *fail*) exit 3;; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("COHORT", str(program))
    ran = lab.cohort("collection", "list", env={"MORE": "yes"})
    assert ran.json == {"arguments": f"--state {lab.state} --json collection list", "more": "yes"}
    assert lab.cohort("fail", check=False).rc == 3
    with pytest.raises(CohortFailed):
        lab.cohort("fail")


def test_close_leaves_nothing(lab):
    folder = lab.folder
    guest = lab.guest("leaves nothing", firmware="uefi", tpm=True)
    uuid = guest.uuid
    guest.start()
    take_disk_snapshot(guest)
    nbd = subprocess.Popen(["qemu-nbd", "-k", str(folder / "nbd"), "-f", "qcow2", "-r", "-t", guest.image()])
    wait_until((folder / "nbd").exists, 10, "qemu-nbd listens")
    assert len(traces(folder)) >= 4
    lab.close()
    nbd.wait(timeout=5)
    assert traces(folder) == []
    assert not Path("/var/lib/libvirt/swtpm", uuid).exists()
    logs = [path for top in ("/var/log/libvirt", "/var/log/swtpm")
            for path in Path(top).rglob("*leaves nothing*")]
    assert logs == []


def test_close_takes_away_what_is_mounted(lab):
    small, faulty = SmallFileSystem(lab.folder / "a small one", 16), FaultyFiles(lab.folder / "a faulty one")
    (faulty.place / "file").write_text("there")
    faulty.fail("read", errno.EIO, "/f*e")
    with pytest.raises(OSError):
        (faulty.place / "file").read_text()
    with small.full(), pytest.raises(OSError):
        (small.place / "file").write_bytes(b"x" * 4096)
    lab.close()
    assert str(lab.folder) not in Path("/proc/self/mountinfo").read_text()
    assert not lab.folder.exists()


CHILD = """
import time
from harness import Lab
lab = Lab()
guest = lab.guest("child")
guest.start()
print(lab.folder, flush=True)
time.sleep(60)
"""


def start_child():
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, cwd=Path(__file__).parents[1],
                             start_new_session=True)
    return child, Path(child.stdout.readline().strip())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_leave_nothing(number):
    child, folder = start_child()
    assert len(traces(folder)) >= 2
    child.send_signal(number)
    assert child.wait(timeout=30) != 0
    assert traces(folder) == []


def test_cleanup_removes_what_a_killed_run_left_and_spares_the_living(lab):
    living = lab.guest("living").start()
    child, folder = start_child()
    cleanup_leftovers()
    assert len(traces(folder)) >= 2
    child.kill()
    child.wait()
    assert len(traces(folder)) >= 2
    cleanup_leftovers()
    assert traces(folder) == []
    assert living.is_active() and lab.folder.exists()


def test_adopt_refuses_other_peoples_domains(lab):
    with pytest.raises(ValueError):
        lab.adopt("production")
    assert lab_module.NAME_PREFIX == folders.PREFIX
