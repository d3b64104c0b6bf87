"""Files of a snapshot are moved or removed by hand: the error names the file, and all works once it is back."""

import pytest

from harness import Disk, Lab
from harness.images import MIB
from world import active, bare_machine, content, error_of, frozen, overlays, picture, take, write, writer_of


@pytest.fixture
def lab():
    with Lab() as opened:
        yield opened


@pytest.fixture
def guest(lab):
    made = bare_machine(lab, "by hand", ["qcow2", "raw"])
    lab.cohort("collection", "create", "shop", made.name)
    return made


def hidden(path):
    return path.rename(path.with_name(path.name + ".hidden"))


def back(path):
    path.rename(path.with_name(path.name.removesuffix(".hidden")))


def test_an_overlay_that_was_moved_away_is_named_and_nothing_is_merged(lab, guest):
    before = picture(guest)
    take(lab, "shop", "moved")
    write(guest, 3)
    held = [content(lab, *disk) for disk in active(guest)]
    moved = hidden(overlays(guest)[1])
    there = {path: path.read_bytes() for path in overlays(guest)}

    ran = lab.cohort("snapshot", "delete", "moved", check=False)
    message = error_of(ran)["message"]
    assert str(moved).removesuffix(".hidden") in message and guest.name in message, ran
    assert {path: path.read_bytes() for path in overlays(guest)} == there
    assert lab.cohort("snapshot", "show", "moved").json["snapshot"]["state"] == "ready"

    back(moved)
    lab.cohort("snapshot", "delete", "moved")
    assert picture(guest) == before
    assert [content(lab, *disk) for disk in active(guest)] == held


def test_a_frozen_file_that_was_moved_away_is_named_by_what_needs_it(lab, guest):
    before = picture(guest)
    snapshot = take(lab, "shop", "moved")
    moved = hidden(frozen(snapshot, guest)["vda"][0])
    for arguments in (["export", "moved", lab.folder / "package"], ["snapshot", "delete", "moved"]):
        ran = lab.cohort(*arguments, check=False)
        assert ran.rc and str(moved).removesuffix(".hidden") in error_of(ran)["message"], ran
    assert not (lab.folder / "package").exists() and list(lab.folder.glob("*.partial")) == []

    back(moved)
    lab.cohort("export", "moved", lab.folder / "package")
    lab.cohort("snapshot", "delete", "moved")
    assert picture(guest) == before


def test_an_overlay_removed_under_a_running_machine_is_named_and_the_machine_goes_on(lab):
    guest = lab.guest("by hand running", role="writer", disks=[Disk(size=16 * MIB)])
    guest.start().wait_ready()
    lab.cohort("collection", "create", "shop", guest.name)
    before = picture(guest)
    take(lab, "shop", "removed")
    moved = hidden(overlays(guest)[0])
    ran = lab.cohort("snapshot", "delete", "removed", check=False)
    message = error_of(ran)["message"]
    assert str(moved).removesuffix(".hidden") in message and guest.name in message, ran
    guest.wait_token(above=max(guest.tokens_seen(), default=0))

    back(moved)
    lab.cohort("snapshot", "delete", "removed")
    assert picture(guest) == before
    guest.wait_token(above=max(guest.tokens_seen()))


def test_no_overlay_is_merged_while_a_program_writes_to_it_whatever_libvirt_says(lab, guest):
    """As when libvirt has lost a machine that runs."""
    before = picture(guest)
    take(lab, "shop", "held")
    [overlay, _] = overlays(guest)
    kept = overlay.read_bytes()
    with writer_of(overlay, lab.folder / "socket"):
        ran = lab.cohort("snapshot", "delete", "held", check=False)
        message = error_of(ran)["message"]
        assert error_of(ran)["code"] == "in_use" and str(overlay) in message and "query-block" in message, ran
    assert overlay.read_bytes() == kept
    lab.cohort("snapshot", "delete", "held")
    assert picture(guest) == before


def test_no_machine_is_taken_for_off_while_a_program_writes_to_its_disk(lab, guest):
    before = picture(guest)
    with writer_of(guest.disk_paths()["vda"], lab.folder / "socket"):
        ran = lab.cohort("snapshot", "take", "shop", check=False)
    assert error_of(ran)["code"] == "invalid_state" and str(guest.disk_paths()["vda"]) in error_of(ran)["message"], ran
    assert picture(guest) == before and lab.cohort("snapshot", "list").json["snapshots"] == []
    take(lab, "shop", "free again")
    lab.cohort("snapshot", "delete", "free again")
