"""How a step runs the program: with guests that write meanwhile, and killed in the middle now and then."""

import random
import threading

from world import Killed


class Busy:
    """Machines that run write while the program is at work."""

    def __init__(self, world):
        self._machines = [machine for machine in world.machines if machine.power == "running" and machine.disks]
        self._chance = random.Random(world.chance.random())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._failure = None
        self.count = 0

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

    def _write(self):
        try:
            while not self._stop.wait(0.01):
                machine = self._chance.choice(self._machines)
                machine.write(self._chance.choice(list(machine.disks)), 1, self._chance)
                self.count += 1
        except Exception as failure:
            self._failure = failure


class CommandSteps:
    def __init__(self, world):
        self.world = world
        self.chance = world.chance

    def _perform(self, arguments, done, is_done, may_refuse=(), busy=False):
        """Runs the program, and changes the model if it has done what it was to do. `busy`: what it does has nothing to
        do with what is written meanwhile."""
        words = " ".join(map(str, arguments))
        kill_at = self.world.kill_at
        try:
            has_run = self._run(arguments, may_refuse, busy) is not None
            self.world.kill_at = None
            if not has_run:
                if is_done():
                    done()
                return f"{words}: refused"
        except Killed:
            self.world.kill_at = None
            self.world.recover()
            words += f": killed at {kill_at}, and {'done' if is_done() else 'not done'}"
            if not is_done():
                return words
        done()
        return words

    def _run(self, arguments, may_refuse, busy):
        if not busy:
            return self.world.command(*arguments, may_refuse=may_refuse)
        with Busy(self.world):
            return self.world.command(*arguments, may_refuse=may_refuse)
