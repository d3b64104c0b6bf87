"""Packages that a stranger has made to do harm: each is refused by every command that takes a package, with the name of
what is wrong, and nothing is made, opened or changed.

The forger makes all hashes fit, so that nothing is refused for being damaged only.
"""

import json
import os
import shutil
import socket
import struct

import pytest

from harness.images import MIB, run
from harness.lab import NAME_PREFIX
from package_steps import disk_in, machine_in, machines_and_states, manifest, names_in, rehash, write_manifest
from world import bare_machine, take

OUTSIDE = "what is not in the package"


@pytest.fixture(scope="module")
def machine(lab):
    return bare_machine(lab, "hostile", ["qcow2", "raw"])


@pytest.fixture(scope="module")
def whole(lab, machine):
    lab.cohort("collection", "create", "shop", machine.name)
    take(lab, "shop", "good")
    lab.cohort("export", "good", lab.folder / "good")
    lab.cohort("snapshot", "delete", "good")
    return lab.folder / "good"


@pytest.fixture
def package(lab, whole):
    """A copy of a good package, to be forged."""
    copy = lab.folder / "forged"
    shutil.copytree(whole, copy)
    yield copy
    shutil.rmtree(copy)


class Forger:
    """A package in the hands of somebody who means harm."""

    def __init__(self, lab, package, machine):
        self.lab, self.package, self.name = lab, package, machine.name
        self.image = disk_in(package, machine.name, "vda")
        self.configuration = package / machine_in(package, machine.name)["configuration"]["file"]
        self.outside = lab.folder / "outside"
        self.outside.write_bytes(OUTSIDE.encode())

    def edit_manifest(self, change):
        document = manifest(self.package)
        change(document["machines"][0])
        write_manifest(self.package, document)

    def name_file(self, name):
        """The manifest says that the first disk is that file."""
        self.edit_manifest(lambda machine: machine["disks"][0].update(file=name))

    def instead_of_image(self, make):
        self.image.unlink()
        make(self.image)

    def write_configuration(self, text):
        self.configuration.write_text(text)
        rehash(self.package)

    def edit_configuration(self, old, new):
        text = self.configuration.read_text()
        assert old in text
        self.write_configuration(text.replace(old, new, 1))

    def make_image(self, *arguments):
        self.image.unlink()
        run("qemu-img", "create", "-q", *arguments)
        rehash(self.package)

    def edit_image(self, offset, data):
        with open(self.image, "r+b") as image:
            image.seek(offset)
            image.write(data)
        rehash(self.package)


def listen(path):
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(path.parent, os.O_RDONLY)  # a socket's own path has to be short
        try:
            listening.bind(f"/proc/self/fd/{here}/{path.name}")
        finally:
            os.close(here)


ENTITIES = ("<!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'>" +
            "".join(f"<!ENTITY {after} '{('&' + before + ';') * 10}'>" for before, after in zip("abcdefgh", "bcdefghi")) +
            "]><domain type='qemu'><name>&i;</name></domain>")

