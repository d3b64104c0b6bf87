"""`cohort host doctor` finds what was left behind, changes nothing by itself, and mends what it is told to."""

import pytest

from harness import Lab
from world import active, bare_machine, content, error_of, overlays, picture, take, write

AMISS = 5


@pytest.fixture
def lab():
    with Lab() as opened:
        yield opened


def doctor(lab, *arguments):
    """Its exit status, and what it says of the machines and files of this lab: others may be on the host."""
    ran = lab.cohort("host", "doctor", *arguments, check=False)
    assert ran.rc in (0, AMISS), ran
    found = [each for each in ran.json["doctor"]["ailments"] if str(lab.folder) in each["id"] + each["message"]]
    return ran, found


def ids(found, kind):
    assert {each["kind"] for each in found} == {kind}, found
    return [word for each in found for word in ("--mend", each["id"])]


def test_overlays_of_a_lost_state_are_merged_and_no_byte_is_lost(lab):
    guest = bare_machine(lab, "doctor lost", ["qcow2", "raw"])
    before = picture(guest)
    lab.cohort("collection", "create", "lost", guest.name)
    take(lab, "lost", "first")
    write(guest, 7)
    held = [content(lab, *disk) for disk in active(guest)]
    with_overlays = picture(guest)
    assert doctor(lab)[1] == []

    lost = lab.folder / "lost-state"
    lab.state.rename(lost)
    found = doctor(lab)[1]
    assert len(found) == 2 and picture(guest) == with_overlays
    ran, left = doctor(lab, *ids(found, "unrecorded_overlay"))
    assert len(ran.json["doctor"]["mended"]) == 2 and left == []
    assert picture(guest) == before
    assert [content(lab, *disk) for disk in active(guest)] == held


def test_an_overlay_that_nothing_uses_is_removed_only_when_told(lab):
    guest = bare_machine(lab, "doctor stray", ["qcow2"])
    before = picture(guest)
    lab.cohort("collection", "create", "stray", guest.name)
    take(lab, "stray", "first")
    [overlay] = overlays(guest)
    kept = overlay.read_bytes()
    lab.cohort("snapshot", "delete", "first")
    overlay.write_bytes(kept)
    ran, found = doctor(lab)
    assert ran.rc == AMISS and overlay.exists()
    doctor(lab, *ids(found, "stray_overlay"))
    assert picture(guest) == before


def test_a_snapshot_whose_machine_or_disk_has_changed_is_named(lab):
    gone, changed = bare_machine(lab, "doctor gone"), bare_machine(lab, "doctor changed", ["qcow2"])
    lab.cohort("collection", "create", "broken", gone.name, changed.name)
    take(lab, "broken", "first")
    gone.domain.undefine()
    frozen = changed.image("disk0")
    lab.connection.defineXML(changed.xml().replace(str(changed.disk_paths()["vda"]), str(frozen)))
    found = [each for each in doctor(lab)[0].json["doctor"]["ailments"] if each["kind"] == "broken_snapshot"]
    assert len(found) == 2 and not any(each["mendable"] for each in found)
    ran = lab.cohort("host", "doctor", "--mend", found[0]["id"], check=False)
    assert error_of(ran)["code"] == "unsupported"


def test_a_member_that_stands_still_runs_again_when_told(lab):
    guest = lab.guest("doctor paused")
    guest.start()
    guest.wait_ready(300)
    lab.cohort("collection", "create", "paused", guest.name)
    guest.pause()
    id = f"paused_machine:{guest.name}"
    ran = lab.cohort("host", "doctor", check=False)
    assert ran.rc == AMISS and id in [each["id"] for each in ran.json["doctor"]["ailments"]]
    assert guest.state() == "paused"
    lab.cohort("host", "doctor", "--mend", id, check=False)
    guest.wait_state("running")


def test_unfinished_packages_are_found_where_it_is_told_to_look(lab):
    partial = lab.new_folder("packages") / "a b.partial"
    partial.mkdir()
    assert doctor(lab)[1] == []
    found = doctor(lab, "--folder", partial.parent)[1]
    doctor(lab, "--folder", partial.parent, *ids(found, "partial_package"))
    assert not partial.exists()
    ran = lab.cohort("host", "doctor", "--folder", lab.folder / "none", check=False)
    assert error_of(ran)["code"] == "not_found"
