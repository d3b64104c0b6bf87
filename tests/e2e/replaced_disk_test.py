"""A disk is detached, and another one attached in its place: each keeps what it holds, whatever is gone back to."""

import xml.etree.ElementTree as ET

from harness.images import MIB, run
from world import active, bare_machine, content, overlays, snapshots, take, write


def replace_disk(lab, guest, path):
    """Defines the machine with this qcow2 image as its disk."""
    domain = ET.fromstring(guest.xml(inactive=True))
    domain.find("devices/disk/source").set("file", str(path))
    lab.connection.defineXML(ET.tostring(domain, encoding="unicode"))


def test_an_applied_snapshot_of_the_one_leaves_the_other_as_it_is(lab):
    guest = bare_machine(lab, "with a new disk", ["qcow2"])
    lab.cohort("collection", "create", "replaced", guest.name)
    write(guest, 1)
    take(lab, "replaced", "before", "--standard")
    write(guest, 2)
    other = guest.folder / "other.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", other, 4 * MIB)
    replace_disk(lab, guest, other)
    write(guest, 3)
    take(lab, "replaced", "with another", "--standard")
    write(guest, 4)
    [(top, format)] = active(guest)
    held = content(lab, top, format)

    lab.cohort("snapshot", "apply", "before")
    assert content(lab, *active(guest)[0])[:65536] == b"\1" * 65536
    assert top in overlays(guest) and content(lab, top, format) == held
    ailments = lab.cohort("host", "doctor", check=False).json["doctor"]["ailments"]
    assert f"stray_overlay:{top}" not in [each["id"] for each in ailments]

    replace_disk(lab, guest, top)
    lab.cohort("snapshot", "delete", "with another")
    assert active(guest) == [(other, "qcow2")] and content(lab, other, "qcow2") == held
    assert list(snapshots(lab)) == ["before"]
