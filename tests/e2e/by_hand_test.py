"""Files of a snapshot are moved or removed by hand: the error names the file, and all works once it is back."""

import pytest

from harness import Disk, Lab
from harness.images import MIB
from world import active, bare_machine, content, error_of, frozen, member, overlays, picture, take, write


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


def test_an_overlay_removed_under_a_running_machine_is_merged_all_the_same(lab):
    """Its name is gone, but QEMU holds the file: what the machine wrote is not lost."""
    guest = lab.guest("by hand running", role="writer", disks=[Disk(size=16 * MIB)])
    guest.start().wait_ready()
    lab.cohort("collection", "create", "shop", guest.name)
    snapshot = take(lab, "shop", "removed")
    token = guest.wait_token(above=max(guest.tokens_seen(), default=0))
    for disk in member(snapshot, guest)["disks"]:
        [path] = [path for path in overlays(guest) if str(path) == disk["overlay"]]
        path.unlink()
    lab.cohort("snapshot", "delete", "removed")
    assert set(guest.disk_paths().values()) == set(guest.images.values())
    guest.wait_token(above=token)
    guest.destroy()
    guest.start().wait_ready(boot=2)
    assert guest.wait_token() > token
