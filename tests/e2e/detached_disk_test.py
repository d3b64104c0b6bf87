"""A disk is detached between two nights: each package is complete, and the disk's files stay as they are."""

import re
import xml.etree.ElementTree as ET

from harness.images import run
from package_steps import refused
from world import active, bare_machine, content, snapshots, take, write


def detach(lab, guest, target):
    """Out of the machine's definition; returns the element, with which it can be attached again."""
    domain = ET.fromstring(guest.xml(inactive=True))
    devices = domain.find("devices")
    [disk] = [each for each in devices.findall("disk") if each.find("target").get("dev") == target]
    devices.remove(disk)
    lab.connection.defineXML(ET.tostring(domain, encoding="unicode"))
    return disk


def attach(lab, guest, disk):
    domain = ET.fromstring(guest.xml(inactive=True))
    domain.find("devices").append(disk)
    lab.connection.defineXML(ET.tostring(domain, encoding="unicode"))


def second_of(guest):
    """(target, file, format) of the machine's second disk."""
    return list(guest.disk_paths())[1], *active(guest)[1]


def test_each_night_is_complete_and_says_how_to_give_it_up(lab):
    guest = bare_machine(lab, "loses a disk", ["qcow2", "qcow2"])
    nights = lab.new_folder("nights of one that loses a disk")
    lab.cohort("collection", "create", "loses", guest.name)
    lab.cohort("backup", "loses", nights / "first", "--incremental")
    write(guest, 2)
    target, overlay, format = second_of(guest)
    run("qemu-io", "-f", format, "-c", "write -P 7 0 64k", overlay)
    held = content(lab, overlay, format)
    disk = detach(lab, guest, target)

    [base] = snapshots(lab)
    message = refused(lab, "invalid_state", "backup", "loses", nights / "second", "--incremental")
    assert target in message and "--forget-missing" in message and "is complete" in message
    assert lab.cohort("snapshot", "delete", base, "--forget-missing").json["deleted"]["left_behind"] == [str(overlay)]
    third = lab.cohort("backup", "loses", nights / "third", "--incremental").json["backup"]
    assert [each["kind"] for each in third["disks"]] == ["difference"]
    assert content(lab, overlay, format) == held

    attach(lab, guest, disk)
    message = refused(lab, "invalid_state", "backup", "loses", nights / "fourth", "--incremental")
    lab.cohort("host", "doctor", "--mend", re.search(r"--mend (unrecorded_overlay:.*?)`", message)[1])
    fourth = lab.cohort("backup", "loses", nights / "fourth", "--incremental").json["backup"]
    assert [each["kind"] for each in fourth["disks"]] == ["difference", "whole"]
    assert lab.cohort("verify", nights / "fourth").json["verify"]["whole"] is True
    assert content(lab, *active(guest)[1]) == held


def test_a_deletion_refuses_it_by_name_and_leaves_it_when_asked(lab):
    guest = bare_machine(lab, "asked about a disk", ["qcow2", "qcow2"])
    lab.cohort("collection", "create", "asked", guest.name)
    take(lab, "asked", "before")
    target, overlay, format = second_of(guest)
    run("qemu-io", "-f", format, "-c", "write -P 7 0 64k", overlay)
    held = content(lab, overlay, format)
    detach(lab, guest, target)
    message = refused(lab, "invalid_state", "snapshot", "delete", "before")
    assert target in message and "--forget-missing" in message and "before" in snapshots(lab)

    deleted = lab.cohort("snapshot", "delete", "before", "--forget-missing").json["deleted"]
    assert deleted["left_behind"] == [str(overlay)] and "before" not in snapshots(lab)
    assert content(lab, overlay, format) == held
