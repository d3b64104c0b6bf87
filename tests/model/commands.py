"""How a step runs the program: with guests that write meanwhile, and killed in the middle now and then."""

import contextlib
import random
import threading
import time

from world import Killed


class Busy:
    """Machines that run write while the program is at work; now and then the QEMU of one is killed.

    killed   that machine
    """

    def __init__(self, world):
        self._machines = [machine for machine in world.machines if machine.power == "running" and machine.disks]
        self._chance = random.Random(world.chance.random())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._failure = None
        self.killed = None

    def __enter__(self):
        if self._machines:
            self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        if self._machines:
            self._thread.join()
        if self._failure:
            raise self._failure
        if self.killed:
            self.killed.adopt_all()

    def _run(self):
        try:
            kill_after = self._chance.uniform(0, 0.4) if self._chance.random() < 0.15 else None
            self._write(kill_after)
            if kill_after and not self._stop.is_set():
                self.killed = self._machines.pop(self._chance.randrange(len(self._machines)))
                self.killed.lose_qemu()
                self._write(None)
        except Exception as failure:
            self._failure = failure

    def _write(self, seconds):
        until = seconds and time.monotonic() + seconds
        while self._machines and not self._stop.wait(0.01) and not (until and time.monotonic() > until):
            machine = self._chance.choice(self._machines)
            machine.write(self._chance.choice(list(machine.disks)), 1, self._chance)


class CommandSteps:
    def __init__(self, world):
        self.world = world
        self.chance = world.chance

    def _perform(self, arguments, done, is_done, may_refuse=(), busy=False, suffers=False):
        """Runs the program, and changes the model if it has done what it was to do.

        busy      what it does has nothing to do with what is written meanwhile
        suffers   it may fail if a machine is lost meanwhile
        """
        at_work = Busy(self.world) if busy else contextlib.nullcontext()
        outcome = self._run(arguments, may_refuse, at_work, suffers)
        if not outcome or is_done():
            done()
        lost = f", {at_work.killed} lost meanwhile" if busy and at_work.killed else ""
        return f"{' '.join(map(str, arguments))}{outcome}{lost}"

    def _run(self, arguments, may_refuse, at_work, suffers):
        """In words why it may not be done; nothing if it is."""
        kill_at = self.world.kill_at
        try:
            with at_work:
                ran = self.world.command(*arguments, may_refuse=may_refuse,
                                         may_fail=lambda: suffers and at_work.killed)
            return "" if ran else ": refused"
        except Killed:
            self.world.recover()
            return f": killed at {kill_at}"
        finally:
            self.world.kill_at = None
