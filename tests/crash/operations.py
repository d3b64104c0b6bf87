"""The operations that are killed: how each is prepared, what it leaves when it is done, and how that is undone."""

import json
from pathlib import Path

from crash_site import ALL, OFF, PATIENT, is_running, overlays


class Operation:
    job_type = ""

    def __init__(self, collection=ALL):
        self.collection = collection

    def prepare(self, site):
        """Makes what the operation works on."""

    def before_again(self, site):
        """What has to be before the same command can succeed after one that was not done."""

    def arguments(self, site):
        """The command."""
        raise NotImplementedError

    def is_done(self, site):
        """Whether it was done, judged by what people would look at first."""
        raise NotImplementedError

    def check_done(self, site):
        """Everything that has to be true when it was done."""

    def check_undone(self, site):
        """What has to be true, beside the machines being as before, when it was not done."""

    def undo(self, site):
        """Takes back what is_done() means, and what prepare() has made."""

    def give_up(self, site):
        """Takes back what prepare() has made, after an operation that was not done."""


class Take(Operation):
    job_type = "take_snapshot"

    def arguments(self, site):
        return ["snapshot", "take", self.collection, "--name", "taken", *PATIENT]

    def is_done(self, site):
        return site.snapshots().get("taken") == "ready"

    def check_done(self, site):
        snapshot = site.cohort("snapshot", "show", "taken").json["snapshot"]
        assert snapshot["state"] == "ready"
        members = snapshot["members"]
        for guest in site.guests:
            [disks] = [member["disks"] for member in members if member["name"] == guest.name]
            assert {disk["target"]: Path(disk["overlay"]) for disk in disks} == guest.disk_paths()
            assert {Path(disk["frozen"]["path"]) for disk in disks} == set(guest.images.values())

    def check_undone(self, site):
        assert site.snapshots() == {}
        assert not any((site.lab.state / "snapshots").glob("*/*"))
        site.stands_on_own_files()

    def undo(self, site):
        site.cohort("snapshot", "delete", "taken")


class TakeFrozen(Take):
    """The guest of the one that runs is frozen; that it writes on shows that it is thawed."""

    def arguments(self, site):
        return [*super().arguments(site), "--consistency", "application", "--freeze-deadline", "60000"]

    def check_done(self, site):
        super().check_done(site)
        [writer] = [member for member in site.cohort("snapshot", "show", "taken").json["snapshot"]["members"]
                    if member["name"] == site.writer.name]
        assert writer["consistency"] == "application"


class TakeStandard(Take):
    """With the memory of the one that runs and of the one that is paused."""

    def before_again(self, site):
        site.let_memory_be_saved()

    prepare = before_again

    def arguments(self, site):
        return [*super().arguments(site), "--standard"]

    def check_done(self, site):
        super().check_done(site)
        assert len(memory_files(site)) == 2

    def check_undone(self, site):
        super().check_undone(site)
        assert memory_files(site) == []

    def undo(self, site):
        super().undo(site)
        assert memory_files(site) == []


def memory_files(site):
    return [file for guest in site.guests for file in guest.folder.glob("*.mem")]


class Delete(Operation):
    job_type = "delete_snapshot"

    def prepare(self, site):
        site.take("deleted", self.collection)
        site.scribble()

    def arguments(self, site):
        return ["snapshot", "delete", "deleted"]

    def is_done(self, site):
        return "deleted" not in site.snapshots()

    def check_done(self, site):
        assert site.snapshots() == {}
        site.stands_on_own_files()

    def give_up(self, site):
        site.cohort("snapshot", "delete", "deleted")


