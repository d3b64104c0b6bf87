"""A program that stops itself at a named place (COHORT_STOP_AT), so that a test can act while it stands there."""

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
    """Lets it go on, as often as it comes by its place again, until it ends; returns its output and errors."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if is_stopped(program):
            program.send_signal(signal.SIGCONT)
        try:
            return program.communicate(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the program does not end")
