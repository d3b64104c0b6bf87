"""Snapshots of mixed machines: what is captured, left out and refused, and that a refusal changes nothing."""

import datetime
import hashlib
import os
import subprocess
import xml.etree.ElementTree as ET

import libvirt
import pytest

from harness import Disk, Lab, inspect
from harness.images import MIB, run
from witness import Witness
from world import (PATIENT, bare_machine, chain, error_of, forget_all, frozen, member, overlays, picture, snapshots,
                   take)


def attach(guest, xml):
    guest.domain.attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_CONFIG)


def attach_file(guest, target, bus="virtio", device="disk", extra="", folder=None):
    path = (folder or guest.folder) / f"{target}.extra"
    path.write_bytes(os.urandom(MIB))
    attach(guest, f"<disk type='file' device='{device}'><driver name='qemu' type='raw'/><source file='{path}'/>"
                  f"<target dev='{target}' bus='{bus}'/>{extra}</disk>")
    return path


def write(path, format, number):
    """Writes a pattern into an image that is not in use."""
    run("qemu-io", "-f", format, "-c", f"write -P {number} 0 1M", path)


def starts_with(path, format, number):
    ran = subprocess.run(["qemu-io", "-r", "-U", "-f", format, "-c", f"read -P {number} 0 1M", str(path)], text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return ran.returncode == 0 and "verification failed" not in ran.stdout


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@pytest.fixture(scope="module")
def lab():
    """A collection of a running machine with disks of all kinds, one paused by its user, one that is off."""
    with Lab() as opened:
        running = opened.guest("läuft, 1", role="writer", folder="Ordner, der läuft = gut", disks=[
            Disk(name="data, ä = x"), Disk("raw", name="zwei"), Disk(size=32 * MIB, backing=True)])
        opened.cdrom = attach_file(running, "sda", "sata", "cdrom")
        opened.read_only = attach_file(running, "vdy", extra="<readonly/>")
        paused = opened.guest("paused by its user", role="writer", disks=[Disk("raw")])
        off = bare_machine(opened, "off Ü", ["qcow2", "raw"])
        for guest in (running, paused):
            guest.start()
        for guest in (running, paused):
            guest.wait_ready(600)
            guest.wait_token(above=3, timeout=600)
        paused.pause()
        opened.running, opened.paused, opened.off = running, paused, off
        opened.all = (running, paused, off)
        opened.cohort("collection", "create", "gemischt", *[guest.name for guest in opened.all])
        yield opened


@pytest.fixture(autouse=True)
def nothing_stays(lab):
    """One test that fails must not make all others fail."""
    yield
    forget_all(lab, but=("gemischt",))


DISKS_OF_RUNNING = ["vda", "vdb", "vdc", "vdd"]


@pytest.fixture
def taken(lab):
    """A snapshot of the mixed collection, with the picture of before, deleted afterwards."""
    lab.before = picture(*lab.all)
    snapshot = take(lab, "gemischt", "Schnappschuß 1")
    yield snapshot
    if snapshots(lab):
        lab.cohort("snapshot", "delete", snapshot["id"])


def test_machines_go_on_as_they_were_and_each_writable_disk_has_an_overlay(lab, taken):
    after = picture(*lab.all)
    for guest, power in zip(lab.all, ("running", "paused", "off")):
        before = lab.before[guest.name]
        assert member(taken, guest)["power"] == power
        assert after[guest.name]["state"] == before["state"]
        for disk in member(taken, guest)["disks"]:
            target = disk["target"]
            live = after[guest.name]["live"][target]
            assert str(live) == disk["overlay"]
            assert after[guest.name]["defined"][target] == live
            assert after[guest.name]["chains"][target] == [live, *before["chains"][target]]
            assert disk["frozen"]["path"] == str(before["live"][target])
            assert live.parent == guest.folder
    assert [disk["target"] for disk in member(taken, lab.running)["disks"]] == DISKS_OF_RUNNING
    assert [disk["virtual_size_bytes"] // MIB for disk in member(taken, lab.running)["disks"]][1:] == [64, 64, 32]
    assert [disk["frozen"]["format"] for disk in member(taken, lab.running)["disks"]] == \
        ["qcow2", "qcow2", "raw", "qcow2"]
    assert len(overlays(*lab.all)) == 4 + 2 + 2


def test_cdroms_and_read_only_disks_are_left_out_and_named(lab, taken):
    left_out = {each["target"]: each for each in member(taken, lab.running)["left_out"]}
    assert {target: (each["reason"], each["source"]) for target, each in left_out.items()} == \
        {"sda": ("cdrom", str(lab.cdrom)), "vdy": ("read-only", str(lab.read_only))}
    paths = lab.running.disk_paths()
    assert (paths["sda"], paths["vdy"]) == (lab.cdrom, lab.read_only)
    text = lab.cohort("snapshot", "show", "Schnappschuß 1", json=False).out
    assert "sda" in text and "vdy" in text


def test_frozen_disks_hold_the_instant_and_do_not_change(lab, taken):
    files = {target: path for target, (path, _) in frozen(taken, lab.running).items()}
    hashes = {target: sha256(path) for target, path in files.items()}
    disks = [inspect.tokens(*frozen(taken, lab.running)[target]) for target in ("vdb", "vdc", "vdd")]
    assert inspect.token_faults(disks) == []
    lab.running.wait_token(above=disks[0][-1].number, timeout=300)
    assert {target: sha256(path) for target, path in files.items()} == hashes
    assert inspect.token_faults([inspect.tokens(*frozen(taken, lab.paused)["vdb"])]) == []


def test_shown_and_listed_as_taken(lab, taken):
    assert taken["state"] == "ready" and taken["name"] == "Schnappschuß 1"
    assert taken["collection"]["name"] == "gemischt"
    assert lab.cohort("snapshot", "show", taken["name"]).json["snapshot"] == taken
    assert lab.cohort("snapshot", "show", taken["id"]).json["snapshot"] == taken
    assert snapshots(lab) == {taken["name"]: taken}
    assert lab.cohort("snapshot", "list", "gemischt").json["snapshots"] == [taken]
    text = lab.cohort("snapshot", "show", taken["name"], json=False).out
    assert all(guest.name in text for guest in lab.all)
    ran = lab.cohort("snapshot", "take", "gemischt", "--name", taken["name"], check=False)
    assert (ran.rc, error_of(ran)["code"]) == (4, "already_exists")


def test_deleting_puts_every_machine_back_on_its_own_disks(lab, taken):
    seen = lab.running.tokens_seen()[-1]
    lab.cohort("snapshot", "delete", taken["name"])
    assert picture(*lab.all) == lab.before
    assert snapshots(lab) == {}
    lab.running.wait_token(above=seen, timeout=300)


def test_the_fence_is_measured_by_qemus_own_events(lab):
    with Witness() as witness:
        snapshot = take(lab, "gemischt", "measured")
        witness.wait_pause(lab.running)
        (stopped, resumed), = witness.pauses(lab.running)
        assert witness.of(lab.paused) == []
    lab.cohort("snapshot", "delete", "measured")
    pause = member(snapshot, lab.running)["pause"]
    assert abs(time_of(pause["stopped"]) - stopped) < 1e-4
    assert abs(time_of(pause["resumed"]) - resumed) < 1e-4
    assert abs(pause["length_us"] - (resumed - stopped) * 1e6) <= 2
    assert member(snapshot, lab.paused)["pause"] is None
    assert member(snapshot, lab.off)["pause"] is None
    fence = snapshot["fence"]
    assert fence["proven"] and fence["deadline_ms"] == 30000
    assert fence["raised_us"] >= pause["length_us"] * 0.5  # two clocks, and the answer comes after the event
    assert (fence["overlap_begin"], fence["overlap_end"]) == (pause["stopped"], pause["resumed"])
    assert fence["overlap_us"] == pause["length_us"]
    assert snapshot["instant"] == fence["overlap_begin"]


def test_dry_run_says_what_would_be_done_and_does_nothing(lab):
    before = picture(*lab.all)
    with Witness() as witness:
        plan = lab.cohort("snapshot", "take", "gemischt", "--name", "never", "--dry-run").json
        assert plan["dry_run"] is True
        assert plan["plan"]["name"] == "never"
        powers = {each["name"]: each["power"] for each in plan["plan"]["members"]}
        assert powers == {lab.running.name: "running", lab.paused.name: "paused", lab.off.name: "off"}
        planned = member(plan["plan"], lab.running)
        assert [disk["target"] for disk in planned["disks"]] == DISKS_OF_RUNNING
        assert sorted(each["target"] for each in planned["left_out"]) == ["sda", "vdy"]
        assert picture(*lab.all) == before
        assert snapshots(lab) == {}
        # A pause of our own is the first that is heard.
        lab.running.pause()
        lab.running.resume()
        witness.wait_pause(lab.running)
        assert [event.what for event in witness.of(lab.running)] == ["STOP", "RESUME"]


def test_dry_run_of_a_deletion_does_nothing(lab, taken):
    before = picture(*lab.all)
    merges = lab.cohort("snapshot", "delete", taken["name"], "--dry-run").json["plan"]["merges"]
    assert {(each["machine"], each["target"], each["overlay"], each["into"]) for each in merges} == \
        {(each["name"], disk["target"], disk["overlay"], disk["frozen"]["path"])
         for each in taken["members"] for disk in each["disks"]}
    assert picture(*lab.all) == before
    assert list(snapshots(lab)) == [taken["name"]]


# What cannot be snapshotted

SHAREABLE = "<shareable/>"
LUN = ("<disk type='block' device='lun'><driver name='qemu' type='raw'/><source dev='/dev/cohort-test-none'/>"
       "<target dev='sdb' bus='scsi'/></disk>")


@pytest.fixture
def odd(lab):
    """A machine with a disk that others share and a passed-through one, in a collection with all others."""
    odd = bare_machine(lab, "odd one", ["qcow2"])
    attach_file(odd, "vdx", extra=SHAREABLE)
    attach(odd, LUN)
    lab.cohort("collection", "create", "with odd", *[guest.name for guest in (*lab.all, odd)])
    yield odd
    lab.cohort("collection", "delete", "with odd")
    odd.undefine()


def check_nothing_happens(lab, *guests, collection, status, code):
    """A snapshot is refused before any machine has been touched; returns the error's message."""
    before = picture(*guests)
    with Witness() as witness:
        ran = lab.cohort("snapshot", "take", collection, *PATIENT, check=False)
        assert (ran.rc, error_of(ran)["code"]) == (status, code), ran
        assert picture(*guests) == before
        assert snapshots(lab) == {}
        assert overlays(*guests) == []
        assert witness.of(lab.running) == []
    return error_of(ran)["message"]


def test_shareable_and_passed_through_disks_are_refused_and_nothing_is_changed(lab, odd):
    message = check_nothing_happens(lab, *lab.all, collection="with odd", status=7, code="unsupported")
    for part in ("vdx", "shareable", "sdb", "pass-through", odd.name, "--ignore-non-snapshottable"):
        assert part in message


def test_shareable_and_passed_through_disks_are_left_out_and_named_on_request(lab, odd):
    xml = odd.xml()
    snapshot = take(lab, "with odd", "without them", "--ignore-non-snapshottable")
    taken = member(snapshot, odd)
    assert {each["target"]: each["reason"] for each in taken["left_out"]} == \
        {"vdx": "shareable", "sdb": "pass-through"}
    assert [disk["target"] for disk in taken["disks"]] == ["vda"]
    assert odd.disk_paths()["vdx"] == odd.folder / "vdx.extra"
    assert odd.disk_paths()["vda"] in overlays(odd)
    lab.cohort("snapshot", "delete", "without them")
    assert odd.disk_paths()["vda"] == odd.images["disk0"]
    assert [disk.get("device") for disk in ET.fromstring(odd.xml()).findall("devices/disk")] == \
        [disk.get("device") for disk in ET.fromstring(xml).findall("devices/disk")]


def test_a_missing_disk_is_refused_and_nothing_is_changed(lab):
    broken = bare_machine(lab, "broken", ["raw", "qcow2"])
    lab.cohort("collection", "create", "with broken", *[guest.name for guest in (*lab.all, broken)])
    broken.images["disk1"].unlink()
    message = check_nothing_happens(lab, *lab.all, collection="with broken", status=5, code="invalid_state")
    assert broken.name in message and "vdb" in message
    assert overlays(broken) == []
    lab.cohort("collection", "delete", "with broken")


def test_a_disk_shared_by_two_members_is_refused_and_nothing_is_changed(lab):
    one, two = bare_machine(lab, "sharing 1"), bare_machine(lab, "sharing 2")
    xml = two.xml(inactive=True).replace(str(two.images["disk0"]), str(one.images["disk0"]))
    lab.connection.defineXML(xml)
    lab.cohort("collection", "create", "sharing", lab.running.name, one.name, two.name)
    message = check_nothing_happens(lab, lab.running, one, two, collection="sharing", status=5, code="invalid_state")
    assert str(one.images["disk0"]) in message and one.name in message and two.name in message
    lab.cohort("collection", "delete", "sharing")


def test_a_member_that_fails_inside_the_fence_takes_all_others_back(lab):
    """QEMU cannot open a new file where its user may not enter; that shows only in the middle of it."""
    failing = lab.guest("fails late", role="writer")
    failing.start().wait_ready(600)
    everyone = (*lab.all, failing)
    lab.cohort("collection", "create", "with failing", *[guest.name for guest in everyone])
    before = picture(*everyone)
    failing.folder.chmod(0o700)
    with Witness() as witness:
        ran = lab.cohort("snapshot", "take", "with failing", *PATIENT, check=False)
        failing.folder.chmod(0o711)
        witness.wait_pause(lab.running)  # it had come that far
    assert (ran.rc, error_of(ran)["code"]) == (13, "hypervisor"), ran
    assert failing.name in error_of(ran)["message"]
    assert picture(*everyone) == before
    assert snapshots(lab) == {}
    for guest in (lab.running, failing):
        guest.wait_token(above=guest.tokens_seen()[-1], timeout=300)
    assert take(lab, "with failing", "second try")["state"] == "ready"
    lab.cohort("snapshot", "delete", "second try")
    assert picture(*everyone) == before
    lab.cohort("collection", "delete", "with failing")
    failing.destroy()


# Snapshots of others

def test_libvirt_snapshots_of_others_stay_usable(lab):
    """An internal one in a frozen file, an external one below it."""
    guest = bare_machine(lab, "with others", ["qcow2"])
    disk = guest.images["disk0"]
    write(disk, "qcow2", 1)
    guest.domain.snapshotCreateXML("<domainsnapshot><name>internal</name></domainsnapshot>")
    write(disk, "qcow2", 2)
    guest.domain.snapshotCreateXML("<domainsnapshot><name>external</name><disks><disk name='vda' snapshot='external'/>"
                                   "</disks></domainsnapshot>", libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY)
    foreign = guest.disk_paths()["vda"]
    assert chain(foreign) == [foreign, disk]
    before = picture(guest)
    lab.cohort("collection", "create", "others", guest.name)
    snapshot = take(lab, "others", "ours")
    assert chain(guest.disk_paths()["vda"]) == [guest.disk_paths()["vda"], foreign, disk]
    write(guest.disk_paths()["vda"], "qcow2", 3)
    assert starts_with(*frozen(snapshot, guest)["vda"], 2)
    lab.cohort("snapshot", "delete", "ours")
    assert picture(guest) == before
    assert starts_with(foreign, "qcow2", 3) and starts_with(disk, "qcow2", 2)
    run("qemu-img", "snapshot", "-q", "-a", "internal", disk)
    assert starts_with(disk, "qcow2", 1)
    lab.cohort("collection", "delete", "others")


def test_libvirt_snapshots_of_others_on_a_running_machine_stay(lab):
    guest = lab.guest("others, running", role="writer")
    guest.domain.snapshotCreateXML("<domainsnapshot><name>internal</name></domainsnapshot>")
    guest.start().wait_ready(600)
    guest.domain.snapshotCreateXML("<domainsnapshot><name>external</name></domainsnapshot>",
                                   libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY)
    seen = guest.wait_token(above=3, timeout=600)
    before = picture(guest)
    lab.cohort("collection", "create", "others", guest.name)
    snapshot = take(lab, "others", "ours")
    tokens = inspect.tokens(*frozen(snapshot, guest)["vdb"])
    assert inspect.token_faults([tokens]) == [] and tokens[-1].number >= seen
    guest.wait_token(above=tokens[-1].number, timeout=300)
    lab.cohort("snapshot", "delete", "ours")
    assert picture(guest) == before
    lab.cohort("collection", "delete", "others")
    guest.destroy()
    after = inspect.tokens(guest.disk_paths()["vdb"])
    assert inspect.token_faults([after]) == [] and after[-1].number > tokens[-1].number
    for path in guest.images.values():
        assert "internal" in run("qemu-img", "snapshot", "-l", path)


# Several snapshots

def test_two_collections_that_share_a_member_and_one_that_holds_both(lab):
    one, two, three = [bare_machine(lab, f"shares {number}", ["qcow2", "raw"]) for number in (1, 2, 3)]
    lab.cohort("collection", "create", "A", one.name, two.name)
    lab.cohort("collection", "create", "B", two.name, three.name)
    lab.cohort("collection", "create", "A und B", "--of-collections", "A", "B")
    before = picture(one, two, three)
    taken = {}
    for number, (name, collection) in enumerate((("a", "A"), ("b", "B"), ("both", "A und B"), ("a2", "A")), start=1):
        for path in two.disk_paths().values():
            write(path, "raw" if path.suffix == ".raw" else "qcow2", number)
        taken[name] = take(lab, collection, name)
    assert sorted(each["name"] for each in taken["both"]["members"]) == sorted([one.name, two.name, three.name])
    assert len(overlays(two)) == 8 and len(overlays(one)) == 6 and len(overlays(three)) == 4
    assert [each["name"] for each in lab.cohort("snapshot", "list", "A").json["snapshots"]] == ["a", "a2"]
    left = {"a": 1, "b": 2, "both": 3, "a2": 4}
    for name in ("b", "both", "a2", "a"):
        for held, number in left.items():
            snapshot = lab.cohort("snapshot", "show", held).json["snapshot"]
            assert all(starts_with(*file, number) for file in frozen(snapshot, two).values()), (name, held)
        lab.cohort("snapshot", "delete", name)
        del left[name]
    assert picture(one, two, three) == before
    assert all(starts_with(path, path.suffix[1:], 4) for path in two.images.values())
    for name in ("A und B", "A", "B"):
        lab.cohort("collection", "delete", name)
