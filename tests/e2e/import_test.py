"""Import: a package becomes machines that boot and go on, all of them or none."""

import signal
import socket
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import libvirt
import pytest

from harness import Guest, Lab, inspect, wait_until
from harness.images import run
from harness.lab import NAME_PREFIX
from package_steps import (MIB, AllThereIs, content, disk_in, image_information, machine_in, machines_and_states,
                           manifest, names_in, refused, rehash, sha256, shows_the_same, small_filesystem,
                           tokens_of_package)
from world import bare_machine

TPM = Path("/var/lib/libvirt/swtpm")
STARTING = 900  # seconds: QEMU takes its time to start where the processors are busy


def macs(guest):
    addresses = ET.fromstring(guest.xml(inactive=True)).findall("devices/interface/mac")
    return {address.get("address") for address in addresses}


def no_new_machine(lab, before, storage):
    """The machines are those of before, and nothing is in the folder for the disks."""
    assert machines_and_states(lab) == before
    assert names_in(storage) == []
    return True


def copies(lab, document):
    return [lab.adopt(machine["name"]) for machine in document["import"]["machines"]]


def remove(*guests):
    for guest in guests:
        guest.destroy()
        guest.undefine()


@pytest.fixture
def storage(lab, request):
    """An empty folder for the disks of the test's imports."""
    return lab.new_folder("storage of " + request.node.name[:60])


# The whole way, once, with machines that have all there is

@pytest.fixture(scope="module")
def running(lab):
    """Two machines that ran when they were backed up and are off now, and their package."""
    made = AllThereIs(lab, "running")
    for guest in (made.three, made.firm):
        guest.destroy()
    made.images = {path: sha256(path) for guest in (made.three, made.firm) for path in guest.images.values()}
    return made


@pytest.fixture(scope="module")
def started(lab, running):
    """The copies of both machines, imported and started."""
    storage = lab.new_folder("copies")
    lab.prefixes.append(NAME_PREFIX + "copy ")
    ran = lab.cohort("import", running.package, "--name-prefix", NAME_PREFIX + "copy ", "--storage", storage,
                     "--start", timeout=STARTING)
    document = ran.json["import"]
    assert all(machine["started"] for machine in document["machines"])
    made = {machine["original_name"]: lab.adopt(machine["name"]) for machine in document["machines"]}
    return {"storage": storage, "report": document["machines"],
            "three": made[running.three.name], "firm": made[running.firm.name]}


def test_copies_have_new_names_ids_and_addresses_beside_the_originals(started, running):
    for original, copy in ((running.three, started["three"]), (running.firm, started["firm"])):
        assert copy.name == NAME_PREFIX + "copy " + original.name
        assert copy.uuid != original.uuid
        assert original.state() == "shut off"
        assert not macs(copy) & macs(original) and len(macs(copy)) == len(macs(original))
        reported = next(machine for machine in started["report"] if machine["name"] == copy.name)
        assert reported["id"] == copy.uuid
    assert len(macs(started["three"])) == 1


def test_copies_boot_and_go_on_where_the_instant_was(started, running):
    copy = started["three"]
    assert copy.wait_ready(timeout=400) == 2
    packed = tokens_of_package(running.package, running.three.name, ["vdb", "vdc", "vdd"])
    copy.wait_token(above=packed[0][-1].number, timeout=200)
    copy.destroy()
    tokens = [inspect.tokens(path) for path in copy.data_paths()]
    for after, before in zip(tokens, packed, strict=True):
        assert after[:len(before)] == before, "what was written before the instant is there, unchanged"
        assert len(after) > len(before)
    # The later disks may lack the one number that the instant came between; the first goes on without a gap.
    assert inspect.token_faults(tokens[:1]) == []


def test_a_copy_with_uefi_variables_and_tpm_boots(started, running):
    copy = started["firm"]
    assert copy.wait_ready(timeout=400) == 2
    nvram = ET.fromstring(copy.xml()).find("os/nvram").text
    assert Path(nvram).parent == started["storage"]
    assert (TPM / copy.uuid / "tpm2").is_dir()
    packed = {file["file"].split(".tpm/", 1)[1] for file in
              machine_in(running.package, running.firm.name)["tpm_state"]}
    assert packed <= {str(path.relative_to(TPM / copy.uuid)) for path in (TPM / copy.uuid).rglob("*")}
    copy.destroy()


