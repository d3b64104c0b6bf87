"""What the model knows of points (snapshots and reference points) and of packages."""

import dataclasses
import json
import subprocess
from pathlib import Path

from contents import Content, Disk


@dataclasses.dataclass
class Held:
    """A disk in a point."""
    disk: Disk
    content: Content
    lineage: tuple  # of the points that are frozen below, this one last


@dataclasses.dataclass
class Point:
    name: str
    kind: str  # recovery | standard | reference
    id: str  # of the snapshot: packages name it
    collection: object
    members: dict  # {machine: {target: Held}}
    power: dict  # {machine: power}
    has_memory: bool
    parent: str  # its name; empty for the first
    kept_for: Path = None

    @property
    def verb(self):
        return "reference" if self.kind == "reference" else "snapshot"

    def disks(self):
        return [(machine, target, held) for machine, disks in self.members.items() for target, held in disks.items()]


@dataclasses.dataclass
class Package:
    path: Path
    point_id: str
    held: dict  # {(machine's name, target): Held}
    is_sealed: bool = True

    def manifest(self):
        return json.loads((self.path / "cohort.json").read_text())

    def check(self, scratch, images_too=True):
        """Its images, read with all that they stand on by QEMU's tools, hold what the model says."""
        found = {(machine["name"], disk["target"]): disk for machine in self.manifest()["machines"]
                 for disk in machine["disks"]}
        assert set(found) == set(self.held), f"{self.path.name} has {sorted(found)} and not {sorted(self.held)}"
        for key, disk in found.items():
            image, what = self.path / disk["file"], f"{self.path.name}: {key[0]} {key[1]}"
            if images_too and disk["format"] == "qcow2":
                check_image(image)
            Content.of_image(image, disk["format"], scratch).check_is(self.held[key].content, what)


def check_image(image):
    """Neither damage nor leaks."""
    done = subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", image], text=True, capture_output=True)
    assert done.returncode == 0, f"qemu-img check {image}: {done.stdout}{done.stderr}"
