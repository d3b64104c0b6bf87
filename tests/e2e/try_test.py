"""Try: a package boots straight from its files, and nothing is left of it, nor changed in it."""

import json
import os
import signal
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import libvirt
import pytest

from harness import Guest, Lab, wait_until
from harness.lab import NAME_PREFIX
from package_steps import (MIB, AllThereIs, disk_in, ended, goes_on, machines_and_states, manifest, names_in, refused,
                           rehash, sha256sum_agrees, small_filesystem, tokens_of_package)
from world import PATIENT, bare_machine

PREFIX = NAME_PREFIX + "try "  # tests may only make machines whose names begin with NAME_PREFIX
TPM = Path("/var/lib/libvirt/swtpm")


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.prefixes.append(PREFIX)
        yield opened


def facts(package):
    """All that the file system tells of a package, but when it was read."""
    found = {}
    for path in [package, *sorted(package.rglob("*"))]:
        status = path.lstat()
        found[str(path)] = (status.st_ino, status.st_mode, status.st_uid, status.st_gid, status.st_size,
                            status.st_mtime_ns, status.st_ctime_ns, os.listxattr(path))
    return found


def networks(lab):
    """Those of this lab's tries; others may try something meanwhile."""
    own = {f"cohort-try-{job['id'][:8]}" for job in lab.cohort("job", "list").json["jobs"]}
    return [network.name() for network in lab.connection.listAllNetworks() if network.name() in own]


def nothing_is_left(lab, before):
    assert machines_and_states(lab) == before
    assert not (lab.state / "tries").exists()
    assert networks(lab) == []
    assert all(job["ended"] for job in lab.cohort("job", "list").json["jobs"])
    return True


class Running:
    """A try in the background, at a moment when all its machines run."""

    def __init__(self, lab, package, *options, prefix=PREFIX):
        self.lab = lab
        self.program = lab.cohort_start("try", package, "--name-prefix", prefix, *options, json=True)
        self.job = wait_until(self._job, 300, "the machines of the try run")

    def _job(self):
        assert self.program.poll() is None, self.program.communicate()
        jobs = self.lab.cohort("job", "list").json["jobs"]
        return next((job for job in jobs if job["type"] == "try" and job["state"] == "running"
                     and job["progress"]["phase"].startswith(("running", "waiting for the agents"))), None)

    def guest(self, original, prefix=PREFIX):
        return Guest(self.lab, prefix + original.name)

    def end(self, number=signal.SIGINT):
        """Interrupts it, and returns its status and report."""
        self.program.send_signal(number)
        return self.result()

    def result(self):
        status, out, err = ended(self.program)
        return status, json.loads(out), err


# Machines with all there is

@pytest.fixture(scope="module")
def originals(lab):
    """The machine with three disks goes on running, the other one is off."""
    made = AllThereIs(lab, "a package")
    made.firm.destroy()
    return made


def test_all_machines_boot_beside_the_running_original_and_the_package_stays_as_it_is(lab, originals):
    before, package_before = machines_and_states(lab), facts(originals.package)
    ran = lab.cohort("try", originals.package, "--name-prefix", PREFIX, "--wait-for-agent=500", timeout=600)
    report = ran.json["try"]
    assert [machine["name"] for machine in report["machines"]] == [
        PREFIX + originals.three.name, PREFIX + originals.firm.name]
    for machine in report["machines"]:
        assert machine["agent_after_ms"] > 0 and machine["end"] is None
    assert report["network"] == "none"
    assert nothing_is_left(lab, before)
    assert facts(originals.package) == package_before
    assert sha256sum_agrees(originals.package)
    assert lab.cohort("verify", originals.package).json["verify"]["whole"] is True
    assert goes_on(originals.three)
    job = next(job for job in lab.cohort("job", "list").json["jobs"] if job["type"] == "try")
    assert (job["state"], job["subject"]) == ("completed", str(originals.package))


