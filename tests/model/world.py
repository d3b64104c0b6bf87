"""Machines in two collections that share one of them, what the program has made of them, and what has to be true."""

import json
import re
import signal
import subprocess
from pathlib import Path

from contents import Content
from harness import wait_until
from harness.images import run
from harness.lab import NAME_PREFIX, CohortFailed, Ran, remove_domain
from machine import Machine
from points import Held, Package, Point

PATIENT = ("--deadline", "30000")  # how long machines stand still is not what is tested


class Killed(Exception):
    """The program was killed where it was told to be."""


class Collection:
    """current   the name of the point that its machines go on from; empty if there is none"""

    def __init__(self, name, members, folders):
        self.name, self.members, self.folders = name, members, folders
        self.current = ""


class World:
    """points    by their names, in the order in which they were made
    packages     by their folders
    kill_at      where the next command is killed: a kill point and how often it is passed before, or a number of seconds
    """

    def __init__(self, lab, chance):
        self.lab, self.chance = lab, chance
        self.copy_prefix = f"{NAME_PREFIX}model-{lab.folder.name[-6:]}-copy-"
        lab.prefixes.append(self.copy_prefix)
        self.machines = [Machine(lab, name, chance, disks) for name, disks in (("one", 2), ("two", 2), ("three", 1))]
        nights, others, pairs = (lab.new_folder(name) for name in ("nights", "others ö", "pairs"))
        self.collections = [Collection("most", self.machines[:2], [nights, others]),
                            Collection("pair", self.machines[1:], [pairs])]
        self.points, self.packages = {}, {}
        self.kill_at = None
        self.refusals = 0
        self.given_up = set()  # files that neither a machine nor a point has any more
        self.storage = lab.new_folder("imported")
        self.scratch = lab.folder / "scratch"
        self._made = 0
        for each in self.collections:
            self.command("collection", "create", each.name, *[machine.name for machine in each.members])

    # The program

    def command(self, *arguments, may_refuse=(), may_fail=lambda: False):
        """What the program prints, or None if it refuses in a way that its contract allows: `may_refuse` are pairs of
        a code and what the sentence says. After `may_fail` it may do so in any words."""
        ran = self._killed_later(arguments) if isinstance(self.kill_at, float) else self._killed_at(arguments)
        if self.kill_at and ran.rc == -signal.SIGKILL:
            raise Killed
        if ran.rc == 0:
            assert "recovery" not in ran.json, ran.json["recovery"]
            return ran.json
        error = (ran.json or {}).get("error")
        if error and may_fail():
            return None
        if error and any(error["code"] == code and re.search(words, error["message"]) for code, words in may_refuse):
            self.refusals += 1
            return None
        raise CohortFailed(self.lab.cohort_command(*arguments), ran)

    def _killed_at(self, arguments):
        point, skip = self.kill_at or ("", 0)
        return self.lab.cohort(*arguments, check=False, env={"COHORT_KILL_AT": point, "COHORT_KILL_SKIP": str(skip)})

    def _killed_later(self, arguments):
        program = self.lab.cohort_start(*arguments, json=True)
        try:
            out, err = program.communicate(timeout=self.kill_at)
        except subprocess.TimeoutExpired:
            program.kill()
            out, err = program.communicate(timeout=60)
        return Ran(program.returncode, out, err, json.loads(out) if program.returncode >= 0 else None)

    def new_name(self, kind):
        self._made += 1
        return f"{kind}{self._made}"

    def recover(self):
        """What the next command that changes something does first."""
        name = self.new_name("empty")
        ran = self.lab.cohort("collection", "create", name)
        self.lab.cohort("collection", "delete", name)
        recovery = ran.json.get("recovery", {"failures": []})
        assert recovery["failures"] == [], recovery

    # The model

    def disks(self):
        return [(machine, target, disk) for machine in self.machines for target, disk in machine.disks.items()]

    def add_point(self, collection, name, kind, id, has_memory=False, kept_for=None):
        """One that was made of what the machines hold now."""
        members = {}
        for machine in collection.members:
            machine.flush_all()
            for disk in machine.disks.values():
                disk.lineage += (name,)
            members[machine] = {target: Held(disk, disk.content, disk.lineage)
                                for target, disk in machine.disks.items()}
            if has_memory:
                machine.memory_was_saved = machine.power == "paused"
        power = {machine: machine.power for machine in members}
        self.points[name] = Point(name, kind, id, collection, members, power, has_memory, collection.current, kept_for)
        collection.current = name
        return self.points[name]

    def remove_point(self, name):
        gone = self.points.pop(name)
        for point in self.points.values():
            if point.parent == name:
                point.parent = gone.parent
            for _, _, held in point.disks():
                held.lineage = tuple(each for each in held.lineage if each != name)
        for disk in {id(disk): disk for disk in self._all_disks(gone)}.values():
            disk.lineage = tuple(each for each in disk.lineage if each != name)
        if gone.collection.current == name:
            gone.collection.current = gone.parent

    def _all_disks(self, *more):
        yield from (disk for _, _, disk in self.disks())
        for point in [*self.points.values(), *more]:
            yield from (held.disk for _, _, held in point.disks())

    def go_back(self, point, chains):
        """The machines are as they were at the point. What was attached since is detached, and stands on the files that
        it stood on before: `chains` has those of all disks."""
        for machine, disks in point.members.items():
            for target, disk in machine.disks.items():
                if target not in disks:
                    machine.detached[disk] = chains[disk]
            for held in disks.values():
                held.disk.content, held.disk.lineage = held.content, held.lineage
                held.disk.flushed()
            machine.disks = {target: held.disk for target, held in disks.items()}
            for held in disks.values():
                # What it was when it was detached is no point's any more, and nobody's to remove.
                self.given_up |= {str(path) for path in machine.detached.pop(held.disk, [])}
            was = point.power[machine]
            machine.power = was if point.has_memory else "off"
            machine.memory_was_saved = False
        point.collection.current = point.name

    def package_of(self, path, point, chosen=None, is_sealed=True):
        held = {(machine.name, target): each for machine, target, each in point.disks()
                if chosen is None or (machine.name, target) in chosen}
        # As it is now: what becomes of the point does not change the package.
        held = {key: Held(each.disk, each.content, each.lineage) for key, each in held.items()}
        self.packages[path] = Package(path, point.id, held, is_sealed)
        return self.packages[path]

    # What is there

    def listed(self):
        """The points as the program lists them, by their names."""
        found = {}
        for verb, field in (("snapshot", "snapshots"), ("reference", "reference_points")):
            for each in self.lab.cohort(verb, "list").json[field]:
                found[each["name"]] = {**each, "kind": "reference" if verb == "reference" else each["kind"],
                                       "snapshot": each.get("snapshot", each["id"])}
        return found

    def check_points(self):
        found = self.listed()
        shown = {name: (each["kind"], each["state"]) for name, each in found.items()}
        assert shown == {name: (point.kind, "ready") for name, point in self.points.items()}
        current = {name for name, each in found.items() if each["current"]}
        assert current <= {each.current for each in self.collections}, current
        self._check_files(found)
        return found

    def frozen_files(self):
        return {disk["frozen"]["path"] for each in self.listed().values() for member in each["members"]
                for disk in member["disks"]}

    def _check_files(self, listed):
        """Each overlay and each saved memory is a point's, or has been left by one to branches: they, or the machines, stand on it."""
        known = set()
        for member in [member for each in listed.values() for member in each["members"]]:
            known |= {disk["overlay"] for disk in member["disks"] if disk["overlay"]}
            known |= {member["memory"]["path"]} if member["memory"] else set()
            known |= {disk["frozen"]["path"] for disk in member["disks"] if ".cohort-" in disk["frozen"]["path"]}
        found = {str(path) for machine in self.machines for path in machine.folder.glob("*.cohort-*")}
        detached = {str(path) for machine in self.machines for chain in machine.detached.values() for path in chain}
        missing = known - found - self.given_up
        unknown = found - known - self.given_up - detached
        if unknown:
            used = {str(path) for machine, target, _ in self.disks() for path in machine.chain(target)}
            assert unknown <= used | self._stood_on(known), unknown - used
        assert not missing or self.has_detached_disks(), missing

    @staticmethod
    def _stood_on(files):
        """What QEMU's tool finds below them."""
        below = set()
        for path in [path for path in files if path.endswith(".qcow2") and Path(path).exists()]:
            told = run("qemu-img", "info", "-U", "--backing-chain", "--output=json", path)
            below |= {each["filename"] for each in json.loads(told)[1:]}
        return below

    def check_power(self):
        for machine in self.machines:
            expected = {"off": "shut off"}.get(machine.power, machine.power)
            wait_until(lambda m=machine, e=expected: m.guest.state() == e, 40,
                       lambda m=machine, e=expected: f"{m} is {e}, not {m.guest.state()}")
            machine.no_block_job_runs()

    def check_disks(self, share=1.0):
        for machine, target, _ in self.disks():
            if self.chance.random() < share:
                machine.check_disk(target)

    def check_frozen(self, listed, share=1.0):
        """The frozen files, read by QEMU's tool, hold what the machines had."""
        for point in self.points.values():
            if self.chance.random() >= share:
                continue
            files = {(member["name"], disk["target"]): disk["frozen"] for member in listed[point.name]["members"]
                     for disk in member["disks"]}
            assert set(files) == {(machine.name, target) for machine, target, _ in point.disks()}
            for machine, target, held in point.disks():
                frozen = files[machine.name, target]
                Content.of_image(frozen["path"], frozen["format"], self.scratch).check_is(
                    held.content, f"{point.name}: {machine} {target}")

    def check_packages(self, *paths):
        for path in paths or self.packages:
            self.packages[path].check(self.scratch)

    def check_health(self):
        """The program itself finds nothing amiss but what the user has done."""
        folders = [word for each in self.collections for folder in each.folders for word in ("--folder", folder)]
        ran = self.lab.cohort("host", "doctor", *folders, check=False)
        paused = {f"paused_machine:{machine.name}" for machine in self.machines if machine.power == "paused"}
        amiss = [each for each in ran.json["doctor"]["ailments"]
                 if each["id"] not in paused and not self._is_of_detached(each)]
        assert amiss == [], amiss
        for job in self.lab.cohort("job", "list").json["jobs"]:
            assert job["state"] in ("completed", "failed", "cancelled"), job

    def _is_of_detached(self, ailment):
        """A disk that was detached, or replaced: the point that has it says so, or what a backup's base has left."""
        is_one = self.has_detached_disks() or any(machine.detached for machine in self.machines)
        return ailment["kind"] in ("broken_snapshot", "broken_layers", "stray_overlay") and is_one

    def has_detached_disks(self, *points):
        attached = [disk for _, _, disk in self.disks()]
        return any(all(held.disk is not each for each in attached)
                   for point in points or self.points.values() for _, _, held in point.disks()) or bool(self.given_up)

    def check_all(self):
        self.check_power()
        listed = self.check_points()
        self.check_disks()
        self.check_frozen(listed)
        self.check_packages()
        self.check_health()

    # Imports

    def check_import(self, package):
        """Its machines are made, and hold what the model says."""
        made = self.command("import", package.path, "--name-prefix", self.copy_prefix, "--storage", self.storage)
        self.check_imported(package, made["import"]["machines"])

    def check_imported(self, package, machines):
        shown = {(machine["original_name"], disk["target"]): disk for machine in machines for disk in machine["disks"]}
        assert set(shown) == set(package.held)
        for key, disk in shown.items():
            Content.of_image(disk["path"], disk["format"], self.scratch).check_is(
                package.held[key].content, f"imported of {package.path.name}: {key}")
        self.remove_imported()

    def remove_imported(self):
        for domain in self.lab.connection.listAllDomains():
            if domain.name().startswith(self.copy_prefix):
                remove_domain(domain)
        for path in self.storage.iterdir():
            path.unlink()

    def chain_of(self, package):
        """The folders of the packages that the one in this folder stands on, the nearest first."""
        return [parent["package"] for parent in self.lab.cohort("package", "show", package).json["package"]["parents"]]