class DeleteLower(Delete):
    """The snapshot below another one: its overlays are not those that the machines write to."""

    def prepare(self, site):
        super().prepare(site)
        site.take("upper", self.collection)
        site.scribble()

    def check_done(self, site):
        assert site.snapshots() == {"upper": "ready"}
        members = site.cohort("snapshot", "show", "upper").json["snapshot"]["members"]
        for guest in site.guests:
            disks = [disk for member in members if member["name"] == guest.name for disk in member["disks"]]
            # What is frozen for the upper snapshot is the disk itself now, and the lower overlay is no more.
            assert {Path(disk["frozen"]["path"]) for disk in disks} <= set(guest.images.values())
            assert overlays(guest) == sorted(Path(disk["overlay"]).name for disk in disks)

    def undo(self, site):
        site.cohort("snapshot", "delete", "upper")
        site.stands_on_own_files()

    def give_up(self, site):
        super().give_up(site)
        self.undo(site)


class Convert(Operation):
    """Of a snapshot; it and the reference point hold the same overlays."""
    job_type = "convert"

    def prepare(self, site):
        site.take("converted", self.collection)
        site.scribble()

    def arguments(self, site):
        return ["reference", "convert", "converted"]

    @staticmethod
    def _points(site):
        return {each["name"]: each["state"] for each in site.cohort("reference", "list").json["reference_points"]}

    def is_done(self, site):
        return "converted" in self._points(site)

    def check_done(self, site):
        assert self._points(site) == {"converted": "ready"}
        assert site.snapshots() == {}

    def check_undone(self, site):
        assert self._points(site) == {}
        assert site.snapshots() == {"converted": "ready"}

    def undo(self, site):
        site.cohort("reference", "delete", "converted")
        site.stands_on_own_files()

    def give_up(self, site):
        site.cohort("snapshot", "delete", "converted")


class DeleteReference(Delete):
    job_type = "delete_reference_point"

    def prepare(self, site):
        site.cohort("reference", "create", self.collection, "--name", "deleted", *PATIENT)
        site.scribble()

    def arguments(self, site):
        return ["reference", "delete", "deleted"]

    def is_done(self, site):
        return site.cohort("reference", "list").json["reference_points"] == []

    def give_up(self, site):
        site.cohort("reference", "delete", "deleted")


class Export(Operation):
    job_type = "export"

    def prepare(self, site):
        if "exported" not in site.snapshots():
            site.take("exported")

    @staticmethod
    def target(site):
        return site.lab.folder / "exported"

    def arguments(self, site):
        return ["export", "exported", self.target(site)]

    def is_done(self, site):
        return self.target(site).exists()

    def check_done(self, site):
        assert site.snapshots() == {"exported": "ready"}
        site.package_is_whole(self.target(site))

    def check_undone(self, site):
        assert site.snapshots() == {"exported": "ready"}

    def undo(self, site):
        site.remove(self.target(site))
        self.give_up(site)

    def give_up(self, site):
        site.cohort("snapshot", "delete", "exported")


class Seal(Operation):
    """Of a package that was exported without hashes."""
    job_type = "verify"

    def prepare(self, site):
        if "sealed" not in site.snapshots():
            site.take("sealed", OFF)
        if not self.target(site).exists():
            site.cohort("export", "sealed", self.target(site), "--no-hash")
            self._files = self._content(site)

    @staticmethod
    def target(site):
        return site.lab.folder / "to be sealed"

    def arguments(self, site):
        return ["verify", self.target(site), "--seal"]

    def _content(self, site):
        return {path: path.read_bytes() for path in self.target(site).rglob("*") if path.is_file()}

    def is_done(self, site):
        return "sealed" in json.loads((self.target(site) / "cohort.json").read_text())

    def check_done(self, site):
        site.package_is_whole(self.target(site))

    def check_undone(self, site):
        assert self._content(site) == self._files

    def undo(self, site):
        site.remove(self.target(site))
        site.cohort("snapshot", "delete", "sealed")

    def give_up(self, site):
        self.undo(site)