def test_the_disks_of_copies_lie_in_the_storage_folder_and_stand_alone(started, running):
    for original, copy in ((running.three, started["three"]), (running.firm, started["firm"])):
        paths = copy.disk_paths(inactive=True)
        assert set(paths) == set(original.disk_paths(inactive=True))
        for path in paths.values():
            assert path.parent == started["storage"]
            assert "backing-filename" not in image_information(path)


def test_the_originals_keep_their_disks(started, running):
    for guest in (running.three, running.firm):
        assert set(guest.disk_paths(inactive=True).values()) == set(guest.images.values())
    assert {path: sha256(path) for path in running.images} == running.images


def test_uefi_variables_and_tpm_state_come_back_unchanged(lab, running, storage):
    name = NAME_PREFIX + "firm not started"
    other = NAME_PREFIX + "three not started"
    ran = lab.cohort("import", running.package, "--name", f"{running.firm.name}={name}",
                     "--name", f"{running.three.name}={other}", "--storage", storage)
    made = copies(lab, ran.json)
    assert {guest.name for guest in made} == {name, other}
    assert all(guest.state() == "shut off" for guest in made)
    firm = lab.adopt(name)
    entry = machine_in(running.package, running.firm.name)
    nvram = Path(ET.fromstring(firm.xml()).find("os/nvram").text)
    assert nvram.read_bytes() == (running.package / entry["nvram"]["file"]).read_bytes()
    for file in entry["tpm_state"]:
        there = TPM / firm.uuid / file["file"].split(".tpm/", 1)[1]
        assert there.read_bytes() == (running.package / file["file"]).read_bytes()
    for target, path in lab.adopt(other).disk_paths(inactive=True).items():
        assert shows_the_same(path, "qcow2", disk_in(running.package, running.three.name, target), "qcow2")
    remove(*made)


# Two machines that are never started, for what needs no running one

def edited(lab, package, name, change):
    """A copy of the package with one machine's configuration changed, and all hashes right."""
    place = lab.folder / name
    lab_copy(package, place)
    entry = manifest(place)["machines"][1]
    path = place / entry["configuration"]["file"]
    path.write_text(change(path.read_text()))
    rehash(place)
    return place


def lab_copy(package, place):
    place.mkdir()
    for path in sorted(package.rglob("*")):
        target = place / path.relative_to(package)
        if path.is_dir():
            target.mkdir()
        else:
            target.write_bytes(path.read_bytes())


def test_names_that_are_taken_are_refused(lab, package, pair, storage):
    before = machines_and_states(lab)
    assert pair[0].name in refused(lab, "already_exists", "import", package, "--storage", storage)
    # One of two is enough.
    assert pair[1].name in refused(lab, "already_exists", "import", package, "--storage", storage,
                                   "--name", f"{pair[0].name}={NAME_PREFIX}free")
    assert no_new_machine(lab, before, storage)


def test_new_names_that_cannot_be_are_refused(lab, package, pair, storage):
    before = machines_and_states(lab)
    same = NAME_PREFIX + "same"
    refused(lab, "invalid_argument", "import", package, "--storage", storage,
            "--name", f"{pair[0].name}={same}", "--name", f"{pair[1].name}={same}")
    assert "nobody" in refused(lab, "not_found", "import", package, "--storage", storage,
                               "--name", f"nobody={same}", "--name-prefix", NAME_PREFIX + "x ")
    refused(lab, "invalid_argument", "import", package, "--storage", storage, "--name-prefix", NAME_PREFIX + "a/b ")
    assert no_new_machine(lab, before, storage)


def test_a_dry_run_names_what_would_be_made_and_makes_nothing(lab, package, pair, storage):
    before = machines_and_states(lab)
    plan = lab.cohort("import", package, "--name-prefix", NAME_PREFIX + "dry ", "--storage", storage,
                      "--dry-run").json["plan"]
    assert plan["storage"] == str(storage)
    assert [(machine["original_name"], machine["name"], machine["id"]) for machine in plan["machines"]] == [
        (guest.name, NAME_PREFIX + "dry " + guest.name, None) for guest in pair]
    assert all(Path(disk["path"]).parent == storage for machine in plan["machines"] for disk in machine["disks"])
    assert no_new_machine(lab, before, storage)


