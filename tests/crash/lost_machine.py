"""Machines that libvirtd has lost (docs/lessons.md, 10): it takes them for off, but their QEMU runs."""

import json
import os
import re
import signal
import socket
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

from crash_site import chain
from harness import daemons, wait_until


def qemu_of(guest):
    """Its process, if there is one, whatever libvirt thinks."""
    found = subprocess.run(["pgrep", "-f", f"guest={guest.name},"], text=True, capture_output=True)
    return [int(pid) for pid in found.stdout.split()]


def written_by(pid):
    """The files that the devices of a QEMU stand on, as itself says. What it has open and locked tells less: until
    libvirt removes it, the file that a device was switched away from is among that."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    folder = re.search(r'"file":"([^"]+)/master-key.aes"', command).group(1)
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(20)
        connected.connect(folder + "/monitor.sock")
        with connected.makefile("rw") as lines:
            lines.write('{"execute": "qmp_capabilities"}\n{"execute": "query-block"}\n')
            lines.flush()
            for line in lines:
                answer = json.loads(line).get("return")
                if isinstance(answer, list):
                    return {device["inserted"]["image"]["filename"] for device in answer if "inserted" in device}
    raise AssertionError(f"QEMU {pid} does not say what its devices stand on")


def define_as_it_runs(guest, written):
    """A disk whose QEMU was switched to a file below the one in the definition is defined on that file: lesson 10."""
    domain = ET.fromstring(guest.xml(inactive=True))
    for disk in domain.findall("devices/disk"):
        source = disk.find("source")
        below = [layer for layer in chain(source.get("file")) if layer[0] in written]
        if source.get("file") in written or not below:
            continue
        path, format = below[0]
        print(f"{guest}: {source.get('file')} was lost in a switch to {path}")
        source.set("file", path)
        disk.find("driver").set("type", format)
        disk.remove(disk.find("backingStore"))  # of the file that it was switched away from
    guest.lab.connection.defineXML(ET.tostring(domain, encoding="unicode"))


def is_logged(guest):
    """Whether virtlogd still has the machine's console open; a start fails as long as it does."""
    console = str(guest.folder / "console.log")
    opened = [link for pid in daemons.processes("virtlogd") for link in Path(f"/proc/{pid}/fd").iterdir()]
    return any(os.path.realpath(link) == console for link in opened)


def end_lost(guest):
    """What the owner of a machine that is off does if it is not. Returns whether libvirtd had lost it."""
    pids = qemu_of(guest)
    for pid in pids:
        define_as_it_runs(guest, written_by(pid))
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not qemu_of(guest), 30, f"the lost QEMU of {guest} ends")
    wait_until(lambda: not is_logged(guest), 30, f"virtlogd sees that the lost QEMU of {guest} has ended")
    return bool(pids)
