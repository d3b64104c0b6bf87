"""The fence is real: in no snapshot was a message received that had not been sent."""

import subprocess

import pytest

from harness import Lab, daemons, inspect
from world import frozen, member, take

FENCES = 20
CUTS = 20  # one after another; the first ones show it


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.pair = opened.pingpong()
        for guest in opened.pair:
            guest.start()
        for guest in opened.pair:
            guest.wait_ready(600)
        for guest in opened.pair:
            guest.wait_pingpong(above=10, timeout=600)
        opened.cohort("collection", "create", "pair", *[guest.name for guest in opened.pair])
        yield opened


def frozen_logs(snapshot, pair):
    return [inspect.pingpong_log(*frozen(snapshot, guest)["vdb"]) for guest in pair]


def test_no_snapshot_shows_a_message_received_but_never_sent(lab):
    ping, pong = lab.pair
    received = 0
    for number in range(FENCES):
        snapshot = take(lab, "pair", f"cut {number}")
        ping_log, pong_log = frozen_logs(snapshot, lab.pair)
        assert inspect.pingpong_faults(ping_log, pong_log) == [], f"fence {number + 1}"
        assert snapshot["fence"]["proven"]
        assert all(member(snapshot, guest)["pause"] for guest in lab.pair)
        # Each cut is another one: messages went on between them.
        now = max(n for what, n in ping_log if what == "recv")
        assert now > received
        received = now
        lab.cohort("snapshot", "delete", snapshot["id"])
        ping.wait_pingpong(above=received)
    assert "gap" not in pong.console() and "behind" not in ping.console() + pong.console()


def virsh(*arguments):
    subprocess.run(["virsh", "-q", "-c", daemons.URI, *arguments], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, timeout=300)


def cut_one_after_another(pair, number):
    """What a script around virsh does; returns the frozen files."""
    files = [guest.disk_paths()["vdb"] for guest in pair]
    for guest in pair:
        virsh("snapshot-create-as", guest.name, f"cut{number}", "--disk-only", "--no-metadata",
              "--diskspec", "vda,snapshot=no")
    return files


def merge(guest):
    overlay = guest.disk_paths()["vdb"]
    virsh("blockcommit", guest.name, "vdb", "--active", "--pivot", "--wait", "--shallow")
    overlay.unlink()


def test_snapshots_one_after_another_do_show_it(lab):
    ping, _pong = lab.pair
    for number in range(CUTS):
        files = cut_one_after_another(lab.pair, number)
        ping_log, pong_log = [inspect.pingpong_log(file) for file in files]
        for guest in lab.pair:
            merge(guest)
        faults = inspect.pingpong_faults(ping_log, pong_log)
        if faults:
            assert any("which the other side had not sent" in fault for fault in faults), faults
            return
        ping.wait_pingpong(above=max(n for what, n in ping_log if what == "recv"))
    raise AssertionError(f"{CUTS} cuts that are no instants, and the checker found nothing")
