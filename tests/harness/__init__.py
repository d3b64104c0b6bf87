"""Real guests for Cohort's tests: makes them, runs them, looks into their disks, leaves nothing behind.

    with Lab() as lab:
        guest = lab.guest("db", role="writer")
        guest.start().wait_ready()
        lab.cohort("snapshot", "take", "nightly")
        guest.destroy()
        assert not inspect.token_faults([inspect.tokens(guest.image("data"))])
"""

import signal

from . import daemons, inspect
from .domain import Guest
from .images import Disk
from .lab import CohortFailed, Lab, cleanup_leftovers
from .storage import LimitedFolder, SharingFolder, SmallFileSystem
from .waiting import TimedOut, wait_until

__all__ = ["CohortFailed", "Disk", "Guest", "Lab", "LimitedFolder", "SharingFolder", "SmallFileSystem", "TimedOut",
           "cleanup_leftovers", "daemons", "inspect", "wait_until"]

# A shell that runs the tests in the background lets them ignore ctrl-C, and with them all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