class ExportDifference(Export):
    """Since a package whose snapshot is there, too; that package stays as it is whatever happens."""

    def prepare(self, site):
        if "base" not in site.snapshots():
            site.take("base")
            site.cohort("export", "base", self.base(site))
            site.scribble()
        super().prepare(site)

    @staticmethod
    def base(site):
        return site.lab.folder / "exported base"

    def arguments(self, site):
        return [*super().arguments(site), "--since", self.base(site)]

    def check_done(self, site):
        report = site.cohort("verify", self.target(site)).json["verify"]
        assert report["whole"] is True
        assert [parent["package"] for parent in report["parents"]] == [str(self.base(site))]
        self.check_undone(site)

    def check_undone(self, site):
        assert site.snapshots() == {"base": "ready", "exported": "ready"}
        site.package_is_whole(self.base(site))

    def give_up(self, site):
        super().give_up(site)
        site.cohort("snapshot", "delete", "base")
        site.remove(self.base(site))


class ExportMerged(ExportDifference):
    """The same, merged with the package of the base, which stays as it is."""

    def arguments(self, site):
        return [*super().arguments(site), "--merge"]

    def check_done(self, site):
        site.package_is_whole(self.target(site))
        assert site.cohort("verify", self.target(site)).json["verify"]["parents"] == []
        self.check_undone(site)


class MergePackage(Operation):
    """Of a difference; it and what it stands on stay as they are whatever happens."""
    job_type = "merge_package"

    def prepare(self, site):
        if self._difference(site).exists():
            return
        for name, since in (("merged base", ()), ("merged difference", ("--since", self._base(site)))):
            site.take(name, OFF)
            site.cohort("export", name, site.lab.folder / name, *since)
            site.scribble()
        for name in ("merged base", "merged difference"):
            site.cohort("snapshot", "delete", name)

    @staticmethod
    def _base(site):
        return site.lab.folder / "merged base"

    @staticmethod
    def _difference(site):
        return site.lab.folder / "merged difference"

    @staticmethod
    def target(site):
        return site.lab.folder / "merged"

    def arguments(self, site):
        return ["package", "merge", self._difference(site), self.target(site)]

    def is_done(self, site):
        return self.target(site).exists()

    def check_done(self, site):
        site.package_is_whole(self.target(site))
        self.check_undone(site)

    def check_undone(self, site):
        report = site.cohort("verify", self._difference(site)).json["verify"]
        assert report["whole"] is True and len(report["parents"]) == 1

    def undo(self, site):
        site.remove(self.target(site))
        self.give_up(site)

    def give_up(self, site):
        site.remove(self._base(site))
        site.remove(self._difference(site))


class Prune(Operation):
    """Of the lowest of three: the one above it is merged in its place, and the one above that stands on it."""
    job_type = "prune"
    NAMES = ("lowest", "middle", "top")

    @staticmethod
    def _folder(site):
        return site.lab.folder / "pruned"

    def prepare(self, site):
        folder = self._folder(site)
        if folder.exists():
            return
        folder.mkdir()
        for name, below in zip(self.NAMES, ("", *self.NAMES)):
            site.take(name, OFF)
            site.cohort("export", name, folder / name, *(("--since", folder / below) if below else ()))
            site.scribble()
        for name in self.NAMES:
            site.cohort("snapshot", "delete", name)

    def arguments(self, site):
        return ["package", "prune", self._folder(site), "--keep-last", "2"]

    def is_done(self, site):
        return not (self._folder(site) / "lowest").exists()

    def check_done(self, site):
        assert sorted(path.name for path in self._folder(site).iterdir()) == ["middle", "top"]
        self._check_kept(site, [[], ["middle"]])

    def check_undone(self, site):
        assert sorted(path.name for path in self._folder(site).iterdir()) == sorted(self.NAMES)
        self._check_kept(site, [[], ["middle"]], [["lowest"], ["middle", "lowest"]])

    def _check_kept(self, site, *chains):
        reports = [site.cohort("verify", self._folder(site) / name).json["verify"] for name in ("middle", "top")]
        assert all(report["whole"] for report in reports)
        assert [[Path(parent["package"]).name for parent in report["parents"]] for report in reports] in chains

    def undo(self, site):
        site.remove(self._folder(site))


