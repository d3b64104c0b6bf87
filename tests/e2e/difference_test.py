"""Differences: a package with only what has changed since an earlier one is, with its parents, what a full one is."""

import shutil
from pathlib import Path

import libvirt
import pytest

from harness import Disk, Lab, inspect
from harness.images import MIB, run
from harness.lab import NAME_PREFIX
from package_steps import (disk_in, goes_on, image_information, manifest, names_in, refused, rehash, sha256,
                           sha256sum_agrees, shows_the_same, small_filesystem, tokens_of_package, write_manifest)
from world import bare_machine, take

PREFIX = NAME_PREFIX + "difference "


@pytest.fixture(scope="module")
def lab():
    with Lab() as opened:
        opened.prefixes.append(PREFIX)
        yield opened


@pytest.fixture(scope="module")
def writer(lab):
    guest = lab.guest("writes", disks=[Disk(), Disk("raw")], role="writer").start()
    guest.wait_ready(timeout=400)
    return guest


@pytest.fixture(scope="module")
def still(lab):
    """A machine that is off; its disks are written to as if it had run between the snapshots."""
    guest = bare_machine(lab, "is off", ["qcow2", "raw", "qcow2"])
    for path in guest.images.values():
        run("qemu-io", "-f", path.suffix[1:], "-c", "write -P 1 0 3M", path)
    return guest


def write_to(guest, *commands):
    for path in guest.disk_paths().values():
        run("qemu-io", "-d", "unmap", "-f", "qcow2", *[word for command in commands for word in ("-c", command)], path)


def attach(guest, path, target):
    run("qemu-img", "create", "-q", "-f", "qcow2", path, str(4 * MIB))
    run("qemu-io", "-f", "qcow2", "-c", "write -P 5 1M 64k", path)
    guest.domain.attachDeviceFlags(
        f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{path}'/>"
        f"<target dev='{target}' bus='virtio'/></disk>", libvirt.VIR_DOMAIN_AFFECT_CONFIG)


@pytest.fixture(scope="module")
def nights(lab, writer, still):
    """Three packages, each but the first the difference from the one before, and full ones of the same snapshots."""
    lab.cohort("collection", "create", "nights", writer.name, still.name)
    folder = lab.new_folder("nights")
    reports = {}
    before = None

    def night(name, *options):
        nonlocal before
        writer.wait_token(above=max(writer.tokens_seen(), default=0) + 3, timeout=300)
        take(lab, "nights", name)
        since = ("--since", folder / before) if before else ()
        reports[name] = lab.cohort("export", name, folder / name, *since, *options).json["export"]
        lab.cohort("export", name, folder / f"{name} full")
        before = name

    night("monday")
    write_to(still, "write -P 2 1M 100k", "write -z 2M 512k", "discard 0 64k")
    night("tuesday")
    write_to(still, "write -P 3 3M 64k", "discard 1M 64k")
    run("qemu-img", "resize", "-q", "-f", "qcow2", still.disk_paths()["vdc"], str(8 * MIB))
    attach(still, still.folder / "new.qcow2", "vdd")
    night("wednesday", "--compress")
    return folder, reports


def disks(package):
    return {(machine["name"], disk["target"]): disk for machine in manifest(package)["machines"]
            for disk in machine["disks"]}


def kinds(report):
    return {(disk["machine"], disk["target"]): (disk["kind"], disk["whole_because"]) for disk in report["disks"]}


def test_only_what_changed_is_in_a_difference(nights, writer, still):
    folder, reports = nights
    assert all(kind == ("whole", None) for kind in kinds(reports["monday"]).values())
    assert reports["monday"]["parent"] is None
    assert all(kind == ("difference", None) for kind in kinds(reports["tuesday"]).values())
    assert reports["tuesday"]["parent"]["path"] == "../monday"
    for key, disk in disks(folder / "tuesday").items():
        assert disk["size"] < disks(folder / "tuesday full")[key]["size"], key
    assert disks(folder / "tuesday")[still.name, "vda"]["size"] < 8 * 65536