# What is done to the package, and words of the error that it must get: of verify, import and try alike.
FORGERIES = {
    "path-above": (lambda forger: forger.name_file("../outside"), "../outside"),
    "path-above-in-the-middle": (lambda forger: forger.name_file("Virtual Hard Disks/../../outside"), "../../outside"),
    "path-absolute": (lambda forger: forger.name_file("/etc/passwd"), "/etc/passwd"),
    "path-with-nul": (lambda forger: forger.name_file("disk\0.qcow2"), "disks[0].file has control characters"),
    "path-empty": (lambda forger: forger.name_file(""), "disks[0].file is empty"),
    "path-of-the-manifest": (lambda forger: forger.name_file("cohort.json"), "cohort.json"),
    "link-to-a-file": (lambda forger: forger.instead_of_image(lambda path: path.symlink_to(forger.outside)),
                       "is a link"),
    "fifo": (lambda forger: forger.instead_of_image(os.mkfifo), "not an ordinary file"),
    "socket": (lambda forger: forger.instead_of_image(listen), "not an ordinary file"),
    "device": (lambda forger: forger.instead_of_image(
        lambda path: os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))), "not an ordinary file"),
    "folder": (lambda forger: forger.instead_of_image(os.mkdir), "not an ordinary file"),
    "folder-is-a-link": (lambda forger: (forger.image.parent.rename(forger.lab.folder / "moved"),
                                         forger.image.parent.symlink_to(forger.lab.folder / "moved")),
                         "is not below folders of the package"),
    "manifest-is-a-link": (lambda forger: ((forger.package / "cohort.json").unlink(),
                                           (forger.package / "cohort.json").symlink_to(forger.outside)), "cohort.json"),
    "manifest-deep": (lambda forger: (forger.package / "cohort.json").write_text("[" * 100_000), "cohort.json"),
    "manifest-huge": (lambda forger: os.truncate(forger.package / "cohort.json", 1 << 40), "cohort.json"),
    "size-in-manifest": (lambda forger: forger.edit_manifest(
        lambda machine: machine["disks"][0].update(size=1 << 60)), "the manifest says 1152921504606846976"),
    "size-negative": (lambda forger: forger.edit_manifest(lambda machine: machine["disks"][0].update(size=-1)),
                      "disks[0].size"),
    "virtual-size-in-manifest": (lambda forger: forger.edit_manifest(
        lambda machine: machine["disks"][0].update(virtual_size=1 << 50)), "vda.qcow2"),
    "virtual-size-in-image": (lambda forger: forger.edit_image(24, struct.pack(">Q", 1 << 62)), "vda.qcow2"),
    "image-on-a-file": (lambda forger: forger.make_image("-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw",
                                                         forger.image, str(4 * MIB)), "/etc/passwd"),
    "image-on-a-protocol": (lambda forger: forger.make_image("-f", "qcow2", "-u", "-b", "nbd://127.0.0.1:1/x", "-F",
                                                             "raw", forger.image, str(4 * MIB)), "nbd://127.0.0.1:1/x"),
    "image-on-json": (lambda forger: forger.make_image(
        "-f", "qcow2", "-u", "-b", 'json:{"driver":"file","filename":"/etc/passwd"}', "-F", "raw", forger.image,
        str(4 * MIB)), "as its backing file"),
    "image-with-data-file": (lambda forger: forger.make_image(
        "-f", "qcow2", "-o", f"data_file={forger.lab.folder / 'data'},data_file_raw=on", forger.image, str(4 * MIB)),
        "data in another file"),
    "image-of-another-format": (lambda forger: forger.make_image("-f", "vmdk", forger.image, str(4 * MIB)),
                                "not a qcow2 image"),
    "image-billion-entries": (lambda forger: forger.edit_image(36, struct.pack(">I", 0x7fffffff)), "2147483647 entries"),
    "image-tables-outside": (lambda forger: forger.edit_image(40, struct.pack(">Q", 1 << 55)), "vda.qcow2"),
    "xml-entities": (lambda forger: forger.write_configuration(ENTITIES), "DOCTYPE"),
    "xml-deep": (lambda forger: forger.write_configuration("<domain>" + "<a>" * 100_000), "not well-formed"),
    "xml-huge": (lambda forger: forger.write_configuration("<domain>" + " " * (8 * MIB) + "</domain>"),
                 "4194304 are the most"),
    "xml-command-line": (lambda forger: forger.edit_configuration(
        "</domain>", "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
                     "<qemu:arg value='-S'/></qemu:commandline></domain>"), "command-line"),
    "xml-kernel": (lambda forger: forger.edit_configuration("</os>", "<kernel>/etc/passwd</kernel></os>"), "host-path"),
    "xml-emulator": (lambda forger: forger.edit_configuration(
        "<devices>", "<devices><emulator>/bin/sh</emulator>"), "emulator"),
    "xml-host-device": (lambda forger: forger.edit_configuration(
        "</devices>", "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0' slot='1' function='0'/>"
                      "</source></hostdev></devices>"), "host-device"),
    "xml-shared-folder": (lambda forger: forger.edit_configuration(
        "</devices>", "<filesystem type='mount'><source dir='/etc'/><target dir='x'/></filesystem></devices>"),
        "host-path"),
    "xml-host-disk": (lambda forger: forger.edit_configuration(
        "</devices>", "<disk type='block' device='disk'><source dev='/dev/vda'/><target dev='vdz' bus='virtio'/></disk>"
                      "</devices>"), "disk vdz"),
    "xml-socket": (lambda forger: forger.edit_configuration(
        "</devices>", "<channel type='unix'><source mode='connect' path='/run/docker.sock'/><target type='virtio' "
                      "name='x'/></channel></devices>"), "character-device"),
}

# Only the machine's configuration is bad, which a verification of the files has no opinion of.
ALL_FILES_ARE_RIGHT = {name for name in FORGERIES if name.startswith("xml-")}


def said(lab, *arguments):
    """All that the command says against the package."""
    ran = lab.cohort(*arguments, check=False, timeout=60)
    assert ran.rc not in (0, 1), ran  # 1 is an internal error
    return json.dumps(ran.json, ensure_ascii=False) + ran.err


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_hostile_package_is_refused(lab, machine, package, forgery):
    forge, words = FORGERIES[forgery]
    forge(Forger(lab, package, machine))
    storage = lab.new_folder(f"storage-{forgery}")
    before = machines_and_states(lab)
    commands = [["import", package, "--name-prefix", NAME_PREFIX + "forged ", "--storage", storage],
                ["try", package, "--name-prefix", NAME_PREFIX + "forged ", "--scratch", storage, "--for", "1s"]]
    if forgery not in ALL_FILES_ARE_RIGHT:
        commands.append(["verify", package])
    for command in commands:
        answer = said(lab, *command)
        assert words in answer, (command, answer)
        assert OUTSIDE not in answer
    assert machines_and_states(lab) == before and names_in(storage) == []
