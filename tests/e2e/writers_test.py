"""Three machines that write all the time are snapshotted ten times."""

import dataclasses
import datetime
import time

import pytest

from harness import Disk, Lab, inspect
from world import frozen, member, picture, snapshots, take

ROUNDS = 10
# The guests' clocks may gain or lose that much between being read and the instant.
CLOCK_SLACK_US = 500_000


@dataclasses.dataclass
class Cut:
    """A guest in one snapshot."""
    seen: int  # the last token that the guest had reported before
    tokens: list  # on its first disk
    # The guest's clock at the instant is between these, by what it showed before and after.
    earliest_us: float
    latest_us: float


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.guests = [
            opened.guest("writes 1", role="writer", interval_ms=20),
            opened.guest("schreibt 2", role="writer", interval_ms=20, disks=[Disk("raw"), Disk()]),
            opened.guest("writes 3", role="writer", interval_ms=20, disks=[Disk(backing=True)])]
        for guest in opened.guests:
            guest.start()
        for guest in opened.guests:
            guest.wait_ready(600)
            guest.wait_agent(600)
            guest.wait_token(above=3, timeout=600)
        opened.cohort("collection", "create", "writers", *[guest.name for guest in opened.guests])
        yield opened


def microseconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1e6


def clock_offset(guest):
    """How far the guest's clock is ahead of the host's: at least, at most."""
    began = time.time() * 1e6
    shown = guest.agent("guest-get-time", timeout=60) / 1e3
    return shown - time.time() * 1e6, shown - began


def check_fence(snapshot, guests):
    fence, pauses = snapshot["fence"], [member(snapshot, guest)["pause"] for guest in guests]
    assert fence["proven"] and snapshot["state"] == "ready"
    assert snapshot["instant"] == fence["overlap_begin"] == max(pause["stopped"] for pause in pauses)
    assert fence["overlap_end"] == min(pause["resumed"] for pause in pauses)
    overlap = microseconds(fence["overlap_end"]) - microseconds(fence["overlap_begin"])
    assert overlap > 0 and abs(fence["overlap_us"] - overlap) <= 1
    for pause in pauses:
        length = microseconds(pause["resumed"]) - microseconds(pause["stopped"])
        assert abs(pause["length_us"] - length) <= 1
        assert length < fence["deadline_ms"] * 1000


def tokens_of(snapshot, guest):
    """The tokens on the guest's disks, whose file systems are clean after the replay of their journals."""
    files = [file for target, file in frozen(snapshot, guest).items() if target != "vda"]
    disks = [inspect.tokens(*file) for file in files]
    assert inspect.token_faults(disks) == []
    return disks[0]


def cut(lab, name):
    """Takes a snapshot; returns it and what it shows of each guest."""
    seen = [guest.tokens_seen()[-1] for guest in lab.guests]
    before = [clock_offset(guest) for guest in lab.guests]
    snapshot = take(lab, "writers", name)
    after = [clock_offset(guest) for guest in lab.guests]
    check_fence(snapshot, lab.guests)
    instant = microseconds(snapshot["instant"])
    cuts = []
    for guest, number, low_high in zip(lab.guests, seen, zip(before, after)):
        stopped = microseconds(member(snapshot, guest)["pause"]["stopped"])
        assert stopped <= instant
        cuts.append(Cut(number, tokens_of(snapshot, guest),
                        stopped + min(low for low, _ in low_high) - CLOCK_SLACK_US,
                        stopped + max(high for _, high in low_high) + CLOCK_SLACK_US))
    return snapshot, cuts


def check_cut(cut, final):
    """The disk ends where the guest stood at the instant: nothing later is on it, nothing earlier is missing.

    `final` is what the guest had written in the end. A token's time is taken before it is written, and after the
    one before it is on the disk. So the one after the next was begun after the instant.
    """
    count = len(cut.tokens)
    assert cut.tokens == final[:count]
    assert cut.tokens[-1].number >= cut.seen
    assert cut.tokens[-1].time_us <= cut.latest_us
    assert final[count + 1].time_us >= cut.earliest_us


def test_ten_snapshots_of_three_writing_machines(lab):
    before = picture(*lab.guests)
    rounds = []
    for number in range(1, ROUNDS + 1):
        rounds.append(cut(lab, f"round {number}"))
        if number > 1:  # two exist at a time
            assert len(snapshots(lab)) == 2
            lab.cohort("snapshot", "delete", f"round {number - 1}")
        for guest, seen in zip(lab.guests, rounds[-1][1]):
            guest.wait_token(above=seen.tokens[-1].number + 2, timeout=300)
    lab.cohort("snapshot", "delete", f"round {ROUNDS}")
    assert snapshots(lab) == {}
    assert picture(*lab.guests) == before
    instants = [snapshot["instant"] for snapshot, _ in rounds]
    assert instants == sorted(set(instants))

    for index, guest in enumerate(lab.guests):
        guest.wait_token(above=guest.tokens_seen()[-1], timeout=300)
        guest.destroy()
        disks = [inspect.tokens(path) for path in guest.data_paths()]
        assert inspect.token_faults(disks) == []
        lengths = [len(cuts[index].tokens) for _, cuts in rounds]
        assert lengths == sorted(set(lengths))  # each instant is another one
        for _, cuts in rounds:
            check_cut(cuts[index], disks[0])
