"""A random walk: steps on a world, each as likely as its weight says, and after each a look at what has to be true."""

import random
import re
import time
import traceback

from harness import Lab
from harness.images import REPOSITORY
from steps import Steps
from world import World

WEIGHTS = {
    "write": 60, "discard": 6, "power": 12, "kill_guest": 4, "add_disk": 2, "remove_disk": 1.5, "attach_again": 3,
    "grow_disk": 2, "restart_libvirtd": 0.7, "change_members": 2, "take": 9, "create_reference": 4, "convert": 2,
    "delete": 9, "apply": 5, "export": 9, "backup": 2, "backup_incremental": 7, "merge": 2, "prune": 3, "seal": 2,
    "import_package": 3, "remove_package": 3, "check": 1.5,
}
# Which kill points a step may pass, by the beginnings of their names.
KILLED = {
    "take": ("take.", "fence.", "capture.", "store.", "job."), "create_reference": ("take.", "fence.", "capture."),
    "convert": ("convert.", "job."), "delete": ("delete.", "merge.", "merge_back.", "store."),
    "apply": ("apply.", "take.", "fence.", "merge.", "store."), "export": ("export.", "publish.", "store."),
    "backup": ("take.", "export.", "publish.", "backup.", "delete.", "merge."),
    "backup_incremental": ("take.", "export.", "publish.", "backup.", "delete.", "merge.", "merge_back."),
    "merge": ("merge_package.", "publish."), "prune": ("merge_package.", "publish.", "prune."), "seal": ("seal.",),
    "import_package": ("import.", "define."),
}
_MAKE_ONE = ("write", "discard", "power", "kill_guest", "add_disk", "remove_disk", "attach_again", "grow_disk")


def kill_points():
    found = set()
    for path in (REPOSITORY / "src").rglob("*.cc"):
        found |= set(re.findall(r'kill_point\("([^"]+)"\)', path.read_text()))
    return sorted(found)


class WalkFailed(AssertionError):
    """What was wrong (`error`), the steps that led to it, and how they are repeated."""

    def __init__(self, error, story):
        super().__init__(story)
        self.error = error


class Walk:
    def __init__(self, seed, kills=0.12, meddle=None):
        """kills    how many of the steps that can be are killed
        meddle   is called with the world before each step, for tests of the walk itself: they spoil something,
                 and say when they have
        """
        self.seed, self._kills, self._meddle = seed, kills, meddle
        self.chance = random.Random(seed)
        self._points = kill_points()
        self.log = []
        self.counts = {}

    def run(self, steps):
        """Returns how often the program refused."""
        with Lab() as lab:
            try:
                world = World(lab, self.chance)
                made = Steps(world)
                while len(self.log) < steps:
                    self._step(world, made)
                self._end(world, made)
                return world.refusals
            except Exception as error:
                raise WalkFailed(error, self._story(error)) from None

    def _step(self, world, made):
        if self._meddle and self._meddle(world):
            self._began = "look at everything"
            made.check()
        name = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if name in KILLED and self.chance.random() < self._kills:
            world.kill_at = self._moment(name)
        began = time.monotonic()
        self._began = name
        done = getattr(made, name)()
        world.kill_at = None
        if not done:
            return
        self._log(name, done, began)
        if name not in _MAKE_ONE:
            self._look(world)
        elif name != "write":
            world.check_power()

    def _moment(self, name):
        """At a kill point, or after some seconds."""
        if self.chance.random() < 0.3:
            return self.chance.uniform(0, 0.6)
        points = [point for point in self._points if point.startswith(KILLED[name])]
        return self.chance.choice(points), self.chance.choice([0, 0, 1, 2])

    def _look(self, world):
        world.check_power()
        listed = world.check_points()
        world.check_disks(share=0.3)
        world.check_frozen(listed, share=0.1)

    def _end(self, world, made):
        """All points are deleted, in any order; the machines stand on their own files then, and hold all of it."""
        self._began = "end"
        made.check()
        for machine in world.machines:
            if machine.power == "paused":
                machine.resume()
            for disk in list(machine.detached):
                if disk.target not in machine.disks:
                    made.attach_disk_again(machine, disk)
        while world.points and not world.has_detached_disks():
            before = set(world.points)
            order = self.chance.sample(sorted(before), len(before))
            for name in [name for name in order if name in world.points]:
                self._log("end", made.delete_point(world.points[name]), time.monotonic())
            assert set(world.points) != before, f"none of {before} can be deleted"
        world.check_all()

    def _log(self, name, words, began):
        self.log.append(f"{len(self.log):4} {time.monotonic() - began:6.2f} s  {name}: {words}")
        self.counts[name] = self.counts.get(name, 0) + 1

    def _story(self, error):
        where = "".join(traceback.format_exception(type(error), error, error.__traceback__)[-6:])
        return "\n".join([*self.log, f"in {self._began}: {error}", where,
                          f"Repeat it: COHORT_MODEL_SEED={self.seed} ./test model"])
