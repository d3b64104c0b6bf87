"""A disk is detached between two nights, or a machine undefined: each package is complete, the nights go on, and the
disk's files stay as they are."""

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


def a_night(lab, collection, package):
    return lab.cohort("backup", collection, package).json["backup"]


def kinds(night):
    return [each["kind"] for each in night["disks"]]


def test_the_nights_go_on_and_what_is_known_of_the_disk_is_kept(lab):
    guest = bare_machine(lab, "loses a disk", ["qcow2", "qcow2"])
    nights = lab.new_folder("nights of one that loses a disk")
    lab.cohort("collection", "create", "loses", guest.name)
    a_night(lab, "loses", nights / "first")
    write(guest, 2)
    target, overlay, format = second_of(guest)
    run("qemu-io", "-f", format, "-c", "write -P 7 0 64k", overlay)
    held = content(lab, overlay, format)
    disk = detach(lab, guest, target)

    for night in ("second", "third"):
        report = a_night(lab, "loses", nights / night)
        [left] = report["shared"]
        assert kinds(report) == ["difference"] and target in left["why"] and left["branches"] == []
        assert content(lab, overlay, format) == held
        [kept] = snapshots(lab).values()
        assert kept["kept_for"]
    text = lab.cohort("host", "doctor", check=False, json=False).out
    assert f"has the disk {target} no more" in text

    # It is the base's as it was, and merged with the next night.
    attach(lab, guest, disk)
    fourth = a_night(lab, "loses", nights / "fourth")
    assert kinds(fourth) == ["difference", "whole"] and fourth["shared"] == []
    assert lab.cohort("verify", nights / "fourth").json["verify"]["whole"] is True
    assert content(lab, *active(guest)[1]) == held
    fifth = a_night(lab, "loses", nights / "fifth")
    assert kinds(fifth) == ["difference", "difference"]
    assert lab.cohort("host", "doctor").json["doctor"]["ailments"] == []


def test_the_nights_go_on_when_another_disk_takes_its_place(lab):
    guest = bare_machine(lab, "changes a disk", ["qcow2", "qcow2"])
    nights = lab.new_folder("nights of one that changes a disk")
    lab.cohort("collection", "create", "changes", guest.name)
    a_night(lab, "changes", nights / "first")
    target, overlay, format = second_of(guest)
    held = content(lab, overlay, format)
    disk = detach(lab, guest, target)
    larger = guest.folder / "larger.qcow2"
    run("qemu-img", "create", "-f", "qcow2", larger, "64M")
    disk.find("source").set("file", str(larger))
    attach(lab, guest, disk)
    for night, expected in (("second", ["difference", "whole"]), ("third", ["difference", "difference"])):
        report = a_night(lab, "changes", nights / night)
        assert kinds(report) == expected and [each["branches"] for each in report["shared"]] == [[]]
        assert content(lab, overlay, format) == held


def test_the_nights_go_on_without_a_machine_that_was_undefined(lab):
    stays, goes = bare_machine(lab, "stays", ["qcow2"]), bare_machine(lab, "goes", ["qcow2"])
    nights = lab.new_folder("nights of one that is undefined")
    lab.cohort("collection", "create", "both", stays.name, goes.name)
    a_night(lab, "both", nights / "first")
    [(overlay, format)] = active(goes)
    held = content(lab, overlay, format)
    xml = goes.xml(inactive=True)
    goes.domain.undefine()
    lab.cohort("collection", "remove", "both", goes.name)
    report = a_night(lab, "both", nights / "second")
    assert kinds(report) == ["difference"] and goes.name in report["shared"][0]["why"]
    assert content(lab, overlay, format) == held

    lab.connection.defineXML(xml)
    lab.cohort("collection", "add", "both", goes.name)
    report = a_night(lab, "both", nights / "third")
    assert kinds(report) == ["difference", "whole"] and report["shared"] == []
    assert content(lab, *active(goes)[0]) == held


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
