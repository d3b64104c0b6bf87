"""What all crash tests share: libvirt runs, and one set of machines, made anew after a test that failed."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crash_site import Site  # noqa: E402
from harness import Lab, daemons  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def libvirt_runs():
    daemons.ensure()


class Sites:
    """At most one site at a time."""

    def __init__(self):
        self.current = None

    def get(self):
        if self.current is None:
            site = Site(Lab())
            try:
                site.begin()
            except BaseException:
                site.lab.close()
                raise
            self.current = site
        return self.current

    def drop(self):
        if self.current is not None:
            self.current.lab.close()
        self.current = None


@pytest.fixture(scope="session")
def sites():
    made = Sites()
    yield made
    made.drop()


@pytest.fixture
def site(request, sites):
    yield sites.get()
    if getattr(request.node, "has_failed", True):
        sites.drop()  # the next test must not stumble over what this one has left


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.has_failed = outcome.get_result().failed
