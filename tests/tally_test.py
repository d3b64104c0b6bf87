#!/usr/bin/python3
"""Shows that tests/tally.py counts every kind of outcome, and lets no failure pass."""
import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import tally

GTEST = """<testsuites><testsuite name="Clock">
<testcase name="Ticks" classname="Clock" status="run" result="completed"/>
<testcase name="Waits" classname="Clock" status="run" result="skipped"><skipped message="no tmpfs"/></testcase>
%s</testsuite></testsuites>"""
GTEST_FAILURE = '<testcase name="Stops" classname="Clock" status="run"><failure message="1 != 2"/></testcase>'
CTEST = '<testsuite><testcase name="base" classname="base" status="%s"/>%s</testsuite>'


class Tally(unittest.TestCase):
    def tally(self, steps, files, allowed="unit/Clock.W*\n"):
        """(exit status, last line) of a run with these steps and reports."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {"steps": steps, "allowed": allowed, **files}.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                status = tally.main(Path(folder), Path(folder, "allowed"))
            return status, output.getvalue().splitlines()[-1]

    def test_a_step_without_reports_counts_once(self):
        self.assertEqual(self.tally("build\tpassed\n", {}), (0, "1 passed, 0 failed, 0 skipped"))
        self.assertEqual(self.tally("build\tfailed\n", {}), (1, "0 passed, 1 failed, 0 skipped"))

    def test_counts_the_cases_of_a_program_but_not_the_program(self):
        files = {"unit/cohort_base_test.xml": GTEST % "", "unit/ctest.xml": CTEST % ("run", "")}
        self.assertEqual(self.tally("unit\tpassed\n", files), (0, "1 passed, 0 failed, 1 skipped"))

    def test_a_failed_case_fails_the_run(self):
        files = {"unit/cohort_base_test.xml": GTEST % GTEST_FAILURE, "unit/ctest.xml": CTEST % ("fail", "")}
        self.assertEqual(self.tally("unit\tfailed\n", files), (1, "1 passed, 1 failed, 1 skipped"))

    def test_a_program_that_crashed_without_a_report_counts_as_failed(self):
        files = {"unit/ctest.xml": CTEST % ("fail", '<testcase name="man" classname="man" status="run"/>')}
        self.assertEqual(self.tally("unit\tfailed\n", files), (1, "1 passed, 1 failed, 0 skipped"))

    def test_a_program_that_crashed_after_an_older_report_counts_as_failed(self):
        files = {"unit/cohort_base_test.xml": GTEST % "", "unit/ctest.xml": CTEST % ("fail", "")}
        self.assertEqual(self.tally("unit\tfailed\n", files), (1, "1 passed, 1 failed, 1 skipped"))

    def test_a_step_that_failed_although_its_reports_are_good_counts_as_failed(self):
        files = {"e2e/pytest.xml": '<testsuite><testcase name="a" classname="b"/></testsuite>'}
        self.assertEqual(self.tally("e2e\tfailed\n", files), (1, "1 passed, 1 failed, 0 skipped"))

    def test_a_skip_that_is_not_listed_fails_the_run(self):
        files = {"unit/cohort_base_test.xml": GTEST % ""}
        self.assertEqual(self.tally("unit\tpassed\n", files, allowed="# unit/Clock.*\n"),
                         (1, "1 passed, 0 failed, 1 skipped"))

    def test_a_broken_report_counts_as_failed(self):
        self.assertEqual(self.tally("e2e\tpassed\n", {"e2e/pytest.xml": "<testsuite>"}),
                         (1, "0 passed, 1 failed, 0 skipped"))

    def test_a_run_without_a_step_fails(self):
        self.assertEqual(self.tally("", {})[0], 1)


if __name__ == "__main__":
    unittest.main()
