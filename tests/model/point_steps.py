"""Snapshots and reference points: made, converted, deleted, gone back to."""

from commands import CommandSteps
from world import PATIENT

POINTS_KEPT = 6

# What the program may say where the model cannot exclude it.
DETACHED = ("invalid_state", "no longer stands (on|as)|no more, so its overlay")
OTHER_MEMBERS = ("invalid_state", "has other members than in the snapshot")
OTHER_DISK = ("invalid_state", "which is no overlay of a snapshot")
SAVED = ("invalid_state", "has been saved since it was paused")


class PointSteps(CommandSteps):
    def change_members(self):
        most, three = self.world.collections[0], self.world.machines[-1]
        verb = "remove" if three in most.members else "add"

        def done():
            most.members = [*self.world.machines[:2], *([three] if verb == "add" else [])]

        def is_done():
            shown = self.world.lab.cohort("collection", "show", most.name).json["collection"]["machines"]
            return (three.name in [each["name"] for each in shown]) == (verb == "add")

        return self._perform(["collection", verb, most.name, three.name], done, is_done)

    def _make(self, collection, kind, arguments, name, has_memory=False, may_refuse=()):
        def done():
            self.world.add_point(collection, name, kind, self.world.listed()[name]["snapshot"], has_memory)

        return self._perform([*arguments, collection.name, "--name", name, *PATIENT], done,
                             lambda: name in self.world.listed(), may_refuse)

    def take(self):
        if len(self.world.points) >= POINTS_KEPT:
            return None
        collection = self.chance.choice(self.world.collections)
        kind = self.chance.choice(["recovery", "recovery", "disks", "memory"])
        options = {"recovery": [], "disks": ["--disk-only"], "memory": ["--standard"]}[kind]
        was_saved = kind == "memory" and any(machine.memory_was_saved for machine in collection.members)
        return self._make(collection, "recovery" if kind == "recovery" else "standard", ["snapshot", "take", *options],
                          self.world.new_name("s"), kind == "memory", [SAVED] if was_saved else [])

    def create_reference(self):
        if len(self.world.points) >= POINTS_KEPT:
            return None
        return self._make(self.chance.choice(self.world.collections), "reference", ["reference", "create"],
                          self.world.new_name("r"))

    def convert(self):
        names = [point.name for point in self.world.points.values() if point.kind == "recovery" and not point.kept_for]
        if not names:
            return None
        name = self.chance.choice(names)

        def done():
            self.world.points[name].kind = "reference"

        return self._perform(["reference", "convert", name], done,
                             lambda: self.world.listed()[name]["kind"] == "reference", busy=True)

    def delete(self):
        if not self.world.points:
            return None
        point = self.chance.choice(list(self.world.points.values()))
        options = ["--subtree"] if point.kind != "reference" and self.chance.random() < 0.25 else []
        return self.delete_point(point, *options)

    def delete_point(self, point, *options):
        doomed = self._subtree(point) if "--subtree" in options else [point]
        may_refuse = [DETACHED] if self.world.has_detached_disks(*doomed) else []

        def done():
            listed = self.world.listed()
            for each in doomed:
                if each.name in listed and listed[each.name]["state"] == "deleting":
                    self.world.command(each.verb, "delete", each.name)
                    listed.pop(each.name)
                if each.name not in listed:
                    self.world.remove_point(each.name)

        return self._perform([point.verb, "delete", point.name, *options], done, lambda: True, may_refuse, busy=True,
                             suffers=True)

    def _subtree(self, point):
        """Those that stand on it first."""
        children = [other for other in self.world.points.values() if other.parent == point.name]
        found = [each for child in children for each in self._subtree(child)]
        return found + ([point] if point.kind != "reference" else [])

    def apply(self):
        names = [point.name for point in self.world.points.values() if point.kind == "standard"]
        if not names or len(self.world.points) > POINTS_KEPT:
            return None
        point = self.world.points[self.chance.choice(names)]
        if self._has_new_disks(point) and self.chance.random() < 0.8:
            return None  # what is detached by it is in nobody's way later
        if self.world.kill_at and point.name == point.collection.current:
            return None  # nothing in the list would tell whether it was done
        kept = self.world.new_name("k") if self.chance.random() < 0.4 else ""
        may_refuse = [OTHER_MEMBERS] if set(point.members) != set(point.collection.members) else []
        may_refuse += [SAVED] if any(machine.memory_was_saved for machine in point.members) else []
        may_refuse += [OTHER_DISK] if self._has_other_disks(point) else []
        chains = {disk: machine.chain(target) for machine, target, disk in self.world.disks()}

        def done():
            if kept:
                self.world.add_point(point.collection, kept, "standard", self.world.listed()[kept]["snapshot"], True)
            self.world.go_back(point, chains)

        def is_done():
            return point.name != point.collection.current and self.world.listed()[point.name]["current"]

        options = [f"--keep-current={kept}"] if kept else []
        return self._perform(["snapshot", "apply", point.name, *options], done, is_done, may_refuse)

    @staticmethod
    def _has_new_disks(point):
        return any(target not in disks for machine, disks in point.members.items() for target in machine.disks)

    @staticmethod
    def _has_other_disks(point):
        """Whether a target of then is another disk now."""
        return any(target in machine.disks and machine.disks[target] is not held.disk
                   for machine, target, held in point.disks())
