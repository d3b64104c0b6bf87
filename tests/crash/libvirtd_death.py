"""libvirtd's death in the middle of its work, and what it then does not know of a machine (docs/lessons.md, 12 and 13)."""

from pathlib import Path

from harness import daemons

STATUS, DEFINITIONS = Path("/run/libvirt/qemu"), Path("/etc/libvirt/qemu")


def knowledge_of(*guests):
    """The files in which libvirtd keeps what it knows of running machines, as {path: content}."""
    paths = [folder / f"{guest.name}.xml" for guest in guests for folder in (STATUS, DEFINITIONS)]
    return {path: path.read_bytes() for path in paths}


def forget_since(knowledge):
    """As if libvirtd had been killed before it wrote down what has happened since knowledge_of()."""
    daemons.kill("libvirtd")
    for path, content in knowledge.items():
        path.write_bytes(content)
    daemons.ensure()