def test_the_same_package_can_be_imported_twice(lab, package, pair, storage):
    made = []
    for prefix in (NAME_PREFIX + "1 ", NAME_PREFIX + "2 "):
        made += copies(lab, lab.cohort("import", package, "--name-prefix", prefix, "--storage", storage).json)
    assert len({guest.uuid for guest in made + pair}) == 6
    assert len(names_in(storage)) == 8  # each has two disks
    remove(*made)


def test_ids_that_are_taken_are_refused_under_any_name(lab, package, pair, storage):
    before = machines_and_states(lab)
    assert pair[0].uuid in refused(lab, "already_exists", "import", package, "--keep-ids", "--storage", storage,
                                   "--name-prefix", NAME_PREFIX + "other ")
    assert no_new_machine(lab, before, storage)


def test_lost_machines_come_back_as_who_they_were(lab, storage):
    lost = lab.guest("lost", net=lab.link()[0])
    lab.cohort("collection", "create", "lost", lost.name)
    target = lab.folder / "lost package"
    lab.cohort("backup", "--full", "lost", target)
    uuid, addresses = lost.uuid, macs(lost)
    assert len(addresses) == 1
    lost.undefine()
    for image in lost.images.values():
        image.unlink()
    report = lab.cohort("import", target, "--keep-ids", "--storage", storage, "--start",
                        timeout=STARTING).json["import"]
    assert [machine["id"] for machine in report["machines"]] == [uuid]
    back = Guest(lab, lost.name)
    assert (back.uuid, macs(back)) == (uuid, addresses)
    assert back.wait_ready(timeout=400) == 1
    assert lab.cohort("collection", "show", "lost").json["collection"]["machines"][0]["missing"] is False
    remove(back)


def test_a_file_in_the_way_is_not_overwritten(lab, package, pair, storage):
    before = machines_and_states(lab)
    plan = lab.cohort("import", package, "--name-prefix", NAME_PREFIX + "way ", "--storage", storage,
                      "--dry-run").json["plan"]
    taken = Path(plan["machines"][1]["disks"][1]["path"])
    taken.write_text("mine")
    assert str(taken) in refused(lab, "already_exists", "import", package, "--name-prefix", NAME_PREFIX + "way ",
                                 "--storage", storage)
    assert machines_and_states(lab) == before
    assert content(storage) == {taken.name: sha256(taken)} and taken.read_text() == "mine"


def test_a_storage_folder_must_be_there(lab, package):
    before = machines_and_states(lab)
    missing = lab.folder / "no storage"
    assert str(missing) in refused(lab, "not_found", "import", package, "--name-prefix", NAME_PREFIX + "a ",
                                   "--storage", missing)
    assert machines_and_states(lab) == before and not missing.exists()


def test_a_storage_folder_must_have_the_room(lab, running):
    before = machines_and_states(lab)
    with small_filesystem(lab.folder / "small storage", 8) as folder:
        assert str(folder) in refused(lab, "no_space", "import", running.package, "--name-prefix",
                                      NAME_PREFIX + "small ", "--storage", folder)
        assert no_new_machine(lab, before, folder)


def test_a_damaged_package_makes_no_machine(lab, package, storage):
    damaged = lab.folder / "damaged"
    lab_copy(package, damaged)
    image = damaged / manifest(damaged)["machines"][1]["disks"][0]["file"]
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)
    before = machines_and_states(lab)
    assert image.name in refused(lab, "corrupt", "import", damaged, "--name-prefix", NAME_PREFIX + "bad ",
                                 "--storage", storage)
    assert no_new_machine(lab, before, storage)


def test_a_package_that_reaches_for_the_host_makes_no_machine(lab, package, storage):
    device = ("<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0' slot='1' function='0'/>"
              "</source></hostdev>")
    hostile = edited(lab, package, "hostile", lambda xml: xml.replace("</devices>", device + "</devices>"))
    before = machines_and_states(lab)
    message = refused(lab, "unsupported", "import", hostile, "--name-prefix", NAME_PREFIX + "host ",
                      "--storage", storage)
    assert "hostdev" in message and "--trust host-device" in message
    assert no_new_machine(lab, before, storage)
    assert "host-device, host-path" in refused(lab, "invalid_argument", "import", hostile, "--trust", "everything")
    refused(lab, "unsupported", "import", hostile, "--name-prefix", NAME_PREFIX + "host ", "--storage", storage,
            "--trust", "host-path")
    assert no_new_machine(lab, before, storage)
    made = lab.cohort("import", hostile, "--name-prefix", NAME_PREFIX + "host ", "--storage", storage,
                      "--trust", "host-device").json["import"]["machines"]
    assert "<hostdev" in lab.adopt(made[1]["name"]).xml(inactive=True)


