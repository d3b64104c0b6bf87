"""Six machines write while snapshots, exports, backups, imports and tries of them are made, cancelled and killed, libvirtd
and machines are killed: nothing is lost, and nothing piles up.

COHORT_SOAK_MINUTES says for how long (30), COHORT_SOAK_SEED repeats the choices of an earlier run.
"""

import collections
import os
import random
import statistics
import time
from pathlib import Path

from harness import Lab, daemons
from harness.processes import of_folder
from herd import Herd

MINUTES = float(os.environ.get("COHORT_SOAK_MINUTES") or 30)
SEED = int(os.environ.get("COHORT_SOAK_SEED") or time.time())
PACKAGES_KEPT = 2

OPERATIONS = {"take": 4, "delete": 4, "export": 3, "backup": 3, "verify": 1, "import": 2, "try": 1}
FAULTS = {None: 8, "kill_program": 6, "interrupt_program": 2, "stop_program": 1, "kill_libvirtd": 2, "lose_machine": 1,
          "reset_machine": 1}

# What one run of the program, and what libvirtd, may have more at the end than near the beginning.
PROGRAM_GROWTH_MIB = 16
DESCRIPTORS_GROWTH = 8


def descriptors_of(program):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in daemons.processes(program))


def figures(herd):
    """What must not pile up."""
    return {"domains": len(herd.lab.connection.listAllDomains()),
            "files beside the disks": sum(len(list(guest.folder.iterdir())) for guest in herd.guests),
            "files in the state": sum(len(files) for _, _, files in os.walk(herd.lab.state)),
            "files of imports": len(list(herd.storage.iterdir())),
            "processes of ours": len(of_folder(herd.lab.folder, ("cohort",))),
            "descriptors of libvirtd": descriptors_of("libvirtd")}


class Soak:
    def __init__(self, herd):
        self.herd = herd
        self.chance = random.Random(SEED)
        self.counts = collections.Counter()
        self.peaks = collections.defaultdict(list)  # KiB, by operation

    def round(self):
        operation = self.pick(OPERATIONS)
        arguments = self.herd.arguments(operation, self.chance)
        if not arguments:
            return
        fault = self.pick(FAULTS)
        print(f"{time.strftime('%H:%M:%S')} {operation}, {fault or 'undisturbed'}: {' '.join(map(str, arguments))}",
              flush=True)
        outcome = self.herd.run(*arguments, meanwhile=fault and getattr(self.herd, fault)(self.chance))
        self.note(operation, fault, outcome)
        self.settle()

    def pick(self, weights):
        return self.chance.choices(list(weights), list(weights.values()))[0]

    def note(self, operation, fault, outcome):
        ended = {None: "killed", 0: "done"}.get(outcome.status, "refused or taken back")
        self.counts[f"{operation} {ended}"] += 1
        self.peaks[operation].append(outcome.peak_kib)
        assert fault or outcome.status == 0, f"undisturbed, but: {outcome.out}"

    def settle(self):
        """Whatever happened is over: all is done or as before, and all machines run and write."""
        self.counts["(machines that libvirtd had lost)"] += self.herd.owners_start_what_is_off()
        recovery = self.herd.recover()
        assert recovery["failures"] == [], recovery
        self.herd.finish_deletions()
        self.herd.remove_copies_and_packages(PACKAGES_KEPT)
        self.herd.all_go_on()
        self.herd.nothing_is_half_done()


def print_figures(soak, first, last, minutes):
    print(f"\nsoak: {minutes:.0f} minutes, seed {SEED}, {sum(soak.counts.values())} operations")
    for name, count in sorted(soak.counts.items()):
        print(f"  {name:40} {count}")
    for operation, peaks in sorted(soak.peaks.items()):
        print(f"  peak memory of {operation:25} {max(peaks) / 1024:.1f} MiB")
    for name in first:
        print(f"  {name:40} {first[name]} -> {last[name]}")


def check_growth(soak, first, last):
    slack = {"descriptors of libvirtd": DESCRIPTORS_GROWTH}
    for name in first:
        assert last[name] <= first[name] + slack.get(name, 0), name
    for operation, peaks in soak.peaks.items():
        half = len(peaks) // 2
        if half >= 5:
            growth = statistics.median(peaks[half:]) - statistics.median(peaks[:half])
            assert growth <= PROGRAM_GROWTH_MIB * 1024, f"{operation} needs {growth} KiB more than at first"


def test_soak():
    with Lab() as lab:
        herd = Herd(lab)
        herd.begin()
        soak = Soak(herd)
        # The first round makes what is made once: connections of libvirtd, the log of the state file.
        herd.lab.cohort("backup", "--full", "all six", herd.packages / "first", "--deadline", "30000")
        soak.settle()
        first, began = figures(herd), time.monotonic()
        while time.monotonic() - began < MINUTES * 60:
            soak.round()
        herd.delete_all_snapshots()
        soak.settle()
        last = figures(herd)
        print_figures(soak, first, last, (time.monotonic() - began) / 60)
        herd.check_disks()
        check_growth(soak, first, last)
        assert Path(lab.state, "cohort.db").stat().st_size < 64 << 20
