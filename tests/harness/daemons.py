"""Starts libvirt's daemons where no service manager does."""

import os
import subprocess
from pathlib import Path

import libvirt

from .waiting import wait_until

URI = "qemu:///system"

# Errors are raised as exceptions; libvirt's own copy on stderr would only clutter the output.
libvirt.registerErrorHandler(lambda _context, _error: None, None)


def is_running(program):
    """Whether a process of that name runs, as the superuser's daemon."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "comm").read_text().strip() == program and entry.stat().st_uid == 0:
                return True
        except OSError:
            continue
    return False


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
        if not is_running(program):
            subprocess.run([program, "-d"], check=True, stdin=subprocess.DEVNULL, close_fds=True,
                           env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    wait_until(answers, timeout, f"{URI} answers")