def test_what_cannot_be_a_difference_goes_whole_and_says_why(nights, writer, still):
    folder, reports = nights
    found = kinds(reports["wednesday"])
    assert found[still.name, "vda"] == ("difference", None)
    assert found[still.name, "vdc"][0] == "whole" and str(8 * MIB) in found[still.name, "vdc"][1]
    assert found[still.name, "vdd"][0] == "whole" and "no such disk" in found[still.name, "vdd"][1]
    assert disks(folder / "wednesday")[still.name, "vdd"]["whole_because"] == found[still.name, "vdd"][1]
    assert "backing-filename" not in image_information(disk_in(folder / "wednesday", still.name, "vdd"))


@pytest.mark.parametrize("name", ["tuesday", "wednesday"])
def test_a_guest_reads_the_same_as_from_a_full_package(nights, name):
    folder, _ = nights
    for key, disk in disks(folder / name).items():
        full = disks(folder / f"{name} full")[key]
        assert shows_the_same(folder / name / disk["file"], "qcow2", folder / f"{name} full" / full["file"], "qcow2"), key
        assert disk["content_hash"] == full["content_hash"] == disk["block_hashes"]["sha256"]
        assert disk["block_hashes"]["size"] == full["block_hashes"]["size"]
        if disk.get("parent"):
            image = folder / name / disk["file"]
            named = Path(image_information(image)["backing-filename"])
            assert not named.is_absolute()
            assert (image.parent / named).resolve() == (folder / name / disk["parent"]["file"]).resolve()


def test_a_chain_is_verified_to_its_end(lab, nights):
    folder, _ = nights
    report = lab.cohort("verify", folder / "wednesday").json["verify"]
    assert report["whole"] is True
    assert [Path(parent["package"]).name for parent in report["parents"]] == ["tuesday", "monday"]
    alone = lab.cohort("verify", folder / "wednesday", "--no-parents").json["verify"]
    assert alone["whole"] is True and alone["parents"] == [] and alone["files"] * 2 < report["files"]
    assert sha256sum_agrees(folder / "wednesday")
    tokens = [inspect.token_faults(tokens_of_package(folder / name, manifest(folder / name)["machines"][0]["name"],
                                                     ["vdb", "vdc"])) for name in ("tuesday", "wednesday")]
    assert tokens == [[], []]


def test_a_merge_stands_alone_and_shows_what_the_chain_does(lab, nights, still):
    folder, _ = nights
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in folder.rglob("*")}
    target = lab.new_folder("merged") / "a name with blanks"
    plan = lab.cohort("package", "merge", folder / "wednesday", target, "--dry-run").json["plan"]
    assert [Path(parent["package"]).name for parent in plan["parents"]] == ["tuesday", "monday"]
    assert not target.exists()
    merged = lab.cohort("package", "merge", folder / "wednesday", target).json["merge"]
    assert merged["package"] == str(target) and merged["manifest"]["parent"] is None
    assert merged["disk_bytes"] <= plan["estimated_bytes"]
    report = lab.cohort("verify", target).json["verify"]
    assert report["whole"] is True and report["parents"] == [] and report["notes"] == []
    assert sha256sum_agrees(target)
    shown = lab.cohort("package", "show", folder / "wednesday").json["package"]["manifest"]
    assert (report["manifest"]["instant"], report["manifest"]["snapshot"]) == (shown["instant"], shown["snapshot"])
    for key, disk in disks(target).items():
        full = disks(folder / "wednesday full")[key]
        image = target / disk["file"]
        assert "backing-filename" not in image_information(image)
        assert shows_the_same(image, "qcow2", folder / "wednesday full" / full["file"], "qcow2"), key
        assert disk["content_hash"] == full["content_hash"] == disk["block_hashes"]["sha256"]
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in folder.rglob("*")} == before
    # It needs none of them.
    alone = lab.new_folder("alone") / "moved"
    target.rename(alone)
    made = lab.cohort("import", alone, "--name-prefix", PREFIX, "--storage", alone.parent).json["import"]
    for machine in made["machines"]:
        copy = lab.adopt(machine["name"])
        if machine["original_name"] != still.name:
            copy.start().wait_ready(timeout=400)
            copy.destroy()
        copy.undefine()
    shutil.rmtree(alone)


