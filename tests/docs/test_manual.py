"""Help and manual pages: there for every command, without formatting errors, and equal to the tables they repeat."""
import os
import re
import subprocess

import pytest

from conftest import ROOT, run_cohort, run_cohortd, verbs

each_verb = pytest.mark.parametrize("verb", verbs(), ids=" ".join)


def page_of(*words):
    """The source of a manual page."""
    done = run_cohort("help", "--man", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def formatted(page):
    """The page as people read it, on very long lines; fails on any warning of the formatter."""
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-c", "-rLL=2000n"], input=page, text=True,
                          capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout)


def exit_statuses_of_the_program():
    """{number: name} from the table in the source."""
    source = (ROOT / "src/cli/exit_code.cc").read_text()
    rows = re.findall(r"\{ErrorCode::k(\w+), (\d+),", source)
    assert len(rows) > 10
    return {int(number): re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name, number in rows}


def test_there_are_verbs():
    assert len(verbs()) > 15


@each_verb
def test_a_command_explains_itself(verb):
    done = run_cohort(*verb, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(done.stdout.split("\n")) > 4


@each_verb
def test_a_command_has_a_manual_page_that_formats_without_warnings(verb):
    text = formatted(page_of(*verb))
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION"):
        assert re.search(rf"^{section}", text, re.MULTILINE), section


@each_verb
def test_every_option_in_help_is_in_the_manual(verb):
    text = formatted(page_of(*verb))
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", run_cohort(*verb, "--help").stdout))
    own = {option for option in options if option not in text}
    # Options that every command has may be explained on the program's page alone.
    assert {option for option in own if option not in formatted(page_of())} == set()


def test_the_program_and_every_noun_have_a_page():
    for noun in sorted({verb[0] for verb in verbs()}):
        formatted(page_of(noun))
    assert "cohort" in formatted(page_of())


def test_the_manual_lists_the_exit_statuses_of_the_program():
    text = formatted(page_of())
    section = re.search(r"^EXIT STATUS\n(.*?)(?=^\S)", text, re.MULTILINE | re.DOTALL)
    assert section, "no section EXIT STATUS"
    listed = {int(number) for number in re.findall(r"^\s+(\d+)\b", section.group(1), re.MULTILINE)}
    assert listed == {0} | set(exit_statuses_of_the_program())


def test_the_document_on_json_lists_the_exit_statuses_of_the_program():
    rows = re.findall(r"^\| (\d+) \| `?(\w*)`? \|", (ROOT / "docs/json.md").read_text(), re.MULTILINE)
    listed = {int(number): name for number, name in rows if name}
    assert listed == exit_statuses_of_the_program()


def test_an_unknown_command_ends_with_the_status_of_an_invalid_argument():
    assert run_cohort("frobnicate").returncode == 2


# The daemon

@pytest.mark.parametrize("page", ["cohortd", "cohortd.conf"])
def test_the_daemon_has_manual_pages_that_format_without_warnings(page):
    text = formatted(run_cohortd("--man", page).stdout)
    for section in ("NAME", "DESCRIPTION", "SEE ALSO"):
        assert re.search(rf"^{section}", text, re.MULTILINE), section


def test_every_option_of_the_daemon_is_in_its_manual():
    text = formatted(run_cohortd("--man", "cohortd").stdout)
    for words in ((), ("user", "add"), ("user", "remove")):
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", run_cohortd(*words, "--help").stdout))
        assert options and {option for option in options if option not in text} == set()


def test_every_setting_of_the_daemon_is_in_its_manual():
    text = formatted(run_cohortd("--man", "cohortd.conf").stdout)
    keys = re.findall(r"^#(\w+) =", run_cohortd("--example-config").stdout, re.MULTILINE)
    assert len(keys) > 15
    assert [key for key in keys if not re.search(rf"^\s+{key}\b", text, re.MULTILINE)] == []
