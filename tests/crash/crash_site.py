"""The machines on which operations are killed, and what is to be seen of the world when the dust has settled."""

import json
import shutil
import subprocess
from pathlib import Path

import libvirt

from harness import Disk, inspect, wait_until
from harness.images import MIB, run
from harness.lab import remove_domain

ALL, OFF, PAIR = "all of them", "the one that is off", "those that do not run"

# How long machines may stand still is not what is tested here, but it has to end: the guard's margin is for the host.
DEADLINE_S = 30
PATIENT = ("--deadline", str(DEADLINE_S * 1000))
GUARD_MARGIN_S = 20

_MARK = "COHORT_CRASH_SITE"  # a variable that all processes of the site inherit


class Site:
    """A running writer with two disks, a paused machine, one that is off, and a package of the latter two."""

    def __init__(self, lab):
        self.lab = lab
        mark = lab.folder.name[-8:]  # two runs on one host have machines of their own
        self.copy_prefix = f"cohort-test-crash-{mark}-copy-"
        lab.prefixes.append(self.copy_prefix)
        self.writer = lab.guest(f"crash {mark} writer", role="writer", disks=[Disk(size=16 * MIB)])
        self.paused = lab.guest(f"crash {mark} paused", single_disk=True, disks=[Disk(size=16 * MIB)])
        self.off = lab.guest(f"crash {mark} off", single_disk=True, disks=[Disk("raw", size=16 * MIB)])
        self.guests = (self.writer, self.paused, self.off)
        self.storage = lab.new_folder("imported")
        self.package = lab.folder / "package"
        self._mirror = lab.folder / "off.mirror"  # what the disk of the machine that is off has to hold
        run("cp", "--sparse=always", self.off.image(), self._mirror)
        self._scribbles = 0
        self._names = 0

    def begin(self):
        """Starts the machines, and makes the collections and the package."""
        for guest in (self.writer, self.paused):
            guest.start()
        for guest in (self.writer, self.paused):
            guest.wait_ready(timeout=400)
        self.paused.pause()
        self.writer.wait_token(above=2, timeout=200)
        self.writer.wait_agent(timeout=200)
        self.cohort("collection", "create", ALL, *[guest.name for guest in self.guests])
        self.cohort("collection", "create", OFF, self.off.name)
        self.cohort("collection", "create", PAIR, self.paused.name, self.off.name)
        self.take("for the package", PAIR)
        self.cohort("export", "for the package", self.package)
        self.cohort("snapshot", "delete", "for the package")

    # The program

    def cohort(self, *arguments, kill_at=None, skip=0, **options):
        """Runs the program; `kill_at` is where it is killed, after `skip` passes."""
        return self.lab.cohort(*arguments, env=self.environment(kill_at, skip), **options)

    def environment(self, kill_at=None, skip=0):
        kill = {"COHORT_KILL_AT": kill_at, "COHORT_KILL_SKIP": str(skip)} if kill_at else {}
        return {_MARK: str(self.lab.folder), **kill}

    def start(self, *arguments, stop_at=None):
        """Starts the program; `stop_at` is where it stops itself, as SIGSTOP would."""
        stop = {"COHORT_STOP_AT": stop_at} if stop_at else {}
        return self.lab.cohort_start(*arguments, json=True, env={**self.environment(), **stop})

    def take(self, name, collection=ALL):
        return self.cohort("snapshot", "take", collection, "--name", name, *PATIENT).json["snapshot"]

    def recover(self, **options):
        """A command that changes something, and so first recovers. Returns its result."""
        self._names += 1
        return self.cohort("collection", "create", f"made while recovering {self._names}", **options)

    def snapshots(self):
        return {each["name"]: each["state"] for each in self.cohort("snapshot", "list").json["snapshots"]}

    def jobs(self):
        return {job["id"]: job for job in self.cohort("job", "list").json["jobs"]}

    # The machines

    def scribble(self):
        """Changes the disk of the machine that is off, in its overlay if there is one."""
        self._scribbles += 1
        offset, pattern = self._scribbles * 65536 % (16 * MIB), 1 + self._scribbles % 255
        [(top, format)] = [(path, "raw" if path == self.off.image() else "qcow2") for path in self._tops(self.off)]
        run("qemu-io", "-f", format, "-c", f"write -P {pattern} {offset} 65536", top)
        with open(self._mirror, "r+b") as mirror:
            mirror.seek(offset)
            mirror.write(bytes([pattern]) * 65536)

    @staticmethod
    def _tops(guest):
        return guest.disk_paths().values()

    def picture(self):
        """All of the machines that an operation could leave changed."""
        return {guest.name: {
            "state": guest.state(),
            "live": guest.disk_paths(),
            "defined": guest.disk_paths(inactive=True),
            "chains": [chain(path) for path in self._tops(guest)],
            "files": sorted(path.name for path in guest.folder.iterdir()),
        } for guest in self.guests}

    def let_memory_be_saved(self):
        """QEMU saves the memory of a machine once for each time that it stands still."""
        self.paused.resume()
        self.paused.wait_state("running")
        self.paused.pause()

    def members_go_on(self):
        """The one that ran runs, and the one that was paused is paused."""
        self.writer.wait_state("running", DEADLINE_S + GUARD_MARGIN_S)
        assert self.paused.state() == "paused"
        assert self.off.state() == "shut off"

    def writer_has_written(self, above):
        """Its disks take writes, and every token is acknowledged by them."""
        self.writer.wait_token(above=above, timeout=120)

    def writer_has_lost_nothing(self):
        """Every token that was acknowledged is on its disk when it is off; it runs again afterwards."""
        seen = self.last_token()
        self.writer.destroy()
        tokens = inspect.tokens(self.writer.image())
        assert inspect.token_faults([tokens]) == [] and tokens[-1].number >= seen
        self.writer.start().wait_ready(timeout=400)

    def last_token(self):
        return max(self.writer.tokens_seen())

    def stands_on_own_files(self):
        for guest in self.guests:
            own = set(guest.images.values())
            assert set(guest.disk_paths().values()) == own == set(guest.disk_paths(inactive=True).values())
            assert overlays(guest) == []
        self.members_go_on()

    def off_is_intact(self):
        """What is read from the disk of the machine that is off is what was written to it."""
        [top] = self._tops(self.off)
        done = subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", chain(top)[0][1], self._mirror, top],
                              text=True, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr

    # What is left

    def processes(self):
        """The processes that the program has started, or itself, as {pid: command line}."""
        mark = f"{_MARK}={self.lab.folder}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def no_processes_stay(self):
        """The guard watches for some seconds more; nobody else has a reason to."""
        wait_until(lambda: not self.processes(), 60, lambda: f"processes end: {self.processes()}")

    def no_block_jobs_run(self):
        for guest in (self.writer, self.paused):
            for target in guest.disk_paths():
                assert not guest.domain.blockJobInfo(target), (guest, target)

    def nothing_is_half_done(self):
        """True of the world whatever was recovered, and however."""
        self.no_processes_stay()
        self.members_go_on()
        self.no_block_jobs_run()
        self.off_is_intact()
        assert set(self.snapshots().values()) <= {"ready"}
        assert [str(path) for path in self.lab.folder.rglob("*.partial")] == []
        for job in self.jobs().values():
            assert job["state"] in ("completed", "failed", "cancelled") and job["ended"], job
            assert (job["error"] is None) == (job["state"] == "completed"), job

    def copies(self):
        """The imported machines."""
        return [domain for domain in self.lab.connection.listAllDomains() if domain.name().startswith(self.copy_prefix)]

    def remove_copies(self):
        for domain in self.copies():
            remove_domain(domain)
        for path in self.storage.iterdir():
            path.unlink()

    def networks_of_tries(self):
        """Those of this site's jobs; others may try something meanwhile."""
        own = {f"cohort-try-{id[:8]}" for id in self.jobs()}
        return [network.name() for network in self.lab.connection.listAllNetworks() if network.name() in own]

    def facts_of_package(self):
        """All that the file system tells of the package, but when it was read."""
        return {path: (status.st_ino, status.st_mode, status.st_uid, status.st_gid, status.st_size, status.st_mtime_ns,
                       status.st_ctime_ns) for path, status in ((path, path.lstat()) for path in self.package.rglob("*"))}

    def package_is_whole(self, package):
        assert self.cohort("verify", package).json["verify"]["whole"] is True

    def remove(self, folder):
        shutil.rmtree(folder)


def overlays(guest):
    return sorted(path.name for path in guest.folder.iterdir() if ".cohort-" in path.name)


def chain(image):
    """The files of an image with their formats, the active one first, as their headers tell."""
    text = run("qemu-img", "info", "-U", "--backing-chain", "--output=json", image)
    return [(each["filename"], each["format"]) for each in json.loads(text)]


def is_running(domain):
    return domain.state()[0] in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_BLOCKED)