def test_a_machine_goes_on_where_the_instant_was_on_overlays_of_its_own(lab, originals):
    before, package_before = machines_and_states(lab), facts(originals.package)
    running = Running(lab, originals.package, "--machine", originals.three.name)
    guest = running.guest(originals.three)
    assert not guest.domain.isPersistent()
    assert guest.uuid != originals.three.uuid
    assert guest.wait_ready(timeout=400) == 2
    packed = tokens_of_package(originals.package, originals.three.name, ["vdb", "vdc", "vdd"])
    guest.wait_token(above=packed[0][-1].number, timeout=200)
    overlays = guest.disk_paths()
    assert set(overlays) == set(originals.three.disk_paths())
    assert all(path.is_relative_to(lab.state / "tries") for path in overlays.values())
    [interface] = ET.fromstring(guest.xml()).findall("devices/interface")
    assert interface.find("link").get("state") == "down"
    [original] = ET.fromstring(originals.three.xml()).findall("devices/interface")
    assert interface.find("mac").get("address") != original.find("mac").get("address")
    # The package can be checked meanwhile, by anybody.
    assert sha256sum_agrees(originals.package)
    status, document, err = running.end()
    assert status == 0, err
    [machine] = document["try"]["machines"]
    assert (machine["original_name"], machine["end"]) == (originals.three.name, None)
    assert nothing_is_left(lab, before)
    assert facts(originals.package) == package_before


def test_uefi_variables_and_tpm_state_are_those_of_the_package(lab, originals):
    before = machines_and_states(lab)
    running = Running(lab, originals.package, "--machine", originals.firm.name)
    guest = running.guest(originals.firm)
    uuid = guest.uuid
    assert guest.wait_ready(timeout=500) == 2
    nvram = Path(ET.fromstring(guest.xml()).find("os/nvram").text)
    assert nvram.is_relative_to(lab.state / "tries")
    assert (TPM / uuid / "tpm2").is_dir()
    assert running.end()[0] == 0
    assert nothing_is_left(lab, before)
    assert not (TPM / uuid).exists()


def test_it_ends_when_the_last_guest_has_shut_itself_down(lab, originals):
    running = Running(lab, originals.package, "--machine", originals.three.name)
    guest = running.guest(originals.three)
    guest.wait_ready(timeout=400)
    guest.domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
    status, document, err = running.result()
    assert status == 0, err
    assert document["try"]["machines"][0]["end"] == "shut-down"


# Two machines that need not boot

@pytest.fixture(scope="module")
def raw_package(lab, pair):
    target = lab.folder / "raw package"
    lab.cohort("backup", "--full", "pair", target, "--format", "raw")
    return target


def copied(lab, package, name):
    place = lab.folder / name
    subprocess.run(["cp", "-a", package, place], check=True)
    return place


def edited(lab, package, name, change):
    """A copy of the package with one machine's configuration changed, and all hashes right."""
    place = copied(lab, package, name)
    path = place / manifest(place)["machines"][1]["configuration"]["file"]
    path.write_text(change(path.read_text()))
    rehash(place)
    return place


def test_it_ends_by_itself_after_the_time(lab, package, raw_package):
    for tried in (package, raw_package):
        before, package_before = machines_and_states(lab), facts(tried)
        report = lab.cohort("try", tried, "--name-prefix", PREFIX, "--for", "2s").json["try"]
        assert 2000 <= report["ran_ms"] < 60_000
        assert nothing_is_left(lab, before)
        assert facts(tried) == package_before


def test_an_interrupt_before_its_end_is_a_cancel(lab, package):
    before = machines_and_states(lab)
    running = Running(lab, package, "--for", "1h")
    status, document, _ = running.end()
    assert (status, document["error"]["code"]) == (130, "cancelled")
    assert nothing_is_left(lab, before)


def test_another_process_can_end_it(lab, package):
    before = machines_and_states(lab)
    running = Running(lab, package)
    lab.cohort("job", "cancel", running.job["id"])
    status, _, err = running.result()
    assert status == 0, err
    assert lab.cohort("job", "show", running.job["id"]).json["job"]["state"] == "completed"
    assert nothing_is_left(lab, before)


def test_people_are_told_how_to_look_at_the_machines(lab, package, pair):
    ran = lab.cohort("try", package, "--name-prefix", PREFIX, "--for", "1s", json=False)
    for guest in pair:
        assert f"{PREFIX}{guest.name}: tail -f '{lab.state}/tries/" in ran.err
        assert PREFIX + guest.name in ran.out
    assert "all that was made for it is removed" in ran.out


