"""A month in some minutes: guests that write; their clock and the program's are put forward by a day for each night."""

import datetime
import os
import signal
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import libvirt

from harness import Disk, inspect, wait_until
from harness.images import MIB, finish, make_ext4, run
from harness.lab import NAME_PREFIX, remove_domain

PATIENT = ("--deadline", "30000")
BOOT_S = 600
_HERE = Path(__file__).resolve().parent
_EMULATOR = """#!/bin/sh
LATER='{later}' LD_PRELOAD='{library}' exec /usr/bin/qemu-system-x86_64 "$@"
"""


class Calendar:
    """The clock of the program and of the machines: that of the host, some days later."""

    def __init__(self, lab):
        self._file, self._library, self.emulator = (lab.folder / name for name in ("later", "later.so", "emulator"))
        self.days = 0
        self.go_to(0)
        run("gcc", "-shared", "-fPIC", "-O2", "-o", self._library, _HERE / "later.c", "-ldl")
        self.emulator.write_text(_EMULATOR.format(later=self._file, library=self._library))
        self.emulator.chmod(0o755)
        self.environment = {"LATER": str(self._file), "LD_PRELOAD": str(self._library)}

    def go_to(self, day):
        self.days = day
        # In place: programs have the file mapped.
        with open(self._file, "r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", day * 86400))

    def today(self):
        return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=self.days)).date()


class Night:
    """A package, and the tokens that it must hold: none before `least`, which was on the disks before, none after
    `most`."""

    def __init__(self, day, date, package, least, most):
        self.day, self.date, self.package, self.least, self.most = day, date, package, least, most


class Month:
    def __init__(self, lab):
        self.lab = lab
        self.calendar = Calendar(lab)
        mark = lab.folder.name[-6:]
        self.copy_prefix = f"{NAME_PREFIX}month-{mark}-copy-"
        lab.prefixes.append(self.copy_prefix)
        kinds = [[Disk(size=16 * MIB)], [Disk("raw", size=16 * MIB)], [Disk(size=16 * MIB, backing=True)]]
        # Each writes to a second disk, too, as soon as it has one.
        self.guests = [lab.guest(f"month {mark} {number}", role="writer", interval_ms=300, disks=disks,
                                 role_options={"DISKS": 2}) for number, disks in enumerate(kinds, 1)]
        self.folder = lab.new_folder("nights")
        self.storage = lab.new_folder("imported")
        self.nights = {}  # by the packages' names
        for guest in self.guests:
            self._put_forward(guest)
            guest.start()
        self.ready = set()
        self.wait_ready()
        self.cohort("collection", "create", "month", *[guest.name for guest in self.guests])

    def _put_forward(self, guest):
        """Its QEMU lives in the days of the calendar."""
        domain = ET.fromstring(guest.xml(inactive=True))
        domain.find("devices/emulator").text = str(self.calendar.emulator)
        self.lab.connection.defineXML(ET.tostring(domain, encoding="unicode"))

    def cohort(self, *arguments):
        return self.lab.cohort(*arguments, env=self.calendar.environment).json

    # Guests

    def wait_ready(self):
        for guest in self.guests:
            guest.wait_ready(timeout=BOOT_S)
            guest.wait_token(timeout=BOOT_S)

    def last_tokens(self):
        return {guest.name: max(guest.numbers_seen("token"), default=0) for guest in self.guests}

    def write_something(self):
        for guest in self.guests:
            guest.wait_token(above=max(guest.tokens_seen(), default=0), timeout=BOOT_S)

    def crash(self, guest):
        """As the host's out-of-memory killer would."""
        os.kill(int(Path(f"/run/libvirt/qemu/{guest.name}.pid").read_text()), signal.SIGKILL)
        wait_until(lambda: not guest.is_active(), 60, f"{guest.name} is off")

    def add_disk(self, guest):
        """With a file system that has all tokens so far; the guest, which is off, writes to it from now on."""
        with inspect.Filesystem(guest.data_paths()[0]) as there:
            tokens = there.read("/tokens").decode()
        disk, path, raw = Disk(size=16 * MIB), guest.folder / "data2.qcow2", guest.folder / "making.raw"
        make_ext4(raw, disk.size, "data2", {"tokens": tokens})
        finish(raw, disk, path)
        guest.domain.attachDeviceFlags(
            f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{path}'/>"
            "<target dev='vdc' bus='virtio'/></disk>", libvirt.VIR_DOMAIN_AFFECT_CONFIG)

    # Nights

    def night(self, day):
        self.calendar.go_to(day)
        began, least = self.calendar.today(), self.last_tokens()
        package = self.folder / f"night-{day:02}"
        report = self.cohort("backup", "month", package, *PATIENT)["backup"]
        date = datetime.datetime.fromisoformat(report["snapshot"]["instant"]).date()
        assert began <= date <= self.calendar.today(), (began, date)
        self.nights[package.name] = Night(day, date, package, least, self.last_tokens())
        return report

    def prune(self, *rules):
        """Returns the days of which a package is kept."""
        pruned = self.cohort("package", "prune", self.folder, *rules)["prune"]["packages"]
        kept = [self.nights[Path(each["package"]).name].day for each in pruned if each["fate"] != "removed"]
        assert sorted(path.name for path in self.folder.iterdir()) == [f"night-{day:02}" for day in kept]
        return kept

    # Restores

    def restore(self, day, boots):
        """The night is imported: its file systems are sound and hold its tokens; if wanted, its machines boot."""
        night = self.nights[f"night-{day:02}"]
        # The emulator that goes by the calendar is no usual one.
        made = self.cohort("import", night.package, "--name-prefix", self.copy_prefix, "--storage", self.storage,
                           "--trust", "host-path")["import"]["machines"]
        copies = {machine["original_name"]: self.lab.adopt(machine["name"]) for machine in made}
        assert set(copies) == {guest.name for guest in self.guests}
        for name, copy in copies.items():
            self._check_tokens(night, name, copy.data_paths())
        if boots:
            self._boot(copies.values())
        for copy in copies.values():
            remove_domain(copy.domain)
        for path in self.storage.iterdir():
            path.unlink()

    def _check_tokens(self, night, name, images):
        tokens = [inspect.tokens(image) for image in images]
        faults = inspect.token_faults(tokens)
        assert faults == [], (night.package, name, faults)
        # A guest tells of one token a second, and may have written more since.
        least, most = night.least[name], night.most[name] + 60
        assert least <= tokens[0][-1].number <= most, (night.package, name, least, tokens[0][-1], most)

    @staticmethod
    def _boot(copies):
        for copy in copies:
            copy.start()
        for copy in copies:
            copy.wait_ready(timeout=BOOT_S)
            copy.wait_token(timeout=BOOT_S)
            copy.destroy()
