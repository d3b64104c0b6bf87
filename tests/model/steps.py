"""The steps of a random walk: each does something, and changes the model in the same way.

A step returns what it has done in words, or nothing if there is no occasion for it. Those that run the program say how
one tells whether it was done: for the time when it is killed in the middle.
"""

from guest_steps import GuestSteps
from package_steps import PackageSteps
from point_steps import PointSteps


class Steps(GuestSteps, PointSteps, PackageSteps):
    pass
