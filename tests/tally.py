#!/usr/bin/python3
"""Sums up a run of ./test.

  tests/tally.py RESULTS ALLOWED_SKIPS

RESULTS/steps has a line "<step>\t<passed|failed>" for each step; RESULTS/<step>/*.xml are its JUnit reports, if it
wrote any. A step without reports counts as one test. ALLOWED_SKIPS lists the tests that may be skipped, one glob
("<step>/<suite>.<test>") a line, with the reason as a comment above it. Prints what failed and what was skipped; the
last line is "N passed, N failed, N skipped". The status is 1 if a test failed or was skipped without leave.
"""
import fnmatch
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def outcome_of(case):
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return FAILED
    if case.find("skipped") is not None or case.get("result") == "skipped" or case.get("status") == "disabled":
        return SKIPPED
    return PASSED


def read_report(path):
    """[(name, outcome, reason)] of one JUnit file; a file that cannot be read counts as a failure."""
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except ElementTree.ParseError as error:
        return [(path.name, FAILED, f"not a report: {error}")]
    rows = []
    for case in cases:
        skipped = case.find("skipped")
        reason = "" if skipped is None else (skipped.get("message") or "").strip()
        rows.append((f"{case.get('classname')}.{case.get('name')}", outcome_of(case), reason))
    return rows


def read_ctest(folder):
    """The programs in ctest's own report that left no usable report: they crashed, timed out, or are no GoogleTest."""
    rows = []
    path = folder / "ctest.xml"
    for case in ElementTree.parse(path).iter("testcase") if path.exists() else []:
        own = folder / f"cohort_{case.get('name')}_test.xml"
        outcome = outcome_of(case)
        told = read_report(own) if own.exists() else []
        if not told or (outcome == FAILED and all(row[1] != FAILED for row in told)):
            rows.append((case.get("name"), outcome, ""))
    return rows


def rows_of_step(results, step, status):
    folder = results / step
    rows = read_ctest(folder)
    for path in sorted(folder.glob("*.xml")):
        if path.name != "ctest.xml":
            rows += read_report(path)
    if not rows or (status == FAILED and all(row[1] != FAILED for row in rows)):
        rows.append((step, status, ""))
    return [(f"{step}/{name}", outcome, reason) for name, outcome, reason in rows]


def allowed_globs(path):
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def main(results, allowed_skips):
    rows = []
    for line in (results / "steps").read_text().splitlines():
        rows += rows_of_step(results, *line.split("\t"))
    globs = allowed_globs(allowed_skips)
    counts = dict.fromkeys((PASSED, FAILED, SKIPPED), 0)
    unlisted = 0
    for name, outcome, reason in rows:
        counts[outcome] += 1
        listed = outcome != SKIPPED or any(fnmatch.fnmatchcase(name, glob) for glob in globs)
        unlisted += not listed
        if outcome != PASSED:
            note = "" if listed else "  (not in tests/allowed_skips: counts against the run)"
            print(f"{outcome}: {name}{': ' + reason if reason else ''}{note}")
    print(f"{counts[PASSED]} passed, {counts[FAILED]} failed, {counts[SKIPPED]} skipped")
    return 1 if counts[FAILED] or unlisted or not rows else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