def test_an_export_merges_the_difference_by_itself(lab, nights, still):
    folder, _ = nights
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in (folder / "tuesday").rglob("*")}
    target = folder / "wednesday merged"
    arguments = ("export", "wednesday", target, "--since", folder / "tuesday", "--merge")
    report = lab.cohort(*arguments).json["export"]
    assert report["parent"] is None and report["merged_from"]["path"] == "../tuesday"
    found = kinds(report)
    assert found[still.name, "vda"] == ("whole", None)
    assert found[still.name, "vdc"][0] == "whole" and str(8 * MIB) in found[still.name, "vdc"][1]
    verified = lab.cohort("verify", target).json["verify"]
    assert verified["whole"] is True and verified["parents"] == [] and verified["notes"] == []
    for key, disk in disks(target).items():
        full = disks(folder / "wednesday full")[key]
        assert "backing-filename" not in image_information(target / disk["file"])
        assert shows_the_same(target / disk["file"], "qcow2", folder / "wednesday full" / full["file"], "qcow2"), key
        assert disk["content_hash"] == full["content_hash"]
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ctime_ns)
            for path in (folder / "tuesday").rglob("*")} == before
    assert not [name for name in names_in(folder) if "difference" in name]
    refused(lab, "already_exists", *arguments)
    refused(lab, "invalid_argument", "export", "wednesday", folder / "x", "--merge")
    shutil.rmtree(target)


def test_what_cannot_be_merged_says_why_and_leaves_nothing(lab, nights, still):
    folder, _ = nights
    names = names_in(folder)
    new = folder / "new"
    assert "nothing to merge" in refused(lab, "invalid_state", "package", "merge", folder / "monday", new)
    assert "never overwritten" in refused(lab, "already_exists", "package", "merge", folder / "tuesday", folder / "monday")
    refused(lab, "invalid_argument", "package", "merge", folder / "tuesday", folder / "monday" / "new")
    refused(lab, "not_found", "package", "merge", folder, new)
    moved = lab.new_folder("half") / "tuesday"
    shutil.copytree(folder / "tuesday", moved)
    assert "../monday" in refused(lab, "not_found", "package", "merge", moved, new)
    with small_filesystem(lab.folder / "small", 8) as small:
        assert "nothing was written" in refused(lab, "no_space", "package", "merge", folder / "tuesday", small / "new")
        assert list(small.glob("new*")) == []
    assert names_in(folder) == names


def forged_copy(lab, folder, name, still):
    """Monday and tuesday, one with another block of a disk; its manifest and list fit, but for the content hash."""
    forged = lab.new_folder(f"forged {name}")
    for each in ("monday", "tuesday"):
        shutil.copytree(folder / each, forged / each)
    # What tuesday does not hide.
    run("qemu-io", "-f", "qcow2", "-c", "write -P 9 2600k 64k", disk_in(forged / name, still.name, "vda"))
    rehash(forged / name)
    document = manifest(forged / "tuesday")
    document["parent"]["manifest_sha256"] = sha256(forged / "monday" / "cohort.json")
    write_manifest(forged / "tuesday", document)
    return forged


