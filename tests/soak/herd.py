"""Six writing machines, the collections that share them, and the program at work on them."""

import json
import os
import shutil
import signal
import subprocess
import time

from crash_site import GUARD_MARGIN_S, PATIENT, chain
from harness import Disk, daemons, inspect
from harness.images import MIB
from harness.lab import remove_domain
from lost_machine import end_lost
from world_changes_test import kill_qemu

COLLECTIONS = {"all six": range(6), "the first": range(4), "the last": range(2, 6)}
DEADLINE_S = 30
BOOT_S = 600
SNAPSHOTS_KEPT = 3


class Outcome:
    """How a run of the program ended: its status (None: it was killed before it could say), output, peak memory."""

    def __init__(self, status, out, peak_kib):
        self.status, self.out, self.peak_kib = status, out, peak_kib

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            return {}


class Herd:
    def __init__(self, lab):
        self.lab = lab
        mark = lab.folder.name[-8:]
        self.copy_prefix = f"cohort-test-soak-{mark}-copy-"
        lab.prefixes.append(self.copy_prefix)
        kinds = [[Disk(size=24 * MIB)], [Disk("raw", size=24 * MIB)], [Disk(size=24 * MIB), Disk("raw", size=16 * MIB)]]
        self.guests = [lab.guest(f"soak {mark} {number}", role="writer", interval_ms=200, disks=kinds[number % 3])
                       for number in range(6)]
        self.storage = lab.new_folder("imported")
        self.packages = lab.folder / "packages"
        self.packages.mkdir()
        self._made = 0

    def begin(self):
        for guest in self.guests:
            guest.start()
        for guest in self.guests:
            guest.wait_ready(timeout=BOOT_S)
            guest.wait_token(timeout=200)
        for name, members in COLLECTIONS.items():
            self.lab.cohort("collection", "create", name, *[self.guests[index].name for index in members])

    # The program

    def run(self, *arguments, meanwhile=None):
        """Runs the program; `meanwhile` gets its process as soon as it has begun."""
        output = self.lab.folder / "output"
        with open(output, "w") as target:
            began = subprocess.Popen(self.lab.cohort_command(*arguments, json=True), stdin=subprocess.DEVNULL,
                                     stdout=target, stderr=subprocess.STDOUT)
        if meanwhile:
            meanwhile(began)
        _, status, usage = os.wait4(began.pid, 0)
        began.returncode = os.waitstatus_to_exitcode(status)
        return Outcome(None if began.returncode < 0 else began.returncode, output.read_text(errors="replace"),
                       usage.ru_maxrss)

    def snapshots(self):
        return self.lab.cohort("snapshot", "list").json["snapshots"]

    def new_name(self, kind):
        self._made += 1
        return f"{kind} {self._made}"

    def arguments(self, operation, chance):
        """The command of an operation, or None if there is nothing for it now."""
        ready = [each for each in self.snapshots() if each["state"] == "ready"]
        packages = sorted(self.packages.iterdir())
        collection = chance.choice(list(COLLECTIONS))
        if operation == "take":
            return len(ready) < SNAPSHOTS_KEPT and ["snapshot", "take", collection, "--name", self.new_name("taken"),
                                                    *PATIENT]
        if operation == "delete":
            return ready and ["snapshot", "delete", chance.choice(ready)["name"]]
        if operation == "export":
            return ready and ["export", chance.choice(ready)["name"], self.packages / self.new_name("export"),
                              "--format", chance.choice(["qcow2", "raw"])]
        if operation == "backup":
            return ["backup", "--full", collection, self.packages / self.new_name("backup"), *PATIENT]
        if operation == "verify":
            return packages and ["verify", chance.choice(packages)]
        if operation == "try":
            return packages and ["try", chance.choice(packages), "--name-prefix", self.copy_prefix, "--for", "2s"]
        assert operation == "import"
        return packages and ["import", chance.choice(packages), "--name-prefix", self.copy_prefix, "--storage",
                             self.storage]

    # What may happen meanwhile

    def kill_program(self, chance):
        return lambda program: self._after(chance, program, lambda: program.send_signal(signal.SIGKILL))

    def interrupt_program(self, chance):
        return lambda program: self._after(chance, program, lambda: program.send_signal(signal.SIGINT))

    def stop_program(self, chance):
        def stop_and_go_on():
            program_stopped.send_signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.1, 5))
            program_stopped.send_signal(signal.SIGCONT)

        program_stopped = None

        def meanwhile(program):
            nonlocal program_stopped
            program_stopped = program
            self._after(chance, program, stop_and_go_on)
        return meanwhile

    def kill_libvirtd(self, chance):
        def kill_and_start():
            daemons.kill("libvirtd")
            daemons.ensure()
        return lambda program: self._after(chance, program, kill_and_start)

    def lose_machine(self, chance):
        guest = chance.choice(self.guests)
        return lambda program: self._after(chance, program, lambda: kill_qemu(guest))

    def reset_machine(self, chance):
        guest = chance.choice(self.guests)
        return lambda program: self._after(chance, program, lambda: guest.domain.reset())

    @staticmethod
    def _after(chance, program, act):
        """At a random moment of the first seconds, if the program has not ended by then."""
        until = time.monotonic() + chance.uniform(0, 6)
        while time.monotonic() < until:
            if os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            time.sleep(0.02)
        act()

    # The world afterwards

    def recover(self):
        """A changing command, which recovers first. Returns what it says of that."""
        name = self.new_name("empty")
        said = self.lab.cohort("collection", "create", name).json
        self.lab.cohort("collection", "delete", name)
        return said.get("recovery", {"failures": []})

    def owners_start_what_is_off(self):
        """Returns how many machines libvirtd had lost: see lesson 10."""
        lost = 0
        for guest in [each for each in self.guests if not each.is_active()]:
            lost += end_lost(guest)
            guest.start()
            guest.wait_ready(timeout=BOOT_S)
        return lost

    def all_go_on(self):
        for guest in self.guests:
            guest.wait_state("running", DEADLINE_S + GUARD_MARGIN_S)
            guest.wait_token(above=max(guest.tokens_seen(), default=0), timeout=200)

    def finish_deletions(self):
        for each in self.snapshots():
            if each["state"] != "ready":
                self._delete_as_told(each["id"])

    def _delete_as_told(self, snapshot):
        """What the owner does who is told to stop a machine first: see lesson 14."""
        stopped = []
        while (ran := self.lab.cohort("snapshot", "delete", snapshot, check=False)).rc != 0:
            message = ran.json["error"]["message"]
            [guest] = [each for each in self.guests if f'"{each.name}"' in message and each not in stopped]
            assert "Shut the machine down" in message, message
            guest.destroy()
            stopped.append(guest)
        for guest in stopped:
            guest.start()
            guest.wait_ready(timeout=BOOT_S)

    def remove_copies_and_packages(self, keep):
        for domain in self.lab.connection.listAllDomains():
            if domain.name().startswith(self.copy_prefix):
                remove_domain(domain)
        for path in self.storage.iterdir():
            path.unlink()
        for package in sorted(self.packages.iterdir(), key=lambda path: path.stat().st_mtime)[:-keep or None]:
            shutil.rmtree(package)

    def nothing_is_half_done(self):
        assert [str(path) for path in self.packages.glob("*.partial")] == []
        assert not (self.lab.state / "tries").exists()
        assert {each["state"] for each in self.snapshots()} <= {"ready"}
        known = {disk["overlay"] for each in self.snapshots()
                 for member in self.lab.cohort("snapshot", "show", each["id"]).json["snapshot"]["members"]
                 for disk in member["disks"]}
        found = {str(path) for guest in self.guests for path in guest.folder.glob("*.cohort-*")}
        assert found == known, (found - known, known - found)

    def delete_all_snapshots(self):
        for each in self.snapshots():
            self.lab.cohort("snapshot", "delete", each["id"])

    def check_disks(self):
        """Power off: each machine stands on its own files, they are sound, and hold every token in its order."""
        for guest in self.guests:
            seen = max(guest.tokens_seen())
            guest.destroy()
            own = set(guest.images.values())
            assert set(guest.disk_paths(inactive=True).values()) == own
            assert [path for image in own for path, _ in chain(image)] == [str(image) for image in own]
            tokens = [inspect.tokens(image) for label, image in guest.images.items() if label != "boot"]
            faults = inspect.token_faults(tokens)
            assert faults == [], (guest, faults)
            assert tokens[0][-1].number >= seen
