"""The random walk finds mistakes: each is made from outside, between two steps, as a defect would make it."""

import os

import pytest

from contents import BLOCK, Content, WrongContent
from harness.images import run
from walk import Walk, WalkFailed

STEPS = 400
SEED = 20260131


class LeftOut:
    """A difference that leaves out one of the blocks that have changed: there it shows what its parent has."""

    def __init__(self):
        self.is_made = False

    def __call__(self, world):
        for package in world.packages.values():
            for machine in package.manifest()["machines"]:
                for disk in machine["disks"]:
                    if not self.is_made and disk.get("parent"):
                        self._leave_out(package.path, disk, world.scratch)
        return self.is_made

    def _leave_out(self, folder, disk, scratch):
        parent = folder / disk["parent"]["file"]
        old = Content.of_image(parent, disk["parent"]["format"], scratch)
        new = Content.of_image(folder / disk["file"], "qcow2", scratch)
        changed = next(new.different_sectors(old), None)
        if changed is None:
            return
        begin = changed - changed % BLOCK
        scratch.write_bytes(b"".join(old.sector(at) for at in range(begin, min(begin + BLOCK, old.size), 512)))
        command = f"write -s {scratch} {begin} {scratch.stat().st_size}"
        run("qemu-io", "-f", "qcow2", "-c", command, folder / disk["file"])
        scratch.unlink()
        self.is_made = True


class Layers:
    """Of a machine that is off and has two overlays, one on the other."""

    def __init__(self):
        self.is_made = False

    def __call__(self, world):
        for machine, target, disk in world.disks():
            if self.is_made or machine.power != "off" or len(disk.lineage) < 2:
                continue
            top = machine.top(target)[0]
            below = _backing(top)
            if below and ".cohort-" in below[0] and _backing(below[0]):
                self._plant(machine, target, top, below[0], _backing(below[0]))
        return self.is_made

    def _plant(self, machine, target, top, middle, base):
        before, times = machine.read(target), {path: os.stat(path) for path in (top, middle)}
        self._spoil(top, middle, base)
        after = machine.read(target)
        self.is_made = after.size == before.size and after != before
        if not self.is_made:  # there was nothing in it
            self._mend(top, middle, base)
            for path, status in times.items():
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


class Lost(Layers):
    """A layer is lost: what was written between two snapshots is gone."""

    def _spoil(self, top, middle, base):
        _stand(top, *base)

    def _mend(self, top, middle, base):
        _stand(top, middle, "qcow2")


class Swapped(Layers):
    """Two layers have changed places: the older one hides what the newer one has."""

    def _spoil(self, top, middle, base):
        _exchange(top, middle)
        _stand(middle, *base)
        _stand(top, middle, "qcow2")

    _mend = _spoil


def _backing(image):
    """The file that it stands on and its format; None if there is none."""
    lines = dict(line.split(": ", 1) for line in run("qemu-img", "info", "-U", image).splitlines() if ": " in line)
    if "backing file" not in lines:
        return None
    return lines["backing file"].split(" (actual path")[0], lines["backing file format"]


def _stand(image, below, format):
    run("qemu-img", "rebase", "-u", "-f", "qcow2", "-b", below, "-F", format, image)


def _exchange(one, other):
    aside = f"{one}.aside"
    os.rename(one, aside)
    os.rename(other, one)
    os.rename(aside, other)


@pytest.mark.parametrize("mistake", [LeftOut, Lost, Swapped])
def test_it_is_found(mistake):
    planted = mistake()
    with pytest.raises(WalkFailed) as failed:
        Walk(SEED, kills=0, meddle=planted).run(STEPS)
    assert planted.is_made and isinstance(failed.value.error, WrongContent), failed.value
    assert f"COHORT_MODEL_SEED={SEED}" in str(failed.value)
    print("\n".join(str(failed.value).splitlines()[-3:]))
