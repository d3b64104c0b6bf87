"""Starts libvirt's daemons where no service manager does, and plays their death."""

import os
import signal
import subprocess
from pathlib import Path

import libvirt

from .waiting import wait_until

URI = "qemu:///system"

# Errors are raised as exceptions; libvirt's own copy on stderr would only clutter the output.
libvirt.registerErrorHandler(lambda _context, _error: None, None)


def processes(program):
    """The process numbers of the superuser's daemon of that name: on this system, not in a container of it."""
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit() and _is(entry, program)]


def _is(process, program):
    try:
        return ((process / "comm").read_text().strip() == program and process.stat().st_uid == 0
                and os.readlink(process / "ns/pid") == os.readlink("/proc/self/ns/pid"))
    except OSError:
        return False


def kill(program):
    """As a crash would; returns when it has ended."""
    for pid in processes(program):
        os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: not processes(program), 20, f"{program} has ended")


def answers():
    """Whether qemu:///system can be opened."""
    try:
        libvirt.open(URI).close()
        return True
    except libvirt.libvirtError:
        return False


def ensure(timeout=30):
    """Makes sure that virtlogd and libvirtd run and that qemu:///system answers."""
    for program in ("virtlogd", "libvirtd"):
        if not processes(program):
            subprocess.run([program, "-d"], check=True, stdin=subprocess.DEVNULL, close_fds=True,
                           env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    wait_until(answers, timeout, f"{URI} answers")
