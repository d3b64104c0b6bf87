"""A test guest: a libvirt domain whose console and disks the harness knows."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import libvirt
import libvirt_qemu

from .waiting import wait_until

UNDEFINE_ALL = (libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                libvirt.VIR_DOMAIN_UNDEFINE_NVRAM | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA |
                getattr(libvirt, "VIR_DOMAIN_UNDEFINE_TPM", 0))

_STATES = {libvirt.VIR_DOMAIN_RUNNING: "running", libvirt.VIR_DOMAIN_BLOCKED: "running",
           libvirt.VIR_DOMAIN_PAUSED: "paused", libvirt.VIR_DOMAIN_SHUTDOWN: "shutting down",
           libvirt.VIR_DOMAIN_SHUTOFF: "shut off", libvirt.VIR_DOMAIN_CRASHED: "crashed",
           libvirt.VIR_DOMAIN_PMSUSPENDED: "suspended"}

READY = r"cohort-test-guest: ready boot=(\d+) role="


class Guest:
    """A guest by its name. `lab.guest` makes it, `lab.adopt` takes in one that was imported.

    `images` maps the labels of its disks ("boot", "data", "data2", ...) to the files it was made with; with
    a single disk, "boot" and "data" are the same file. `folder` holds its files.
    """

    def __init__(self, lab, name, images=None, folder=None):
        self.lab = lab
        self.name = name
        self.images = images or {}
        self.folder = folder
        self._console_start = 0  # what is before it belongs to earlier runs

    def __repr__(self):
        return f"<Guest {self.name!r}>"

    @property
    def domain(self):
        """The libvirt domain, looked up anew: libvirtd may have been restarted."""
        return self.lab.connection.lookupByName(self.name)

    @property
    def uuid(self):
        return self.domain.UUIDString()

    # Its life

    def start(self, paused=False):
        self.mark_console()
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)
        return self

    def pause(self):
        self.domain.suspend()

    def resume(self):
        self.domain.resume()

    def destroy(self):
        """Cuts the power; nothing happens if it is off."""
        if self.is_active():
            self.domain.destroy()

    def shutdown(self, timeout=60):
        """Presses the power button and waits until the guest is off."""
        self.domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
        wait_until(lambda: not self.is_active(), timeout, lambda: f"{self.name} shuts down\n{self.tail()}")

    def undefine(self):
        self.domain.undefineFlags(UNDEFINE_ALL)

    def is_active(self):
        return bool(self.domain.isActive())

    def state(self):
        """running | paused | shutting down | shut off | crashed"""
        return _STATES.get(self.domain.state()[0], "unknown")

    def wait_state(self, state, timeout=20):
        wait_until(lambda: self.state() == state, timeout,
                   lambda: f"{self.name} is {state}, not {self.state()}")

    # Its console

    def console_path(self):
        serial = ET.fromstring(self.xml()).find("devices/serial/source")
        return Path(serial.get("path"))

    def console(self, whole=False):
        """What the guest said since its last start; with `whole`, since it was made."""
        try:
            content = self.console_path().read_bytes()
        except FileNotFoundError:
            return ""
        start = 0 if whole or self._console_start > len(content) else self._console_start
        return content[start:].decode(errors="replace").replace("\r", "")

    def mark_console(self):
        """Forgets what was said so far. Call it before something other than start() starts the guest."""
        try:
            self._console_start = self.console_path().stat().st_size
        except FileNotFoundError:
            self._console_start = 0

    def tail(self, lines=15):
        return "\n".join(self.console().splitlines()[-lines:])

    def wait_console(self, pattern, timeout=180):
        """Waits for a regular expression since the last start; returns the match."""
        return wait_until(lambda: re.search(pattern, self.console()), timeout,
                          lambda: f"{self.name} says {pattern!r}; it said:\n{self.tail()}")

    def wait_ready(self, timeout=180, boot=None):
        """Waits until user space is up with its disks mounted; returns the boot's number.

        boot   the number to wait for, for a guest that reboots by itself
        """
        pattern = READY if boot is None else READY.replace(r"(\d+)", f"({boot})", 1)
        return int(self.wait_console(pattern, timeout).group(1))

    def numbers_seen(self, word):
        return [int(number) for number in
                re.findall(rf"^cohort-test-guest: {word} (\d+)$", self.console(), re.MULTILINE)]

    def tokens_seen(self):
        """The numbers of tokens that the guest reported since its last start, about one a second."""
        return self.numbers_seen("token")

    def pingpong_seen(self):
        return self.numbers_seen("pingpong")

    def wait_token(self, above=0, timeout=60):
        """Waits until the guest reported a token with a number above the given one; returns it."""
        return wait_until(lambda: next((n for n in reversed(self.tokens_seen()) if n > above), None), timeout,
                          lambda: f"{self.name} writes a token above {above}; it said:\n{self.tail()}")

    def wait_pingpong(self, above=0, timeout=180):
        return wait_until(lambda: next((n for n in reversed(self.pingpong_seen()) if n > above), None), timeout,
                          lambda: f"{self.name} exchanges number {above}; it said:\n{self.tail()}")

    # Its agent

    def agent(self, command, timeout=10, **arguments):
        """Runs a guest agent command such as "guest-ping"; returns what the agent returned."""
        request = {"execute": command, **({"arguments": arguments} if arguments else {})}
        reply = libvirt_qemu.qemuAgentCommand(self.domain, json.dumps(request), timeout, 0)
        return json.loads(reply)["return"]

    def agent_answers(self):
        try:
            return self.agent("guest-ping", timeout=5) == {}
        except libvirt.libvirtError:
            return False

    def wait_agent(self, timeout=180):
        wait_until(self.agent_answers, timeout, f"the agent of {self.name} answers")

    # Its configuration and disks

    def xml(self, inactive=False):
        return self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE if inactive else 0)

    def disk_paths(self, inactive=False):
        """The top image of each disk in a file by its target: {"vda": Path(...), ...}; overlays show here."""
        disks = ET.fromstring(self.xml(inactive)).findall("devices/disk")
        return {disk.find("target").get("dev"): Path(disk.find("source").get("file"))
                for disk in disks if disk.find("source[@file]") is not None}

    def image(self, label="data"):
        """The file that a disk was made with: "boot", "data", "data2", ..."""
        return self.images[label]

    def data_paths(self):
        """The top images of the disks with a data file system, in the order in which tokens are written."""
        paths = list(self.disk_paths().values())
        return paths if len(paths) == 1 else paths[1:]
