"""Waiting with a limit."""

import time


class TimedOut(AssertionError):
    """What was waited for did not come in time."""


def wait_until(condition, timeout, what, interval=0.1):
    """Returns the first true value of condition(); raises TimedOut, which names `what`, after `timeout` s.

    `what` is a string, or a function that describes the state at the end.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise TimedOut(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(interval)