@pytest.mark.parametrize("name", ["monday", "tuesday"])
def test_damage_that_only_the_content_hash_finds_is_found_by_merge_and_import(lab, nights, still, name):
    folder, _ = nights
    forged = forged_copy(lab, folder, name, still)
    assert lab.cohort("verify", forged / "tuesday").json["verify"]["whole"] is True
    machines = sorted(each["name"] for each in lab.cohort("vm", "list").json["machines"])
    names = names_in(forged)
    message = refused(lab, "corrupt", "package", "merge", forged / "tuesday", forged / "new")
    assert "another content" in message and str(forged / "tuesday") in message
    storage = forged / "storage"
    storage.mkdir()
    message = refused(lab, "corrupt", "import", forged / "tuesday", "--name-prefix", PREFIX, "--storage", storage)
    assert "another content" in message and str(forged / "tuesday") in message
    assert names_in(storage) == []
    storage.rmdir()
    assert names_in(forged) == names
    assert sorted(each["name"] for each in lab.cohort("vm", "list").json["machines"]) == machines
    shutil.rmtree(forged)


def test_packages_in_a_folder_are_listed_in_the_order_of_their_instants(lab, nights):
    folder, _ = nights
    listed = lab.cohort("package", "list", folder).json["packages"]
    assert [Path(each["package"]).name for each in listed] == [
        "monday", "monday full", "tuesday", "tuesday full", "wednesday", "wednesday full"]
    assert [[Path(parent["package"]).name for parent in each["parents"]] for each in listed] == [
        [], [], ["monday"], [], ["tuesday", "monday"], []]
    assert all(each["problem"] is None and each["disk_bytes"] > 0 for each in listed)
    shown = lab.cohort("package", "show", folder / "wednesday").json["package"]
    assert shown["manifest"] == lab.cohort("verify", folder / "wednesday").json["verify"]["manifest"]
    text = lab.cohort("package", "list", folder, json=False).out
    assert "../tuesday" in text and "wednesday full" in text


def test_an_import_stands_alone(lab, nights, writer, still):
    folder, _ = nights
    storage = lab.new_folder("storage")
    made = lab.cohort("import", folder / "wednesday", "--name-prefix", PREFIX, "--storage", storage).json["import"]
    for machine in made["machines"]:
        copy = lab.adopt(machine["name"])
        for disk in machine["disks"]:
            original = disks(folder / "wednesday full")[machine["original_name"], disk["target"]]
            assert "backing-filename" not in image_information(disk["path"])
            assert shows_the_same(disk["path"], "qcow2", folder / "wednesday full" / original["file"], "qcow2")
        if machine["original_name"] == writer.name:
            copy.start().wait_ready(timeout=400)
            copy.destroy()
        copy.undefine()
    assert goes_on(writer)


def test_a_try_boots_from_the_chain(lab, nights, writer):
    folder, _ = nights
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in folder.rglob("*")}
    ran = lab.cohort("try", folder / "wednesday", "--name-prefix", PREFIX, "--machine", writer.name,
                     "--wait-for-agent=500", timeout=600)
    assert ran.json["try"]["machines"][0]["agent_after_ms"] > 0
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in folder.rglob("*")} == before


def test_a_chain_can_be_moved_as_a_whole(lab, nights):
    folder, _ = nights
    moved = lab.new_folder("moved") / "all"
    shutil.copytree(folder, moved)
    assert lab.cohort("verify", moved / "wednesday").json["verify"]["whole"] is True
    shutil.rmtree(moved / "monday")
    ran = lab.cohort("verify", moved / "wednesday", check=False)
    assert ran.rc == 12
    [problem] = ran.json["verify"]["problems"]
    assert (problem["file"], problem["kind"]) == ("../monday/cohort.json", "missing-parent")
    for command in (("import", "--name-prefix", PREFIX, "--storage", moved), ("try", "--name-prefix", PREFIX)):
        message = refused(lab, "not_found", command[0], moved / "wednesday", *command[1:])
        assert "../monday" in message
    # Damage in a parent is damage of all that stands on it.
    shutil.copytree(folder / "monday", moved / "monday")
    image = next(moved.glob("monday/Virtual Hard Disks/*.qcow2"))
    with open(image, "r+b") as file:
        file.seek(-1, 2)
        file.write(b"?")
    refused(lab, "corrupt", "import", moved / "wednesday", "--name-prefix", PREFIX, "--storage", moved)
    shutil.rmtree(moved)


