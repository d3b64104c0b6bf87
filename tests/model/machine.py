"""Machines without an operating system: QEMU itself writes to their disks, as a guest would through it.

A write is acknowledged by the block layer that a guest's device writes to, on whichever file that is at the moment, and
costs some milliseconds. When the machine is off, qemu-io writes to the file that it would start on.
"""

import json
import os
import signal
import xml.etree.ElementTree as ET
from pathlib import Path

import libvirt
import libvirt_qemu

from contents import Content, Disk
from harness import Disk as Image
from harness import Guest, daemons, wait_until
from harness.domain_xml import domain_xml
from harness.images import MIB, run
from harness.lab import NAME_PREFIX

# How disks are made: what qemu-img is told, and what the image stands on.
KINDS = [
    {"format": "raw"},
    {"format": "qcow2"},
    {"format": "qcow2", "create": "cluster_size=4k"},
    {"format": "qcow2", "create": "cluster_size=1M"},
    {"format": "qcow2", "create": "extended_l2=on,cluster_size=128k"},
    {"format": "qcow2", "create": "compat=0.10"},
    {"format": "qcow2", "create": "lazy_refcounts=on"},
    {"format": "qcow2", "backing": "raw"},
    {"format": "qcow2", "backing": "qcow2"},
]
_HMP = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP


class Machine:
    """disks   by their targets, as they are attached now
    power      running | paused | off, as it has to be
    """

    def __init__(self, lab, name, chance, disks):
        self.lab, self.chance = lab, chance
        self.short_name = name
        self.name = f"{NAME_PREFIX}model-{lab.folder.name[-6:]}-{name}"
        self.power = "off"
        self.memory_was_saved = False  # since it was paused: QEMU does that once
        self._files = 0
        self.folder = lab.new_folder(f"machine-{name}")
        self.disks = {}
        self.detached = {}  # disks and the files that they stood on, the topmost first
        made = []
        for index in range(disks):
            # On SCSI, disks come and go without a word of the guest's.
            bus, target = ("virtio", "vda") if index + 1 < disks else ("scsi", "sda")
            disk = self._new_disk(target, bus)
            made.append((Image(disk.format, bus, driver=self._driver()), disk.path))
            self.disks[disk.target] = disk
        lab.connection.defineXML(domain_xml(self.name, made, self.folder / "console.log", firmware="bios",
                                            machine="q35", memory_mib=32, tpm=False, net=None, nvram=None))
        lab.adopt(self.name)
        self.guest = Guest(lab, self.name, folder=self.folder)

    def __repr__(self):
        return self.short_name

    def _driver(self):
        return {"discard": "unmap"} if self.chance.random() < 0.5 else {}

    def _new_disk(self, target, bus):
        kind = self.chance.choice(KINDS)
        # Not all ends lie where clusters or blocks do.
        size = self.chance.choice([8 * MIB, 3 * MIB, 6 * MIB + 512 * 77])
        self._files += 1
        path = self.folder / f"disk{self._files}.{kind['format']}"
        disk = Disk(target, bus, kind["format"], path, Content.zeros(size))
        backing = ()
        if "backing" in kind:
            below = path.with_name(f"base{self._files}.{kind['backing']}")
            run("qemu-img", "create", "-q", "-f", kind["backing"], below, size)
            self._write_file(below, kind["backing"], [self._write_for(disk, self.chance) for _ in range(4)])
            backing = ("-F", kind["backing"], "-b", below)
        options = ("-o", kind["create"]) if "create" in kind else ()
        run("qemu-img", "create", "-q", "-f", kind["format"], *options, *backing, path, size)
        self._write_file(path, kind["format"], [self._write_for(disk, self.chance) for _ in range(3)])
        disk.flushed()
        return disk

    # Writing and reading

    @staticmethod
    def _range(disk, chance):
        sectors = disk.content.size // 512
        length = min(chance.choice([1, 3, 8, 128, 128, 129, 512, 2048]), sectors)
        first = chance.randrange(sectors - length + 1)
        if chance.random() < 0.5:
            first -= first % min(128, sectors - length + 1)
        return first * 512, length * 512

    def _write_for(self, disk, chance):
        """A command for qemu-io, which the model follows."""
        offset, length = self._range(disk, chance)
        if chance.random() < 0.2:
            disk.write(offset, bytes(length))
            return f"write -z {'-u ' if chance.random() < 0.5 else ''}{offset} {length}"
        pattern = chance.randrange(1, 256)
        disk.write(offset, bytes([pattern]) * length)
        return f"write -P {pattern} {offset} {length}"

    def top(self, target):
        """The file that the machine writes to, and its format."""
        for element in ET.fromstring(self.guest.xml()).findall("devices/disk"):
            if element.find("target").get("dev") == target:
                return Path(element.find("source").get("file")), element.find("driver").get("type")
        raise AssertionError(f"{self.name} has no disk {target}")

    def chain(self, target):
        """The files that the disk consists of, the topmost first."""
        text = run("qemu-img", "info", "-U", "--backing-chain", "--output=json", self.top(target)[0])
        return [Path(layer["filename"]) for layer in json.loads(text)]

    @staticmethod
    def _write_file(path, format, commands):
        said = run("qemu-io", "-d", "unmap", "-f", format, *[word for each in commands for word in ("-c", each)], path)
        assert "failed" not in said and "error" not in said, said

    def _device(self, target):
        for element in ET.fromstring(self.guest.xml()).findall("devices/disk"):
            if element.find("target").get("dev") == target:
                alias = element.find("alias").get("name")
                is_virtio = element.find("target").get("bus") == "virtio"
                return f"/machine/peripheral/{alias}/virtio-backend" if is_virtio else alias
        raise AssertionError(f"{self.name} has no disk {target}")

    def _through_qemu(self, target, commands):
        device = self._device(target)
        for command in commands:
            said = libvirt_qemu.qemuMonitorCommand(self.guest.domain, f'qemu-io -d {device} "{command}"', _HMP)
            assert not said.strip(), f"{self.name} {target}: {command}: {said}"

    def _do(self, target, commands):
        if self.power == "running":
            self._through_qemu(target, commands)
        else:
            self._write_file(*self.top(target), commands)
            self.disks[target].flushed()

    def can_write(self):
        """A paused guest writes nothing."""
        return self.power != "paused" and self.disks

    def write(self, target, count, chance):
        commands = [self._write_for(self.disks[target], chance) for _ in range(count)]
        if chance.random() < 0.2:
            commands.append("flush")
            self.disks[target].flushed()
        self._do(target, commands)
        return commands

    def discard(self, target):
        """What is discarded may read as before, or as zeros."""
        disk = self.disks[target]
        offset, length = self._range(disk, self.chance)
        command = f"discard {offset} {length}"
        self._do(target, [command])
        actual = self.read(target)
        disk.adopt(actual, f"{self} {target} after {command}", disk.content.written(offset, bytes(length)))
        return command

    def flush(self, target):
        if self.power == "running":
            self._through_qemu(target, ["flush"])
        self.disks[target].flushed()

    def read(self, target):
        """What the machine would read. Whatever it has written is flushed for it."""
        self.flush(target)
        return self._read_file(target)

    def _read_file(self, target):
        return Content.of_image(*self.top(target), self.folder / "scratch")

    def check_disk(self, target):
        self.read(target).check_is(self.disks[target].content, f"{self} {target}")

    # Power

    def start(self):
        self.guest.start()
        self.power = "running"

    def pause(self):
        # The guard of a process that was killed lets machines run again until all have run for a while.
        wait_until(lambda: not daemons.processes("cohort-guard"), 60, "guards end", 0.02)
        for target in self.disks:
            self.flush(target)
        self.guest.pause()
        self.power, self.memory_was_saved = "paused", False

    def resume(self):
        self.guest.resume()
        self.power = "running"

    def cut_power(self):
        """QEMU ends in order, and leaves all that it was given."""
        self.guest.destroy()
        self.power = "off"
        self.flush_all()

    def flush_all(self):
        for disk in self.disks.values():
            disk.flushed()

    def kill(self):
        self.lose_qemu()
        self.adopt_all()

    def lose_qemu(self):
        """As the host's out-of-memory killer would have it."""
        os.kill(int(Path(f"/run/libvirt/qemu/{self.name}.pid").read_text()), signal.SIGKILL)
        wait_until(lambda: not self.guest.is_active(), 60, f"{self.name} is off", 0.02)
        self.power = "off"

    def adopt_all(self):
        """Of what was written last, the killed QEMU may have kept some to itself."""
        for target, disk in self.disks.items():
            disk.adopt(self._read_file(target), f"{self} {target} after the kill")

    # Devices

    def _flags(self):
        return libvirt.VIR_DOMAIN_AFFECT_CONFIG | (libvirt.VIR_DOMAIN_AFFECT_LIVE if self.power != "off" else 0)

    def add_disk(self):
        target = next(f"sd{letter}" for letter in "abcdef" if f"sd{letter}" not in self.disks)
        disk = self._new_disk(target, "scsi")
        self._attach(disk, disk.path)
        return disk

    def _attach(self, disk, path):
        format = disk.format if path == disk.path else "qcow2"
        self.guest.domain.attachDeviceFlags(
            f"<disk type='file' device='disk'><driver name='qemu' type='{format}'/><source file='{path}'/>"
            f"<target dev='{disk.target}' bus='scsi'/></disk>", self._flags())
        self.disks[disk.target] = disk

    def attach_again(self, disk, path):
        """A disk that was detached, on one of its files."""
        del self.detached[disk]
        self._attach(disk, path)

    def remove_disk(self, target):
        """Its files stay."""
        chain = self.chain(target)
        self.guest.domain.detachDeviceFlags(
            f"<disk type='file' device='disk'><source file='{self.top(target)[0]}'/><target dev='{target}' bus='scsi'/>"
            "</disk>", self._flags())
        self.disks[target].flushed()
        self.detached[self.disks.pop(target)] = chain

    def grow(self, target):
        disk = self.disks[target]
        size = disk.content.size + 512 * self.chance.choice([1, 128, 1000, 4096])
        if self.power == "off":
            path, format = self.top(target)
            run("qemu-img", "resize", "-q", "-f", format, path, size)
        else:
            self.guest.domain.blockResize(target, size, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
        self.flush(target)
        disk.content = disk.content.grown(size)
        return size

    def no_block_job_runs(self):
        if self.power != "off":
            for target in self.disks:
                assert not self.guest.domain.blockJobInfo(target), f"{self} {target} has a block job"
