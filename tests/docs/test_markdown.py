"""The Markdown files: links lead somewhere, commands exist, and nothing of somebody's machine is in them."""
import re
import shlex

import pytest

from conftest import ROOT, documents, run_cohort, verbs

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:    |\$ )(?:[A-Z_]+=\S+ )?cohort (\S.*)$", re.MULTILINE)

document = pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))


def anchors(text):
    """The anchors that a renderer makes of the headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in HEADING.findall(text)}


@document
def test_relative_links_lead_to_something(path):
    broken = []
    for target in LINK.findall(CODE.sub("", path.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = path.parent / name if name else path
        if not linked.exists():
            broken.append(target)
        elif anchor and anchor not in anchors(linked.read_text()):
            broken.append(target)
    assert not broken


@document
def test_names_no_path_of_the_machine_it_was_written_on(path):
    assert not re.findall(r"/(?:home|work|root)/\S*", path.read_text())


@document
def test_has_no_trailing_spaces(path):
    assert [line for line in path.read_text().split("\n") if line != line.rstrip()] == []


def commands(path):
    return [shlex.split(line, comments=True) for line in COMMAND.findall(path.read_text())]


def all_commands():
    return sorted({tuple(words) for path in documents() for words in commands(path)})


def verb_of(words):
    """The command that a line calls; its options may stand anywhere."""
    plain = tuple(word for word in words if not word.startswith("-"))
    return next((verb for verb in verbs() if plain[:len(verb)] == verb), None)


def test_the_readme_shows_commands():
    assert len(commands(ROOT / "README.md")) > 10


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_a_command_that_is_shown_exists_with_its_options(words):
    if words[0].startswith("--"):
        assert run_cohort(words[0]).returncode == 0
        return
    verb = verb_of(words)
    assert verb, f"there is no command 'cohort {' '.join(words)}'"
    done = run_cohort(*verb, "--help")
    assert done.returncode == 0, done.stderr
    for option in (word.split("=")[0] for word in words if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", done.stdout), f"{option} is not in the help"