# What cannot be the base

def test_a_base_must_be_a_package_of_an_earlier_snapshot_that_is_still_there(lab, nights, still):
    folder, _ = nights
    target = folder / "never"
    names = names_in(folder)

    def refuse(code, *arguments):
        message = refused(lab, code, "export", *arguments)
        refused(lab, code, "export", *arguments, "--dry-run")
        return message

    refuse("not_found", "wednesday", target, "--since", folder / "sunday")
    refuse("not_found", "wednesday", target, "--since", folder)
    assert "same snapshot" in refuse("invalid_argument", "wednesday", target, "--since", folder / "wednesday")
    assert "later" in refuse("invalid_argument", "monday", target, "--since", folder / "tuesday")
    assert "could not name" in refuse("invalid_argument", "wednesday", folder / "monday" / "never", "--since",
                                      folder / "monday")
    deep = lab.new_folder("deep") / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert "could not name" in refuse("invalid_argument", "wednesday", deep / "never", "--since", folder / "monday")
    refuse("invalid_argument", "wednesday", target, "--since", folder / "monday", "--no-storage")
    lab.cohort("collection", "create", "other", still.name)
    take(lab, "other", "of others")
    assert "of the collection" in refuse("invalid_argument", "of others", target, "--since", folder / "monday")
    lab.cohort("snapshot", "delete", "of others")
    assert names_in(folder) == names


def test_raw_disks_go_whole(lab, nights):
    folder, _ = nights
    report = lab.cohort("export", "tuesday", folder / "raw", "--since", folder / "monday", "--format", "raw").json["export"]
    assert report["parent"] is None
    assert all(kind == "whole" and "qcow2" in why for kind, why in kinds(report).values())
    assert lab.cohort("verify", folder / "raw").json["verify"]["whole"] is True
    shutil.rmtree(folder / "raw")


def test_a_raw_package_can_be_a_base(lab, nights, still):
    folder, _ = nights
    lab.cohort("export", "monday", folder / "raw base", "--format", "raw")
    report = lab.cohort("export", "tuesday", folder / "on raw", "--since", folder / "raw base").json["export"]
    assert all(kind == ("difference", None) for kind in kinds(report).values())
    for key, disk in disks(folder / "on raw").items():
        assert disk["content_hash"] == disks(folder / "tuesday full")[key]["content_hash"]
        assert shows_the_same(folder / "on raw" / disk["file"], "qcow2",
                              folder / "tuesday full" / disks(folder / "tuesday full")[key]["file"], "qcow2")
    assert lab.cohort("verify", folder / "on raw").json["verify"]["whole"] is True
    for name in ("on raw", "raw base"):
        shutil.rmtree(folder / name)


def test_merges_of_other_snapshots_do_not_matter_and_the_bases_own_does(lab, nights, still):
    """Tuesday is merged into what Monday has: from Monday on all is still known, from Tuesday nothing is."""
    folder, _ = nights
    lab.cohort("snapshot", "delete", "tuesday")
    report = lab.cohort("export", "wednesday", folder / "two nights", "--since", folder / "monday").json["export"]
    assert kinds(report)[still.name, "vda"] == ("difference", None)
    for key, disk in disks(folder / "two nights").items():
        assert disk["content_hash"] == disks(folder / "wednesday full")[key]["content_hash"]
    assert lab.cohort("verify", folder / "two nights").json["verify"]["whole"] is True
    message = refused(lab, "not_found", "export", "wednesday", folder / "never", "--since", folder / "tuesday")
    assert "does not exist any more" in message and "without --since" in message
    assert not (folder / "never").exists()


