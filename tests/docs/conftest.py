"""Where the repository and the program are, and what the sources say of the program's verbs."""
import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

# Verbs that nobody types: completion's own, and the printer of manual pages.
HIDDEN = {"complete", "help"}


@functools.lru_cache(maxsize=None)
def run_cohort(*arguments):
    program = os.environ.get("COHORT", str(ROOT / "build/dev/src/cli/cohort"))
    return subprocess.run([program, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)


@functools.lru_cache(maxsize=None)
def run_cohortd(*arguments):
    program = os.environ.get("COHORTD", str(ROOT / "build/dev/src/daemon/cohortd"))
    return subprocess.run([program, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def verbs():
    """The words of every command, as tuples: one source in src/cli/verbs for each."""
    names = sorted(path.stem for path in (ROOT / "src/cli/verbs").glob("*.cc"))
    return [tuple(name.split("_")) for name in names if name not in HIDDEN and not name.endswith("_test")]


@pytest.fixture
def cohort():
    return run_cohort


def documents():
    """Every Markdown file of the project."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).exists()]
