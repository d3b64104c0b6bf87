"""Applying standard snapshots: all members go on where they were at the instant, in memory and on disk, or none does."""

import os
import re

import pytest

from harness import Disk, Lab, inspect
from harness.images import MIB
from world import (active, bare_machine, chain, content, error_of, member, overlays, picture, snapshots, take, write)

SLACK = 120  # tokens that a guest may write between two looks at it, on a busy host


@pytest.fixture
def lab():
    with Lab() as opened:
        opened.running = [opened.guest(name, role="writer", disks=[Disk(size=32 * MIB)]) for name in ("one", "two ü")]
        opened.off = bare_machine(opened, "off", ["qcow2", "raw"])
        for guest in opened.running:
            guest.start()
        for guest in opened.running:
            guest.wait_ready(600)
            guest.wait_token(above=3, timeout=600)
        opened.all = (*opened.running, opened.off)
        opened.cohort("collection", "create", "all", *[guest.name for guest in opened.all])
        yield opened


def last_tokens(lab):
    return [guest.tokens_seen()[-1] for guest in lab.running]


def let_go_on(lab, by=SLACK + 20):
    """Until what is written differs from any earlier instant by more than the slack."""
    for guest, last in zip(lab.running, last_tokens(lab)):
        guest.wait_token(above=last + by, timeout=300)


def apply(lab, name, *options):
    applied = lab.cohort("snapshot", "apply", name, *options).json["applied"]
    for guest in lab.running:
        guest.mark_console()
    return applied


def check_goes_on_from(lab, tokens):
    """Each guest goes on counting where it was, without a boot: what counts is in its memory."""
    for guest, last in zip(lab.running, tokens):
        first = guest.wait_token(timeout=120)
        seen = guest.tokens_seen()
        assert last - 15 <= seen[0] <= last + SLACK, (guest, last, seen, first)
        guest.wait_token(above=seen[0] + 10, timeout=120)
        assert "ready boot" not in guest.console() and "tokens" not in guest.console(), guest.tail()


def check_disks_are_sound(lab):
    for guest in lab.running:
        guest.destroy()
        path = guest.data_paths()[0]
        tokens = inspect.tokens(path)
        assert inspect.token_faults([tokens]) == []


def current(lab):
    return [name for name, each in snapshots(lab).items() if each["current"]]


def test_all_members_go_on_from_the_snapshot_in_memory_and_on_disk(lab):
    write(lab.off, 1)
    before = [content(lab, *each) for each in active(lab.off)]
    tokens = last_tokens(lab)
    snapshot = take(lab, "all", "before", "--standard")
    defined = lab.off.xml(inactive=True)
    let_go_on(lab)
    write(lab.off, 2)
    lab.connection.defineXML(lab.off.xml(inactive=True).replace("<memory unit='KiB'>131072", "<memory unit='KiB'>262144"))

    plan = lab.cohort("snapshot", "apply", "before", "--dry-run").json["plan"]
    assert plan["snapshot"]["id"] == snapshot["id"] and plan["keep_current"] is False

    applied = apply(lab, "before")
    assert applied["snapshot"]["id"] == snapshot["id"] and applied["kept"] is None
    check_goes_on_from(lab, tokens)
    assert [content(lab, *each) for each in active(lab.off)] == before
    assert "<memory unit='KiB'>131072" in lab.off.xml(inactive=True) and "131072" in defined
    assert list(snapshots(lab)) == ["before"] and current(lab) == ["before"]
    # Of what was current nothing is left: one overlay for each disk.
    assert len(overlays(*lab.all)) == 6 + 2  # and the memory of two

    # Again, after the machines have gone on; and then the snapshot is merged as any other.
    let_go_on(lab)
    apply(lab, "before")
    check_goes_on_from(lab, tokens)
    lab.cohort("snapshot", "delete", "before")
    assert overlays(*lab.all) == []
    assert all(len(chain(path)) == 1 for guest in lab.all for path in guest.disk_paths().values())
    check_disks_are_sound(lab)


def test_power_states_go_back(lab):
    one, two = lab.running
    two.pause()
    tokens = last_tokens(lab)
    take(lab, "all", "before", "--standard")
    two.resume()
    let_go_on(lab)
    one.destroy()
    lab.off.start()
    apply(lab, "before")
    assert (one.state(), two.state(), lab.off.state()) == ("running", "paused", "shut off")
    two.resume()
    check_goes_on_from(lab, tokens)
    # It can be saved and captured again as any machine.
    two.pause()
    take(lab, "all", "again", "--standard")
    assert two.state() == "paused"


