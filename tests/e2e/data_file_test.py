"""Images of qcow2 that keep their data in an external data file: it is frozen, watched, exported and merged with its image."""

import os
import pwd

import pytest

from harness import Disk, Lab, inspect
from harness.images import MIB, run
from package_steps import disk_in, refused, shows_the_same
from world import active, bare_machine, content, frozen, overlays, picture, take, write


@pytest.fixture
def lab():
    with Lab() as opened:
        yield opened


def bare_with_data_file(lab, name="keeps its data elsewhere", more=""):
    """Its disk has content, all of it in the data file."""
    guest = bare_machine(lab, name, ["qcow2"])
    image, data = guest.disk_paths()["vda"], guest.folder / "data of disk0"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={data}{more}", image, str(4 * MIB))
    run("qemu-io", "-f", "qcow2", "-c", "write -P 1 0 1M", image)
    lab.cohort("collection", "create", "shop", guest.name)
    return guest, image, data


@pytest.mark.parametrize("more", ["", ",data_file_raw=on"])
def test_a_life_of_snapshots_loses_nothing(lab, more):
    guest, image, data = bare_with_data_file(lab, more=more)
    before = picture(guest)
    first = take(lab, "shop", "first")
    write(guest, 2)
    second = take(lab, "shop", "second")
    write(guest, 3)
    held = content(lab, *active(guest)[0])
    lab.cohort("export", "first", lab.folder / "whole")
    assert shows_the_same(disk_in(lab.folder / "whole", guest.name, "vda"), "qcow2", *frozen(first, guest)["vda"])
    lab.cohort("export", "second", lab.folder / "difference", "--since", lab.folder / "whole")
    assert shows_the_same(disk_in(lab.folder / "difference", guest.name, "vda"), "qcow2", *frozen(second, guest)["vda"])
    lab.cohort("snapshot", "delete", "first")
    # The merge's own writes to the data file accuse nobody.
    second = lab.cohort("snapshot", "show", "second").json["snapshot"]
    assert frozen(second, guest)["vda"] == (image, "qcow2")
    lab.cohort("export", "second", lab.folder / "second")
    assert shows_the_same(disk_in(lab.folder / "second", guest.name, "vda"), "qcow2", *frozen(second, guest)["vda"])
    lab.cohort("snapshot", "delete", "second")
    assert picture(guest) == before and content(lab, image, "qcow2") == held
    assert "data file" in run("qemu-img", "info", image) and data.stat().st_size >= MIB


def test_a_write_to_a_frozen_data_file_is_seen(lab):
    """The image itself does not change: its tables have the place already."""
    guest, image, data = bare_with_data_file(lab)
    take(lab, "shop", "watched")
    as_it_was = image.stat().st_mtime_ns
    run("qemu-io", "-f", "qcow2", "-c", "write -P 9 64k 64k", image)
    assert image.stat().st_mtime_ns == as_it_was
    for options in ([], ["--dry-run"]):
        message = refused(lab, "corrupt", "export", "watched", lab.folder / "package", *options)
        assert str(image) in message and str(data) in message and "written to after the instant" in message
    assert not (lab.folder / "package").exists()
    lab.cohort("snapshot", "delete", "watched")
    assert overlays(guest) == []


def test_a_data_file_that_is_named_without_its_folder_is_refused(lab, monkeypatch):
    guest, image, data = bare_with_data_file(lab)
    before = picture(guest)
    monkeypatch.chdir(guest.folder)
    run("qemu-img", "amend", "-f", "qcow2", "-o", f"data_file={data.name}", image)
    message = refused(lab, "invalid_state", "snapshot", "take", "shop")
    assert data.name in message and str(image) in message and "qemu-img amend" in message
    assert picture(guest) == before and overlays(guest) == []
    # As it says.
    run("qemu-img", "amend", "-f", "qcow2", "-o", f"data_file={data}", image)
    take(lab, "shop", "put right")
    lab.cohort("snapshot", "delete", "put right")


def test_a_running_machine_is_taken_exported_and_merged(lab):
    place = lab.new_folder("elsewhere")
    data = place / "data"
    guest = lab.guest("keeps its data elsewhere", role="writer", folder="machine",
                      disks=[Disk(size=16 * MIB, create=f"data_file={data}")])
    qemu = pwd.getpwnam("libvirt-qemu")
    os.chown(data, qemu.pw_uid, qemu.pw_gid)
    guest.start().wait_ready()
    lab.cohort("collection", "create", "shop", guest.name)
    before = picture(guest)
    snapshot = take(lab, "shop", "running")
    image, format = frozen(snapshot, guest)["vdb"]
    assert inspect.token_faults([inspect.tokens(image, format)]) == []
    guest.wait_token(above=max(guest.tokens_seen(), default=0) + 3)
    lab.cohort("export", "running", lab.folder / "package")
    assert shows_the_same(disk_in(lab.folder / "package", guest.name, "vdb"), "qcow2", image, format)
    lab.cohort("snapshot", "delete", "running")
    assert picture(guest) == before
    guest.wait_token(above=max(guest.tokens_seen()))
    guest.destroy()
    assert inspect.token_faults([inspect.tokens(image, format)]) == []
