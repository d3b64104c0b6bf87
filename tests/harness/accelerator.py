"""Whether test guests can run on KVM: a host may have the device, and yet no guest starts on it."""

import functools
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from .images import boot_image

_ENOUGH_S = 15  # KVM that works takes two


@functools.lru_cache(maxsize=None)
def is_kvm_usable():
    """Boots the test guest with it, once in each process."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with tempfile.TemporaryDirectory(prefix="cohort-test-", dir="/var/tmp") as folder:
        if _boots(Path(folder)):
            return True
    print(f"/dev/kvm is there, but no guest started on it within {_ENOUGH_S} s: QEMU emulates", file=sys.stderr)
    return False


def _boots(folder):
    """True once the guest's own program has said a word."""
    # The folder's name is in the arguments, by which a guest that is left behind is found.
    drive = f"if=virtio,format=raw,snapshot=on,file={boot_image('cloud')}"
    program = subprocess.Popen(
        ["qemu-system-x86_64", "-machine", "q35,accel=kvm", "-cpu", "host", "-m", "128", "-nodefaults", "-display", "none",
         "-pidfile", folder / "pid", "-serial", "stdio", "-drive", drive],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    timer = threading.Timer(_ENOUGH_S, program.kill)
    timer.start()
    try:
        return any(b"cohort-test-guest: ready" in line for line in program.stdout)
    finally:
        timer.cancel()
        program.kill()
        program.wait()
        program.stdout.close()