def test_each_night_can_stand_on_the_last_while_but_one_snapshot_stays(lab, nights, writer, still):
    """What is below the base's snapshot is merged into the disks, of machines that run and of those that are off."""
    folder, _ = nights
    lab.cohort("snapshot", "delete", "monday")
    writer.wait_token(above=max(writer.tokens_seen()) + 3, timeout=300)
    write_to(still, "write -P 4 2M 64k")
    take(lab, "nights", "thursday")
    report = lab.cohort("export", "thursday", folder / "thursday", "--since", folder / "wednesday").json["export"]
    assert all(kind == ("difference", None) for kind in kinds(report).values())
    lab.cohort("export", "thursday", folder / "thursday full")
    for key, disk in disks(folder / "thursday").items():
        assert disk["content_hash"] == disks(folder / "thursday full")[key]["content_hash"], key
    assert lab.cohort("verify", folder / "thursday").json["verify"]["whole"] is True


# A stranger's

def forged(lab, nights, name):
    """A copy of Monday and Tuesday."""
    place = lab.new_folder(f"forged {name}")
    for package in ("monday", "tuesday"):
        shutil.copytree(nights[0] / package, place / package)
    return place


def rebase(image, name, format="qcow2"):
    run("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", format, "-b", name, image)


def to_outside(place, still, document):
    """The parent is said to be elsewhere, absolutely or far up."""
    document["parent"]["path"] = "../../../../etc"


def to_an_absolute_path(place, still, document):
    document["parent"]["path"] = str(place / "monday")


def to_a_link(place, still, document):
    (place / "link").symlink_to(place / "monday")
    document["parent"]["path"] = "../link"
    for machine in document["machines"]:
        for disk in machine["disks"]:
            disk["parent"]["file"] = disk["parent"]["file"].replace("../monday/", "../link/")


def to_itself(place, still, document):
    document["parent"]["path"] = "../tuesday"
    for machine in document["machines"]:
        for disk in machine["disks"]:
            disk["parent"]["file"] = disk["parent"]["file"].replace("../monday/", "../tuesday/")


def to_a_file_of_the_host(place, still, document):
    disk = next(machine for machine in document["machines"] if machine["name"] == still.name)["disks"][0]
    rebase(place / "tuesday" / disk["file"], "/etc/passwd", "raw")
    disk["size"] = (place / "tuesday" / disk["file"]).stat().st_size
    disk["sha256"] = sha256(place / "tuesday" / disk["file"])


@pytest.mark.parametrize("lead", [to_outside, to_an_absolute_path, to_a_link, to_itself, to_a_file_of_the_host])
def test_a_chain_leads_nowhere_else(lab, nights, still, lead):
    place = forged(lab, nights, lead.__name__)
    document = manifest(place / "tuesday")
    lead(place, still, document)
    write_manifest(place / "tuesday", document)
    assert lab.cohort("verify", place / "tuesday", check=False).rc == 12
    for command in (("import", "--storage", place), ("try",)):
        ran = lab.cohort(command[0], place / "tuesday", "--name-prefix", PREFIX, *command[1:], check=False)
        assert ran.json["error"]["code"] == "corrupt", ran.json
        assert all(not name.startswith(PREFIX.strip()) for name in names_in(place))
    shutil.rmtree(place)


def test_a_parent_that_was_swapped_is_noticed(lab, nights):
    place = forged(lab, nights, "swapped")
    shutil.rmtree(place / "monday")
    shutil.copytree(nights[0] / "monday full", place / "monday")
    ran = lab.cohort("verify", place / "tuesday", check=False)
    assert [(each["file"], each["kind"]) for each in ran.json["verify"]["problems"]] == [
        ("../monday/cohort.json", "wrong-parent")]
    refused(lab, "corrupt", "import", place / "tuesday", "--name-prefix", PREFIX, "--storage", place)
    shutil.rmtree(place)
