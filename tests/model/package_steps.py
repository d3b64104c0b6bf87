"""Packages: exported, backed up, merged, pruned, sealed, imported."""

import shutil

from commands import CommandSteps
from points import Package
from world import PATIENT

PACKAGES_KEPT = 7


class PackageSteps(CommandSteps):
    def _new_path(self, folder):
        return folder / self.world.new_name("p")

    def _beside(self, path):
        return [package for package in self.world.packages.values() if package.path.parent == path.parent]

    def export(self):
        if not self.world.points or len(self.world.packages) >= PACKAGES_KEPT:
            return None
        point = self.chance.choice(list(self.world.points.values()))
        path = self._new_path(self.chance.choice(point.collection.folders))
        bases = [(package, base) for package in self._beside(path) for base in self._earlier(point)
                 if package.point_id == base.id and package.is_sealed]
        options, base, is_sealed = [], None, True
        if bases and self.chance.random() < 0.7:
            base = self.chance.choice(bases)
            options = ["--since", self.chance.choice([base[0].path, base[1].name])]
        elif self.chance.random() < 0.3:
            options, is_sealed = self.chance.choice(
                [(["--compress"], True), (["--format", "raw"], True), (["--no-hash"], False)])
        chosen = None
        if point.kind == "reference" and self.chance.random() < 0.3:
            disks = [(machine.name, target) for machine, target, _ in point.disks()]
            chosen = self.chance.sample(disks, self.chance.randint(1, len(disks)))
            options += [word for machine, target in chosen for word in ("--disk", f"{machine}/{target}")]
        words = ["reference", "export"] if point.kind == "reference" else ["export"]

        def done():
            self.world.package_of(path, point, chosen=chosen, is_sealed=is_sealed)
            self._check_new(path, base)

        return self._perform([*words, point.name, path, *options], done, path.exists, busy=True)

    def _earlier(self, point):
        names = list(self.world.points)
        return [self.world.points[name] for name in names[:names.index(point.name)]]

    def _check_new(self, path, base):
        package = self.world.packages[path]
        if package.is_sealed:
            self._check_whole(package)
        package.check(self.world.scratch)
        if base:
            self._check_is_difference(package, *base)

    def _check_whole(self, package):
        report = self.world.lab.cohort("verify", package.path).json["verify"]
        assert report["whole"] is True and report["problems"] == report["notes"] == [], report

    @staticmethod
    def _check_is_difference(package, parent, base):
        """Nothing goes whole of which the changes are known: a kill, a restart or a merge makes no difference."""
        whole = {(machine["name"], disk["target"]): disk.get("whole_because")
                 for machine in package.manifest()["machines"] for disk in machine["disks"] if not disk.get("parent")}
        for key, held in package.held.items():
            old = parent.held.get(key)
            is_same = old and old.disk is held.disk and old.content.size == held.content.size
            is_known = is_same and base.name in held.lineage
            assert not (is_known and key in whole), f"{package.path.name}: {key} went whole: {whole[key]}"
            assert key not in whole or whole[key], f"{package.path.name}: nothing says why {key} went whole"

    def backup(self):
        if len(self.world.packages) >= PACKAGES_KEPT:
            return None
        collection = self.chance.choice(self.world.collections)
        path = self._new_path(collection.folders[0])

        def done():
            self._package_of_now(collection, path)

        return self._perform(["backup", "--full", collection.name, path, *PATIENT], done, path.exists)

    def _package_of_now(self, collection, path):
        """Its snapshot is no more."""
        name = self.world.new_name("gone")
        self.world.package_of(path, self.world.add_point(collection, name, "recovery", self._id_in(path)))
        self.world.remove_point(name)
        self._check_new(path, None)

    def _id_in(self, path):
        return self.world.lab.cohort("package", "show", path).json["package"]["manifest"]["snapshot"]["id"]

    def backup_incremental(self):
        if len(self.world.packages) >= PACKAGES_KEPT:
            return None
        collection = self.chance.choice(self.world.collections)
        folder = self.chance.choice(collection.folders)
        path = self._new_path(folder)
        before = [point for point in self.world.points.values() if point.kept_for == folder]

        def done():
            listed, id = self.world.listed(), self._id_in(path)
            name = next((name for name, each in listed.items() if each["snapshot"] == id), None)
            if not name:  # killed when the package was complete, and the snapshot not yet kept
                return self._package_of_now(collection, path)
            kept = self.world.add_point(collection, name, "recovery", id, kept_for=folder)
            parent = self._parent_of(path)
            self.world.package_of(path, kept)
            for each in before:
                if each.name in listed and listed[each.name]["state"] == "deleting":
                    self.world.command("snapshot", "delete", each.name)
                    listed.pop(each.name)
            base = next((point for point in before if parent and point.id == parent.point_id), None)
            self._check_new(path, (parent, base) if base else None)
            for each in before:
                if each.name not in listed:
                    self.world.remove_point(each.name)

        return self._perform(["backup", collection.name, path, *PATIENT], done, path.exists)

    def _parent_of(self, path):
        parents = self.world.chain_of(path)
        return next((package for package in self.world.packages.values() if [str(package.path)] == parents[:1]), None)

    def merge(self):
        packages = [package for package in self.world.packages.values()
                    if package.is_sealed and self.world.chain_of(package.path)]
        if not packages or len(self.world.packages) >= PACKAGES_KEPT:
            return None
        package = self.chance.choice(packages)
        path = self._new_path(package.path.parent)

        def done():
            self.world.packages[path] = Package(path, package.point_id, package.held)
            assert self.world.chain_of(path) == []
            self._check_new(path, None)

        return self._perform(["package", "merge", package.path, path], done, path.exists, busy=True)

    def prune(self):
        folder = self.chance.choice([folder for each in self.world.collections for folder in each.folders])
        here = [package for package in self.world.packages.values() if package.path.parent == folder]
        if len(here) < 2:
            return None
        count = self.chance.randint(1, 3)
        rules = ["--keep-last", count]
        plan = self.world.lab.cohort("package", "prune", folder, *rules, "--dry-run").json["plan"]["packages"]
        fates = {each["package"]: each["fate"] for each in plan}
        assert set(fates) == {str(package.path) for package in here}

        def done():
            gone = [package for package in here if not package.path.exists()]
            assert all(fates[str(package.path)] == "removed" for package in gone), (fates, gone)
            for package in gone:
                del self.world.packages[package.path]
            judged = {package.point_id for package in here if fates[str(package.path)] != "left"}
            kept = [each for each in plan if "last" in each["kept_by"]]
            assert len(kept) == min(count, len(judged)), plan
            self.world.check_packages(*[package.path for package in here if package not in gone])

        return self._perform(["package", "prune", folder, *rules], done, lambda: True, busy=True)

    def seal(self):
        packages = [package for package in self.world.packages.values() if not package.is_sealed]
        if not packages:
            return None
        package = self.chance.choice(packages)

        def done():
            package.is_sealed = True
            self._check_whole(package)

        return self._perform(["verify", package.path, "--seal"], done, lambda: "sealed" in package.manifest(),
                             busy=True)

    def import_package(self):
        packages = [package for package in self.world.packages.values() if package.is_sealed]
        if not packages:
            return None
        package = self.chance.choice(packages)
        if self.world.kill_at:
            return self._import_killed(package)
        self.world.check_import(package)
        return f"import {package.path.name}"

    def _import_killed(self, package):
        """All of it is there, or nothing."""
        def done():
            self.world.remove_imported()

        def is_done():
            found = [domain for domain in self.world.lab.connection.listAllDomains()
                     if domain.name().startswith(self.world.copy_prefix)]
            assert found or not list(self.world.storage.iterdir())
            return len(found) > 0

        arguments = ["--name-prefix", self.world.copy_prefix, "--storage", self.world.storage]
        return self._perform(["import", package.path, *arguments], done, is_done, busy=True)

    def remove_package(self):
        """What a user does who has no room, and looks which nobody stands on."""
        stood_on = {parent for package in self.world.packages.values() for parent in self.world.chain_of(package.path)}
        free = [package for package in self.world.packages.values() if str(package.path) not in stood_on]
        if not free or len(self.world.packages) < PACKAGES_KEPT - 2:
            return None
        package = self.chance.choice(free)
        shutil.rmtree(package.path)
        del self.world.packages[package.path]
        return f"package {package.path.name} removed"