def test_a_machine_that_does_not_boot_is_named_when_its_agent_does_not_answer(lab, package, pair):
    before = machines_and_states(lab)
    message = refused(lab, "timeout", "try", package, "--name-prefix", PREFIX, "--machine", pair[1].name,
                      "--wait-for-agent=4")
    assert f'"{PREFIX}{pair[1].name}"' in message and "4 s" in message
    assert nothing_is_left(lab, before)


def without_agent_channel(guest):
    domain = ET.fromstring(guest.xml())
    devices = domain.find("devices")
    devices.remove(devices.find("channel"))
    return ET.tostring(domain, encoding="unicode")


def test_agents_that_cannot_be_are_not_waited_for_until_the_package_is_verified(lab):
    guest = bare_machine(lab, "silent", ["qcow2"])
    lab.connection.defineXML(without_agent_channel(guest))
    lab.cohort("collection", "create", "silent", guest.name)
    target = lab.folder / "silent package"
    lab.cohort("backup", "--full", "silent", target)
    os.truncate(disk_in(target, guest.name, "vda"), MIB)
    before = machines_and_states(lab)
    message = refused(lab, "unsupported", "try", target, "--name-prefix", PREFIX, "--wait-for-agent")
    assert f'"{guest.name}" has no channel' in message
    refused(lab, "unsupported", "try", target, "--name-prefix", PREFIX, "--wait-for-agent", "--dry-run")
    refused(lab, "corrupt", "try", target, "--name-prefix", PREFIX, "--for", "1s")
    assert nothing_is_left(lab, before)


def test_two_tries_of_a_package_at_a_time(lab, package, pair):
    before, package_before = machines_and_states(lab), facts(package)
    running = Running(lab, package)
    with Lab() as other:  # a state does one thing at a time
        assert str(running.program.pid) in refused(lab, "in_use", "try", package, "--name-prefix", PREFIX)
        other.prefixes.append(PREFIX)
        report = other.cohort("try", package, "--name-prefix", PREFIX, "--for", "1s").json["try"]
        assert [machine["name"] for machine in report["machines"]] == [f"{PREFIX}{guest.name}-2" for guest in pair]
        assert all(running.guest(guest).state() == "running" for guest in pair)
    assert running.end()[0] == 0
    assert nothing_is_left(lab, before)
    assert facts(package) == package_before


def test_a_package_that_cannot_be_written_to_is_enough(lab, package):
    before = machines_and_states(lab)
    with small_filesystem(lab.folder / "read only", 64) as folder:
        subprocess.run(["cp", "-a", package, folder / "package"], check=True)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        lab.cohort("try", folder / "package", "--name-prefix", PREFIX, "--for", "1s")
    assert nothing_is_left(lab, before)


def test_what_they_write_goes_where_it_is_told_to(lab, package, pair):
    scratch = lab.new_folder("scratch")
    running = Running(lab, package, "--scratch", scratch)
    for guest in pair:
        assert all(path.is_relative_to(scratch) for path in running.guest(guest).disk_paths().values())
    assert running.end()[0] == 0
    assert names_in(scratch) == []
    missing = lab.folder / "no scratch"
    assert str(missing) in refused(lab, "not_found", "try", package, "--scratch", missing)


def test_a_dry_run_says_what_would_run_and_makes_nothing(lab, package, pair):
    before = machines_and_states(lab)
    plan = lab.cohort("try", package, "--name-prefix", PREFIX, "--dry-run").json["plan"]
    assert [(machine["name"], machine["id"]) for machine in plan["machines"]] == [
        (PREFIX + guest.name, None) for guest in pair]
    assert plan["machines"][0]["disks"][0]["path"] == str(disk_in(package, pair[0].name, "vda"))
    assert plan["scratch"] == str(lab.state / "tries")
    assert nothing_is_left(lab, before)


def test_no_machine_that_is_not_in_the_package(lab, package):
    assert "nobody" in refused(lab, "not_found", "try", package, "--machine", "nobody")


# What a stranger may bring

DEVICE = ("<hostdev mode='subsystem' type='pci'><source><address domain='0xffff' bus='0xff' slot='0x1f' "
          "function='0x7'/></source></hostdev>")