# All or none

def machine_type(xml):
    return ET.fromstring(xml).find("os/type").get("machine")


def test_no_machine_is_left_when_libvirt_refuses_the_second(lab, package, storage):
    odd = edited(lab, package, "odd", lambda xml: xml.replace(machine_type(xml), "pc-q35-1.0.unknown"))
    before = machines_and_states(lab)
    refused(lab, "unsupported", "import", odd, "--name-prefix", NAME_PREFIX + "none ", "--storage", storage)
    assert no_new_machine(lab, before, storage)
    job = lab.cohort("job", "list").json["jobs"][0]
    assert (job["type"], job["state"], job["error"]["code"]) == ("import", "failed", "unsupported")


def with_port(xml, port):
    interface = (f"<interface type='udp'><source address='127.0.0.1' port='9'><local address='127.0.0.1' "
                 f"port='{port}'/></source><model type='virtio'/></interface>")
    return xml.replace("</devices>", interface + "</devices>")


def test_no_machine_is_left_when_the_second_does_not_start(lab, package, storage):
    before = machines_and_states(lab)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        busy = edited(lab, package, "busy", lambda xml: with_port(xml, taken.getsockname()[1]))
        refused(lab, "hypervisor", "import", busy, "--name-prefix", NAME_PREFIX + "start ", "--storage", storage,
                "--start", timeout=STARTING)
        assert no_new_machine(lab, before, storage)
        # Without the start it is a package like any other.
        made = copies(lab, lab.cohort("import", busy, "--name-prefix", NAME_PREFIX + "start ", "--storage",
                                      storage).json)
    assert len(made) == 2
    remove(*made)


def test_removed_copies_leave_the_package_usable(lab, package, storage):
    made = copies(lab, lab.cohort("import", package, "--name-prefix", NAME_PREFIX + "rm ", "--storage",
                                  storage).json)
    for guest in made:
        guest.undefine()
        with pytest.raises(libvirt.libvirtError):
            lab.connection.lookupByName(guest.name)
    assert lab.cohort("verify", package).json["verify"]["whole"] is True


# What somebody has taken into use meanwhile stays

KILLED = -signal.SIGKILL


def killed(lab, point, *arguments, skip=0):
    ran = lab.cohort("import", *arguments, check=False,
                     env={"COHORT_KILL_AT": point, "COHORT_KILL_SKIP": str(skip)})
    assert ran.rc == KILLED, ran.err


def recovered(lab, name):
    """What a changing command says that it has found."""
    found = lab.cohort("collection", "create", name).json["recovery"]
    assert "recovery" not in lab.cohort("collection", "delete", name).json, "nobody is told twice"
    return found


def test_a_machine_of_somebody_else_with_the_same_uuid_is_left_alone(lab, storage):
    lost = bare_machine(lab, "same uuid")
    lab.cohort("collection", "create", "same uuid", lost.name)
    target = lab.folder / "package of same uuid"
    lab.cohort("backup", "--full", "same uuid", target)
    uuid = lost.uuid
    lost.undefine()
    killed(lab, "import.before_define", target, "--keep-ids", "--storage", storage)
    own = bare_machine(lab, "own answer", folder="own answer")
    xml = own.xml(inactive=True).replace(own.uuid, uuid)
    own.undefine()
    lab.connection.defineXML(xml)
    own.start()
    found = recovered(lab, "after same uuid")
    assert own.state() == "running" and own.uuid == uuid
    [failure] = found["failures"]
    assert f'"{own.name}"' in failure and "not the one that the job defined" in failure
    assert all(str(path) in failure for path in storage.iterdir()), "what is left is named"
    remove(own)


