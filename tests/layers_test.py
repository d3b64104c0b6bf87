#!/usr/bin/python3
"""Shows that tests/layers.py finds each kind of breach, and accepts a tree without one."""
import tempfile
import unittest
from pathlib import Path

import layers

GOOD = {
    "CMakeLists.txt": "add_subdirectory(src/base)\nadd_subdirectory(src/store)\n",
    "src/base/CMakeLists.txt": "cohort_library(base SOURCES clock.cc LINKS fmt::fmt)\n",
    "src/base/clock.h": "#pragma once\n",
    "src/base/clock.cc": '#include "base/clock.h"\n\n#include <fmt/format.h>\n',
    "src/store/CMakeLists.txt": "cohort_library(store SOURCES store.cc LINKS cohort_service)\n"
                                "cohort_test(store SOURCES store_test.cc LINKS cohort_store)\n",
    "src/store/store.cc": '#include <SQLiteCpp/SQLiteCpp.h>\n#include "service/ports/state_store.h"\n',
    "src/store/store_test.cc": '#include "service/testing/fake_state_store.h"\n',
}


class Layers(unittest.TestCase):
    def problems(self, changes):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**GOOD, **changes}.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(layers.problems(Path(folder)))

    def assert_found(self, changes, *words):
        found = self.problems(changes)
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_accepts_a_tree_that_keeps_the_rules(self):
        self.assertEqual(self.problems({}), [])

    def test_finds_an_include_against_the_arrows(self):
        self.assert_found({"src/base/clock.cc": '#include "domain/ids.h"\n'}, "clock.cc", "base may not use domain")

    def test_finds_a_link_against_the_arrows(self):
        build_list = "cohort_library(base SOURCES clock.cc LINKS\n  cohort_store)\n"
        self.assert_found({"src/base/CMakeLists.txt": build_list}, "base may not link store")

    def test_finds_an_include_without_a_folder(self):
        self.assert_found({"src/base/clock.cc": '#include "clock.h"\n'}, "does not begin with a folder")

    def test_finds_an_include_written_with_odd_spaces(self):
        self.assert_found({"src/base/clock.cc": '  #  include   "store/x.h"\n'}, "base may not use store")

    def test_finds_a_library_outside_its_folder(self):
        self.assert_found({"src/base/clock.cc": "#include <libvirt/libvirt.h>\n"}, "belongs in hypervisor")

    def test_finds_sqlite_outside_the_store(self):
        self.assert_found({"src/base/clock.cc": "#include <sqlite3.h>\n"}, "belongs in store")

    def test_finds_a_fake_in_the_program(self):
        fake = '#include "service/testing/fake_state_store.h"\n'
        self.assert_found({"src/store/store.cc": fake}, "for tests alone")

    def test_finds_a_long_source(self):
        self.assert_found({"src/base/clock.cc": "\n" * 501}, "501 lines")

    def test_finds_a_long_header(self):
        self.assert_found({"src/base/clock.h": "#pragma once\n" + "\n" * 250}, "251 lines")

    def test_finds_a_long_test_and_accepts_one_of_medium_size(self):
        self.assertEqual(self.problems({"src/store/store_test.cc": "\n" * 800}), [])
        self.assert_found({"src/store/store_test.cc": "\n" * 801}, "801 lines")

    def test_finds_a_header_without_pragma_once(self):
        self.assert_found({"src/base/clock.h": "// #pragma once\n"}, "no #pragma once")

    def test_finds_a_test_that_is_not_built(self):
        self.assert_found({"src/base/clock_test.cc": ""}, "clock_test.cc", "not built")

    def test_takes_no_comment_for_a_build_list(self):
        build_list = "cohort_library(base SOURCES clock.cc)\n# clock_test.cc\n"
        self.assert_found({"src/base/CMakeLists.txt": build_list, "src/base/clock_test.cc": ""}, "not built")

    def test_finds_a_folder_that_the_build_does_not_reach(self):
        build_list = "cohort_test(contract SOURCES x_test.cc)\n"
        self.assert_found({"tests/contract/CMakeLists.txt": build_list}, "tests/contract", "no add_subdirectory")

    def test_finds_a_folder_without_a_layer(self):
        found = self.problems({"src/misc/x.h": "#pragma once\n"})
        self.assertTrue(any("not in the table" in problem for problem in found), found)

    def test_fails_on_an_empty_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(len(list(layers.problems(Path(folder)))), 1)


if __name__ == "__main__":
    unittest.main()