def test_a_package_that_reaches_for_the_host_is_refused_unless_it_is_trusted(lab, package, pair):
    hostile = edited(lab, package, "hostile", lambda xml: xml.replace("</devices>", DEVICE + "</devices>"))
    before = machines_and_states(lab)
    message = refused(lab, "unsupported", "try", hostile, "--name-prefix", PREFIX, "--for", "1s")
    assert "hostdev" in message and "--trust host-device" in message
    assert nothing_is_left(lab, before)
    # Trusted, it is started; the device is not there, and libvirt says so in its words.
    ran = lab.cohort("try", hostile, "--name-prefix", PREFIX, "--for", "1s", "--trust", "host-device", check=False)
    error = ran.json["error"]
    assert f'"{PREFIX}{pair[1].name}" cannot be started' in error["message"] and "PCI" in error["cause"].upper()
    assert nothing_is_left(lab, before)


def test_a_damaged_package_runs_no_machine(lab, package, pair):
    damaged = copied(lab, package, "damaged")
    image = disk_in(damaged, pair[1].name, "vda")
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)
    before = machines_and_states(lab)
    # Also where only the other one is tried.
    assert image.name in refused(lab, "corrupt", "try", damaged, "--name-prefix", PREFIX, "--machine", pair[0].name)
    assert nothing_is_left(lab, before)


def test_an_image_that_names_another_file_is_not_opened(lab, package, pair):
    hostile = copied(lab, package, "names a file")
    disk = disk_in(hostile, pair[0].name, "vdb")
    disk.unlink()
    subprocess.run(["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/shadow", disk,
                    str(4 * MIB)], check=True)
    rehash(hostile)
    for options in (["--dry-run"], ["--for", "1s"]):
        assert "/etc/shadow" in refused(lab, "corrupt", "try", hostile, "--name-prefix", PREFIX, *options)


def test_a_disk_that_changes_after_the_verification_is_noticed(lab, package, pair):
    changed = copied(lab, package, "changed")
    before = machines_and_states(lab)
    program = lab.cohort_start("try", changed, "--name-prefix", PREFIX, "--for", "1s", json=True,
                               env={"COHORT_STOP_AT": "try.folder_made"})
    wait_until(lambda: Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", 120,
               "the program is about to start the machines")
    with open(disk_in(changed, pair[0].name, "vda"), "r+b") as disk:
        disk.write(b"no image")
    program.send_signal(signal.SIGCONT)
    status, out, _ = ended(program)
    assert status == 12 and "has changed since" in out, out
    assert nothing_is_left(lab, before)


# The isolated network

@pytest.fixture(scope="module")
def talkers(lab):
    """Two machines that exchange messages, and their package."""
    guests = lab.pingpong("ping", "pong", interval_ms=50)
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.wait_ready(timeout=400)
    guests[0].wait_pingpong(above=1)
    lab.cohort("collection", "create", "talkers", *[guest.name for guest in guests])
    package = lab.folder / "talkers"
    lab.cohort("backup", "--full", "talkers", package, *PATIENT)
    return guests, package


def test_machines_talk_to_each_other_in_the_isolated_network_only(lab, talkers):
    guests, package = talkers
    for guest in guests:
        guest.destroy()
    before = machines_and_states(lab)
    running = Running(lab, package, "--network", "isolated")
    [network] = networks(lab)
    assert "<forward" not in lab.connection.networkLookupByName(network).XMLDesc()
    for guest in guests:
        tried = running.guest(guest)
        tried.wait_ready(timeout=400)
        [source] = ET.fromstring(tried.xml()).findall("devices/interface/source")
        assert source.get("network") == network
    running.guest(guests[0]).wait_pingpong(above=1, timeout=300)
    assert running.end()[0] == 0
    assert nothing_is_left(lab, before)


# The end of the process is the end of the machines

def test_machines_end_with_the_process_and_the_rest_is_removed_by_the_next_command(lab, package, pair):
    before, package_before = machines_and_states(lab), facts(package)
    running = Running(lab, package, "--network", "isolated")
    running.program.kill()
    running.program.wait()
    wait_until(lambda: machines_and_states(lab) == before, 30, "libvirt ends the machines")
    assert (lab.state / "tries").exists()
    recovery = lab.cohort("collection", "create", "after the kill").json["recovery"]
    assert recovery["failures"] == [] and recovery["actions"]
    assert nothing_is_left(lab, before)
    assert facts(package) == package_before
    assert lab.cohort("job", "show", running.job["id"]).json["job"]["state"] == "failed"