def test_a_machine_that_was_started_since_is_left_alone(lab, package, pair, storage):
    lab.prefixes.append(NAME_PREFIX + "used ")
    killed(lab, "import.before_copy", package, "--name-prefix", NAME_PREFIX + "used ", "--storage", storage, skip=2)
    used = lab.adopt(NAME_PREFIX + "used " + pair[0].name)
    used.start()
    found = recovered(lab, "after used")
    assert used.state() == "running"
    assert all(path.exists() for path in used.disk_paths().values())
    assert all(name.startswith(used.name) for name in names_in(storage)), "those of the other machine are gone"
    [failure] = found["failures"]
    assert f'"{used.name}"' in failure and "not the import that started it" in failure
    remove(used)


def test_a_machine_that_has_run_since_is_left_alone(lab, package, pair, storage):
    lab.prefixes.append(NAME_PREFIX + "ran ")
    killed(lab, "import.before_copy", package, "--name-prefix", NAME_PREFIX + "ran ", "--storage", storage, skip=2)
    used = lab.adopt(NAME_PREFIX + "ran " + pair[0].name)
    disk = used.disk_paths()["vda"]
    run("qemu-io", "-f", "raw", "-c", "write -P 7 0 64k", disk)
    [failure] = recovered(lab, "after ran")["failures"]
    assert "disks were changed" in failure and str(disk) in failure
    assert used.state() == "shut off" and disk.exists()
    remove(used)


def test_a_machine_that_nobody_has_used_is_taken_back(lab, package, storage):
    before = machines_and_states(lab)
    lab.prefixes.append(NAME_PREFIX + "unused ")
    killed(lab, "import.before_copy", package, "--name-prefix", NAME_PREFIX + "unused ", "--storage", storage, skip=2)
    found = recovered(lab, "after unused")
    assert found["failures"] == []
    assert len(found["actions"]) == 3, "a machine and its two disks; what was never there was not removed"
    assert no_new_machine(lab, before, storage)


# A package whose disks change, or name files of the host

def swap(lab, package, name):
    """Puts an image with the same virtual size over a file of the host into the place of the package's."""
    secret = lab.folder / "secret"
    secret.write_bytes(b"of the host" * 100_000)
    disk = disk_in(package, name, "vdb")
    disk.unlink()
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", secret, disk, str(4 * MIB))


def test_a_disk_that_is_swapped_after_the_verification_is_noticed(lab, package, pair, storage):
    swapped = lab.folder / "swapped"
    lab_copy(package, swapped)
    before = machines_and_states(lab)
    program = lab.cohort_start("import", swapped, "--name-prefix", NAME_PREFIX + "swap ", "--storage", storage, json=True,
                               env={"COHORT_STOP_AT": "import.before_copy"})
    wait_until(lambda: "T" == Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0], 120,
               "the program is about to copy")
    swap(lab, swapped, pair[0].name)
    while program.poll() is None:
        program.send_signal(signal.SIGCONT)
        time.sleep(0.1)
    out, _ = program.communicate()
    assert program.returncode == 12, out
    assert "not whole" in out and "vdb" in out
    assert no_new_machine(lab, before, storage)


def test_a_plan_opens_nothing_that_an_image_names(lab, package, pair, storage):
    hostile = lab.folder / "names a server"
    lab_copy(package, hostile)
    disk = disk_in(hostile, pair[0].name, "vdb")
    before = machines_and_states(lab)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(1)
        disk.unlink()
        run("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b",
            f"nbd://127.0.0.1:{server.getsockname()[1]}", disk, str(4 * MIB))
        rehash(hostile)
        for options in (["--dry-run"], []):
            assert "not whole" in refused(lab, "corrupt", "import", hostile, "--name-prefix", NAME_PREFIX + "nbd ",
                                          "--storage", storage, *options)
        with pytest.raises(TimeoutError):
            server.accept()
    assert no_new_machine(lab, before, storage)


def test_a_package_that_lacks_a_file_is_not_whole(lab, package, pair, storage):
    lacking = lab.folder / "lacking"
    lab_copy(package, lacking)
    disk_in(lacking, pair[1].name, "vda").unlink()
    assert "not whole" in refused(lab, "corrupt", "import", lacking, "--name-prefix", NAME_PREFIX + "lack ",
                                  "--storage", storage)


def test_a_hypervisor_without_disks_of_this_host_is_refused(package, storage):
    with Lab() as other:  # a state belongs to one hypervisor
        for options in (["--dry-run"], []):
            refused(other, "unsupported", "--connect", "test:///default", "import", package,
                    "--name-prefix", NAME_PREFIX + "driver ", "--storage", storage, *options)
    assert names_in(storage) == []