class Backup(Operation):
    job_type = "backup"

    @staticmethod
    def target(site):
        return site.lab.folder / "backup"

    def arguments(self, site):
        return ["backup", "--full", self.collection, self.target(site), *PATIENT]

    def is_done(self, site):
        return self.target(site).exists()

    def check_done(self, site):
        site.package_is_whole(self.target(site))
        self.check_undone(site)

    def check_undone(self, site):
        assert site.snapshots() == {}
        site.stands_on_own_files()

    def undo(self, site):
        site.remove(self.target(site))


class IncrementalBackup(Backup):
    """The second one: the base of the first is there before, and a base whatever happens."""

    @staticmethod
    def _first(site):
        return site.lab.folder / "nights" / "first"

    @staticmethod
    def target(site):
        return site.lab.folder / "nights" / "second"

    def prepare(self, site):
        if not self._first(site).exists():
            self._first(site).parent.mkdir(exist_ok=True)
            site.cohort("backup", self.collection, self._first(site), *PATIENT)
            site.scribble()

    def arguments(self, site):
        return ["backup", self.collection, self.target(site), *PATIENT]

    def _kept(self, site):
        return site.cohort("snapshot", "list").json["snapshots"]

    def check_done(self, site):
        report = site.cohort("verify", self.target(site)).json["verify"]
        assert report["whole"] is True
        assert [Path(parent["package"]) for parent in report["parents"]] == [self._first(site)]
        self._check_bases(site)

    def check_undone(self, site):
        assert len(self._kept(site)) == 1
        self._check_bases(site)

    def _check_bases(self, site):
        assert self._kept(site)
        for kept in self._kept(site):
            assert (kept["state"], kept["kept_for"]) == ("ready", str(self._first(site).parent))
        site.package_is_whole(self._first(site))

    def undo(self, site):
        # Whatever was left over, the next one stands on a base and leaves one.
        third = self.target(site).with_name("third")
        report = site.cohort("backup", self.collection, third, *PATIENT).json["backup"]
        assert report["full_because"] is None
        [kept] = self._kept(site)
        assert kept["id"] == report["snapshot"]["id"]
        site.remove(self.target(site))
        site.remove(third)
        self.give_up(site)

    def give_up(self, site):
        for kept in self._kept(site):
            site.cohort("snapshot", "delete", kept["id"])
        site.remove(self._first(site))
        site.stands_on_own_files()


class Import(Operation):
    job_type = "import"

    def arguments(self, site):
        return ["import", site.package, "--name-prefix", site.copy_prefix, "--storage", site.storage, "--start"]

    def is_done(self, site):
        return len(site.copies()) == 2 and all(is_running(domain) for domain in site.copies())

    def check_done(self, site):
        assert self.is_done(site)
        for domain in site.copies():
            [path] = site.lab.adopt(domain.name()).disk_paths().values()
            assert path.parent == site.storage

    def check_undone(self, site):
        assert site.copies() == []
        assert list(site.storage.iterdir()) == []

    def undo(self, site):
        site.remove_copies()


class Try(Operation):
    """It leaves nothing when it is done, so only its job tells that it was."""
    job_type = "try"

    def prepare(self, site):
        self._known = set(site.jobs())
        self._package = site.facts_of_package()

    def arguments(self, site):
        return ["try", site.package, "--name-prefix", site.copy_prefix, "--network", "isolated", "--for", "1s"]

    def is_done(self, site):
        return any(job["type"] == self.job_type and job["state"] == "completed"
                   for id, job in site.jobs().items() if id not in self._known)

    def check_done(self, site):
        assert site.copies() == []
        assert site.networks_of_tries() == []
        assert not (site.lab.state / "tries").exists()
        assert site.facts_of_package() == self._package

    def check_undone(self, site):
        self.check_done(site)
