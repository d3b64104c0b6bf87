"""A program that stops itself at a named place (COHORT_STOP_AT), so that a test can act while it stands there."""

import datetime
import os
import signal
import subprocess
import time
from pathlib import Path

from .waiting import wait_until


def is_stopped(program):
    try:
        # The state follows the name in parentheses, which may have anything in it.
        return Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def wait_stopped(program, what, timeout=120):
    """Waits until it stands at its place."""
    wait_until(lambda: is_stopped(program) or program.poll() is not None, timeout, f"{what} stops itself")
    assert program.poll() is None, f"{what} did not stop itself: {program.communicate()}"


def run_on(program, timeout=180):
    """Lets it go on until it ends; returns its output and errors."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if is_stopped(program):
            program.send_signal(signal.SIGCONT)
        try:
            return program.communicate(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the program does not end")


class Interrupt:
    """Ctrl-C for a program, and how long its job took to end.

    The job's own clock says when it ended, so that the end of the program and the waiting for it do not count. A host
    on which more wants to run than it has processors makes everything slower by that factor, and is forgiven it.
    """

    LONGEST_S = 1.0

    def __init__(self, program, ask=None):
        """`ask` asks in another way than by the signal."""
        self._program = program
        self._crowd = _crowd()
        self._begun = time.time()
        if ask:
            ask()
        else:
            program.send_signal(signal.SIGINT)

    def wait(self, timeout=180):
        """Lets the program end; returns its output and errors."""
        return run_on(self._program, timeout)

    def was_quick(self, job, what, longest_s=LONGEST_S):
        """REQUIRES: wait() has returned; `job` is as --json shows it."""
        ended = datetime.datetime.fromisoformat(job["ended"].replace("Z", "+00:00")).timestamp()
        took, crowd = ended - self._begun, max(self._crowd, _crowd())
        told = f"{what}: ended {took * 1000:.0f} ms after it was cancelled, on a host slowed down {crowd:.1f} times"
        print(told)
        assert took <= longest_s * crowd, told


def _crowd():
    """How many times slower the host is than an idle one: now, or on average of the last minute."""
    average, _, _, tasks, _ = Path("/proc/loadavg").read_text().split()
    return max(1.0, max(float(average), int(tasks.partition("/")[0])) / os.cpu_count())