def test_branches_are_gone_to_and_fro_and_deleted_without_harm(lab):
    at_before = last_tokens(lab)
    take(lab, "all", "before", "--standard")
    let_go_on(lab)
    at_after = last_tokens(lab)
    kept = apply(lab, "before", "--keep-current=after")["kept"]
    assert kept["name"] == "after" and kept["parent"] == snapshots(lab)["before"]["id"]
    assert current(lab) == ["before"]
    check_goes_on_from(lab, at_before)
    let_go_on(lab)
    take(lab, "all", "other", "--standard")
    at_other = last_tokens(lab)
    text = lab.cohort("snapshot", "list", json=False).out
    assert re.search(r"^before .*\n  after .*\n  other +\* ", text, re.MULTILINE), text

    # The snapshot that both stand on goes alone: its files stay, and nobody can get at them any more.
    plan = lab.cohort("snapshot", "delete", "before", "--dry-run").json["plan"]
    assert all(merge["shared"] and merge["stays"] for merge in plan["merges"]) and len(plan["merges"]) == 6
    memory = [each["memory"]["path"] for each in snapshots(lab)["before"]["members"] if each["memory"]]
    deleted = lab.cohort("snapshot", "delete", "before").json["deleted"]
    [shared] = deleted["shared"]
    assert shared["branches"] == ["after", "other"] and shared["disk_bytes"] > 0 and shared["why"] is None
    assert {name: each["parent"] for name, each in snapshots(lab).items()} == {"after": None, "other": None}
    assert not any(os.path.exists(path) for path in memory) and len(memory) == 2
    for command in (["snapshot", "show"], ["snapshot", "apply"], ["snapshot", "delete"], ["export"]):
        target = [lab.folder / "nowhere"] if command == ["export"] else []
        assert error_of(lab.cohort(*command, deleted["id"], *target, check=False))["code"] == "not_found"
    assert lab.cohort("host", "doctor").json["doctor"]["ailments"] == []

    let_go_on(lab)
    apply(lab, "after")
    check_goes_on_from(lab, at_after)
    assert current(lab) == ["after"]
    # The branch that is left is deleted with what only it holds, and what it shared is merged while the guests run; the
    # others' data stays.
    deleted = lab.cohort("snapshot", "delete", "other").json["deleted"]
    assert len(deleted["merged_layers"]) == 1 and deleted["merged_layers"][0].startswith("before (deleted")
    assert deleted["shared"] == [] and at_other
    let_go_on(lab)
    apply(lab, "after")
    check_goes_on_from(lab, at_after)
    lab.cohort("snapshot", "delete", "after", "--subtree")
    assert snapshots(lab) == {} and overlays(*lab.all) == []
    check_disks_are_sound(lab)


def test_without_memory_the_machines_are_off_as_after_a_power_failure(lab):
    take(lab, "all", "disks", "--disk-only")
    at = last_tokens(lab)
    let_go_on(lab)
    apply(lab, "disks")
    assert [guest.state() for guest in lab.all] == ["shut off"] * 3
    for guest, last in zip(lab.running, at):
        guest.start().wait_ready(600)
        assert guest.wait_token(timeout=120) <= last + SLACK
    check_disks_are_sound(lab)


def test_one_member_that_fails_puts_all_back(lab):
    snapshot = take(lab, "all", "before", "--standard")
    let_go_on(lab)
    write(lab.off, 3)
    late, before = last_tokens(lab), picture(*lab.all)
    memory = member(snapshot, lab.running[1])["memory"]["path"]
    with open(memory, "r+b") as file:  # its head is whole, so that it fails in the middle
        file.truncate(2 * MIB)
    failed = lab.cohort("snapshot", "apply", "before", check=False)
    for guest in lab.running:
        guest.mark_console()
    assert failed.rc != 0 and lab.running[1].name in str(error_of(failed)), failed
    assert picture(*lab.all) == before
    check_goes_on_from(lab, late)
    assert list(snapshots(lab)) == ["before"]
    job = lab.cohort("job", "list").json["jobs"][0]
    assert (job["type"], job["state"]) == ("apply_snapshot", "failed")
    lab.cohort("snapshot", "delete", "before")
    check_disks_are_sound(lab)


def test_what_cannot_be_applied_is_refused_and_nothing_is_changed(lab):
    take(lab, "all", "nightly")
    refused = lab.cohort("snapshot", "apply", "nightly", check=False)
    assert error_of(refused)["code"] == "unsupported"
    lab.cohort("snapshot", "delete", "nightly")
    take(lab, "all", "before", "--standard")
    extra = bare_machine(lab, "extra")
    lab.cohort("collection", "add", "all", extra.name)
    before = picture(*lab.all)
    refused = lab.cohort("snapshot", "apply", "before", check=False)
    assert error_of(refused)["code"] == "invalid_state" and extra.name in error_of(refused)["message"]
    assert picture(*lab.all) == before
