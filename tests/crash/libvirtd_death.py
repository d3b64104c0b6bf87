"""libvirtd's death in the middle of its work, and what it then does not know of a machine (docs/lessons.md, 12 and 13)."""

import subprocess
from pathlib import Path

from harness import daemons, wait_until

STATUS, DEFINITIONS = Path("/run/libvirt/qemu"), Path("/etc/libvirt/qemu")


def end_libvirtd():
    killed = subprocess.run(["pgrep", "-x", "libvirtd"], text=True, capture_output=True, check=True).stdout.split()
    subprocess.run(["kill", "-KILL", *killed], check=True)
    wait_until(lambda: not any(Path("/proc", pid).exists() for pid in killed), 20, "libvirtd has ended")


def knowledge_of(*guests):
    """The files in which libvirtd keeps what it knows of running machines, as {path: content}."""
    paths = [folder / f"{guest.name}.xml" for guest in guests for folder in (STATUS, DEFINITIONS)]
    return {path: path.read_bytes() for path in paths}


def forget_since(knowledge):
    """As if libvirtd had been killed before it wrote down what has happened since knowledge_of()."""
    end_libvirtd()
    for path, content in knowledge.items():
        path.write_bytes(content)
    daemons.ensure()
