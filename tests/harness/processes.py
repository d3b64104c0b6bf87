"""Finds and ends the processes that a work folder's tests left behind."""

import os
import signal
from pathlib import Path

from .waiting import TimedOut, wait_until

# Programs that tests start, directly or through libvirt. Nothing else is ever ended.
_PROGRAMS = ("qemu-", "swtpm", "cohort")


def command_line(pid):
    """The arguments of a process; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def children_of(pid):
    """The ids of a process' children."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1] if entry.name.isdigit() else ""
        except OSError:
            continue  # it is gone
        if parent == str(pid):
            found.append(int(entry.name))
    return found


def of_folder(folder, programs=_PROGRAMS):
    """The ids of the processes of such programs whose arguments name a path in the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        arguments = command_line(entry.name)
        if not arguments or not Path(arguments[0]).name.startswith(programs):
            continue
        if any(f"{folder}/" in argument + "/" for argument in arguments):
            found.append(int(entry.name))
    return found


def end_programs_of_folder(folder, programs=_PROGRAMS):
    """Ends them: politely, after two seconds by force."""
    for number, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 5)):
        for pid in of_folder(folder, programs):
            _send(pid, number)
        try:
            wait_until(lambda: not of_folder(folder, programs), patience, f"processes of {folder} end", 0.05)
            return
        except TimedOut:
            continue


def _send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
