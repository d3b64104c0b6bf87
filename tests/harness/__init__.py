"""Real guests for Cohort's tests: makes them, runs them, looks into their disks, leaves nothing behind.

    with Lab() as lab:
        guest = lab.guest("db", role="writer")
        guest.start().wait_ready()
        lab.cohort("snapshot", "take", "nightly")
        guest.destroy()
        assert not inspect.token_faults([inspect.tokens(guest.image("data"))])
"""

from . import daemons, inspect
from .domain import Guest
from .images import Disk
from .lab import CohortFailed, Lab, cleanup_leftovers
from .waiting import TimedOut, wait_until

__all__ = ["CohortFailed", "Disk", "Guest", "Lab", "TimedOut", "cleanup_leftovers", "daemons", "inspect",
           "wait_until"]
