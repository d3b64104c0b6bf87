"""The command: exit codes, one JSON document for every verb, completion, text for people."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from harness.images import REPOSITORY
from package_steps import EXIT_CODES, SLOW, ended, names_in, refused, running_job
from world import bare_machine, take


@pytest.fixture(scope="module")
def machine(lab):
    return bare_machine(lab, "one ä", disks=("qcow2", "raw"))


@pytest.fixture(scope="module")
def other(lab):
    return bare_machine(lab, "other")


# The completion script, which also knows all the commands

def bash(lab, script, *words):
    """Runs bash with the completion loaded; $@ are the words."""
    program = lab.cohort_command()[0]
    done = subprocess.run(["bash", "-c", f'source <("$0" completion bash) || exit 9; {script}', program, *words],
                          text=True, capture_output=True, timeout=120, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.splitlines()


def completions(lab, *words):
    """What bash offers for the last word of a command line; the program is the first."""
    script = ('COMP_WORDS=("$0" "$@"); COMP_CWORD=$#; _cohort; '
              '[[ ${#COMPREPLY[@]} == 0 ]] || printf "%s\\n" "${COMPREPLY[@]}"')
    return bash(lab, script, *words)


def every_verb(lab):
    """All nouns with their verbs, as (noun, verb) or (verb,)."""
    found = []
    for noun in bash(lab, "_cohort_commands cohort | xargs -n1"):
        verbs = bash(lab, '_cohort_commands "cohort $1" | xargs -rn1', noun)
        found += [(noun, verb) for verb in verbs] or [(noun,)]
    return found


def test_the_completion_script_registers_itself(lab):
    assert bash(lab, "complete -p cohort") == ["complete -F _cohort cohort"]


def test_what_is_installed_works_by_itself(lab):
    """With the guard, without which no running machine may be made to stand still, and with its manual."""
    build = Path(os.environ.get("COHORT_BUILD", REPOSITORY / "build" / "dev"))
    prefix = lab.folder / "installed"
    subprocess.run(["cmake", "--install", build, "--prefix", prefix], check=True, capture_output=True)
    assert os.access(prefix / "libexec" / "cohort" / "cohort-guard", os.X_OK)
    assert (prefix / "share" / "man" / "man1" / "cohort-snapshot.1").stat().st_size > 0
    guest = lab.guest("of the installed").start()
    program = [prefix / "bin" / "cohort", "--state", lab.folder / "installed state"]
    for words in (["collection", "create", "installed", guest.name], ["snapshot", "take", "installed", "--name", "one"],
                  ["snapshot", "delete", "one"]):
        done = subprocess.run([*program, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_nouns_verbs_and_options_are_completed(lab):
    assert set(completions(lab, "")) >= {"collection", "snapshot", "reference", "export", "verify", "import", "backup", "job", "vm",
                                         "host"}
    assert completions(lab, "coll") == ["collection"]
    assert set(completions(lab, "snapshot", "")) == {"take", "list", "show", "apply", "delete"}
    assert set(completions(lab, "job", "")) == {"list", "show", "wait", "cancel"}
    assert completions(lab, "import", "--keep") == ["--keep-ids"]
    assert "--rate-limit" in completions(lab, "backup", "--")
    assert set(completions(lab, "export", "s", "d", "--format", "")) == {"qcow2", "raw"}
    assert set(completions(lab, "try", "d", "--network", "")) == {"none", "isolated"}


def test_names_are_completed_from_the_state_and_the_hypervisor(lab, machine):
    lab.cohort("collection", "create", "to complete", machine.name)
    state = ("--state", str(lab.state))
    assert completions(lab, *state, "collection", "show", "to") == ["to\\ complete"]
    assert completions(lab, *state, "snapshot", "take", "'to") == ["to complete"]
    offered = completions(lab, *state, "collection", "create", "new", f"'{machine.name[:-1]}")
    assert offered == [machine.name]
    lab.cohort("collection", "delete", "to complete")
    assert completions(lab, *state, "collection", "show", "to") == []


# JSON and exit codes

def a_day(lab, machine, other):
    """A command for every verb that succeeds, in an order in which they can, with the field that answers it."""
    package, storage = lab.folder / "package", lab.new_folder("storage")
    yield ("host", "check"), (), "host"
    yield ("vm", "list"), (), "machines"
    yield ("collection", "create"), ("day", machine.name), "collection"
    yield ("collection", "add"), ("day", other.name), "collection"
    yield ("collection", "remove"), ("day", other.name), "collection"
    yield ("collection", "rename"), ("day", "night"), "collection"
    yield ("collection", "show"), ("night",), "collection"
    yield ("collection", "list"), (), "collections"
    yield ("snapshot", "take"), ("night", "--name", "s", "--dry-run"), "dry_run"
    yield ("snapshot", "take"), ("night", "--name", "s"), "snapshot"
    yield ("snapshot", "show"), ("s",), "snapshot"
    yield ("snapshot", "list"), (), "snapshots"
    yield ("export",), ("s", package, "--dry-run"), "dry_run"
    yield ("export",), ("s", package), "export"
    lab.cohort("snapshot", "take", "night", "--name", "t")
    lab.cohort("export", "t", lab.folder / "difference", "--since", package)
    lab.cohort("snapshot", "delete", "t")
    yield ("reference", "create"), ("night", "--name", "r", "--dry-run"), "dry_run"
    yield ("reference", "create"), ("night", "--name", "r"), "reference_point"
    lab.cohort("snapshot", "take", "night", "--name", "u")
    yield ("reference", "convert"), ("u",), "reference_point"
    yield ("reference", "show"), ("u",), "reference_point"
    yield ("reference", "list"), (), "reference_points"
    yield ("reference", "export"), ("u", lab.folder / "of u", "--dry-run"), "dry_run"
    yield ("reference", "export"), ("u", lab.folder / "of u"), "export"
    yield ("reference", "delete"), ("u", "--dry-run"), "dry_run"
    yield ("reference", "delete"), ("u",), "deleted"
    lab.cohort("reference", "delete", "r")
    yield ("package", "list"), (lab.folder,), "packages"
    yield ("package", "show"), (lab.folder / "difference",), "package"
    yield ("package", "merge"), (lab.folder / "difference", lab.folder / "merged", "--dry-run"), "dry_run"
    yield ("package", "merge"), (lab.folder / "difference", lab.folder / "merged"), "merge"
    yield ("package", "prune"), (lab.folder, "--keep-last", "9", "--dry-run"), "dry_run"
    yield ("package", "prune"), (lab.folder, "--keep-last", "9"), "prune"
    lab.cohort("snapshot", "take", "night", "--name", "v", "--standard")
    yield ("snapshot", "apply"), ("v", "--dry-run"), "dry_run"
    yield ("snapshot", "apply"), ("v",), "applied"
    lab.cohort("snapshot", "delete", "v")
    yield ("snapshot", "delete"), ("s", "--dry-run"), "dry_run"
    yield ("snapshot", "delete"), ("s",), "deleted"
    yield ("verify",), (package,), "verify"
    options = (package, "--name-prefix", "cohort-test-day ", "--storage", storage)
    yield ("import",), (*options, "--dry-run"), "dry_run"
    yield ("import",), options, "import"
    yield ("try",), (package, "--name-prefix", "cohort-test-day try ", "--dry-run"), "dry_run"
    yield ("try",), (package, "--name-prefix", "cohort-test-day try ", "--for", "1s"), "try"
    yield ("backup",), ("night", lab.folder / "backup", "--full", "--dry-run"), "dry_run"
    yield ("backup",), ("night", lab.folder / "backup", "--full"), "backup"
    yield ("job", "list"), (), "jobs"
    job = lab.cohort("job", "list").json["jobs"][0]["id"]
    yield ("job", "show"), (job,), "job"
    yield ("job", "wait"), (job,), "job"
    yield ("collection", "delete"), ("night",), "collection"
    yield ("completion",), ("bash",), "script"


def test_every_verb_answers_with_one_json_document(lab, machine, other):
    seen = set()
    for verb, arguments, field in a_day(lab, machine, other):
        ran = lab.cohort(*verb, *arguments)
        assert ran.json is not None, f"{verb}: {ran.out}"
        assert next(iter(ran.json)) == field, verb
        if field == "dry_run":
            assert ran.json["dry_run"] is True and isinstance(ran.json["plan"], dict)
        seen.add(verb)
    doctor = lab.cohort("host", "doctor", check=False)
    assert doctor.rc in (0, 5) and next(iter(doctor.json)) == "doctor"  # others may be amiss on this host
    # A running job is needed for the last one; other tests have it.
    assert seen | {("host", "doctor"), ("job", "cancel")} == set(every_verb(lab))


MISSING = "no-such-thing"
FAILING = {
    ("collection", "create"): ("new", MISSING),
    ("collection", "show"): (MISSING,),
    ("collection", "rename"): (MISSING, "other"),
    ("collection", "delete"): (MISSING,),
    ("collection", "add"): (MISSING, MISSING),
    ("collection", "remove"): (MISSING, MISSING),
    ("collection", "list"): None,
    ("snapshot", "take"): (MISSING,),
    ("snapshot", "list"): None,
    ("snapshot", "show"): (MISSING,),
    ("snapshot", "apply"): (MISSING,),
    ("snapshot", "delete"): (MISSING,),
    ("reference", "create"): (MISSING,),
    ("reference", "convert"): (MISSING,),
    ("reference", "list"): None,
    ("reference", "show"): (MISSING,),
    ("reference", "export"): (MISSING, "/nowhere"),
    ("reference", "delete"): (MISSING,),
    ("export",): (MISSING, "/nowhere"),
    ("verify",): ("/no-such-thing",),
    ("import",): ("/no-such-thing",),
    ("try",): ("/no-such-thing",),
    ("backup",): (MISSING, "/nowhere"),
    ("package", "list"): ("/no-such-thing",),
    ("package", "show"): ("/no-such-thing",),
    ("package", "merge"): ("/no-such-thing", "/nowhere"),
    ("package", "prune"): ("/no-such-thing", "--keep-last", "1"),
    ("job", "list"): None,
    ("job", "show"): (MISSING,),
    ("job", "wait"): (MISSING,),
    ("job", "cancel"): (MISSING,),
    ("vm", "list"): None,
    ("host", "check"): None,
    ("host", "doctor"): ("--folder", "/no-such-thing"),
    ("completion",): None,
}


def test_every_verb_says_in_json_what_is_not_there(lab):
    assert set(FAILING) == set(every_verb(lab))
    for verb, arguments in FAILING.items():
        if arguments is not None:
            assert MISSING in refused(lab, "not_found", *verb, *arguments)


def test_every_verb_refuses_what_it_does_not_know(lab):
    for verb in every_verb(lab):
        refused(lab, "invalid_argument", *verb, "--nonsense")
    assert "--nonsense" in refused(lab, "invalid_argument", "vm", "list", "--nonsense")


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("collection",), ("collection", "nonsense"), ("export",),
                                       ("export", "one"), ("snapshot", "take", "c", "--deadline", "soon"),
                                       ("export", "s", "/d", "--format", "vmdk"),
                                       ("export", "s", "/d", "--rate-limit", "fast"),
                                       ("import", "/d", "--name", "only-one"), ("collection", "create", "")])
def test_wrong_usage_has_status_2(lab, arguments):
    refused(lab, "invalid_argument", *arguments)
    ran = lab.cohort(*arguments, json=False, check=False)
    assert (ran.rc, ran.out) == (2, "")
    assert ran.err.startswith("cohort: ")


def test_the_exit_codes_are_those_of_the_documentation(lab):
    rows = [line.split("|") for line in (REPOSITORY / "docs/json.md").read_text().splitlines()]
    documented = {row[2].strip().strip("`"): int(row[1]) for row in rows
                  if len(row) == 5 and row[1].strip().isdigit() and row[2].strip()}
    assert documented == EXIT_CODES


def test_an_error_for_people_goes_to_stderr(lab):
    ran = lab.cohort("collection", "show", MISSING, json=False, check=False)
    assert (ran.rc, ran.out) == (3, "")
    assert MISSING in ran.err and "{" not in ran.err


def test_version_and_help(lab):
    version = lab.cohort("--version").json["version"]
    assert version in lab.cohort("--version", json=False).out
    for verb in every_verb(lab):
        text = lab.cohort(*verb, "--help", json=False)
        assert f"Usage: cohort {' '.join(verb)}" in text.out and text.err == ""
    assert ".TH" in lab.cohort("help", "export", "--man", json=False).out


# Machines and the host

def test_the_machines_are_those_of_libvirt(lab, machine, other):
    def of_libvirt():
        return {(domain.UUIDString(), domain.name()) for domain in lab.connection.listAllDomains()}
    before = of_libvirt()
    listed = {(each["id"], each["name"]): each for each in lab.cohort("vm", "list").json["machines"]}
    # Machines of others may come and go meanwhile.
    assert before & of_libvirt() <= set(listed) <= before | of_libvirt()
    for guest in (machine, other):
        assert listed[guest.uuid, guest.name]["power"] == "off"
        assert listed[guest.uuid, guest.name]["persistent"] is True
    table = lab.cohort("vm", "list", json=False).out
    assert any(machine.name in line and "off" in line for line in table.splitlines())


def test_a_machine_is_shown_as_running_and_paused(lab, other):
    def power():
        machines = lab.cohort("vm", "list").json["machines"]
        return next(each["power"] for each in machines if each["id"] == other.uuid)
    other.start(paused=True)
    assert power() == "paused"
    other.resume()
    assert power() == "running"
    other.destroy()
    assert power() == "off"


def test_this_host_is_usable(lab):
    host = lab.cohort("host", "check").json["host"]
    assert host["usable"] is True and host["can_snapshot"] is True and host["measures_pauses"] is True
    assert host["uri"] == "qemu:///system"
    number = lab.connection.getVersion()
    assert host["hypervisor_version"] == f"{number // 10**6}.{number // 1000 % 1000}.{number % 1000}"
    number = lab.connection.getLibVersion()
    assert host["library_version"] == f"{number // 10**6}.{number // 1000 % 1000}.{number % 1000}"
    assert {item["finding"] for item in host["items"]} <= {"ok", "warning"}
    assert any(item["id"].startswith("free_space") for item in host["items"])
    text = lab.cohort("host", "check", json=False).out
    assert host["library_version"] in text and host["hypervisor_version"] in text


# Progress

@pytest.fixture(scope="module")
def snapshot(lab):
    guest = lab.guest("still")
    lab.cohort("collection", "create", "still", guest.name)
    return take(lab, "still", "still")


def read_until(descriptor, done, timeout):
    """Reads a terminal until done(text), within a limit; returns the text."""
    text = ""
    limit = time.monotonic() + timeout
    while not done(text) and time.monotonic() < limit:
        if select.select([descriptor], [], [], 0.5)[0]:
            text += os.read(descriptor, 4096).decode(errors="replace")
    return text


def shows_progress(text):
    return all(part in text for part in ("copying", "[", " %", " of ", "/s"))


def test_a_terminal_gets_a_progress_bar(lab, snapshot):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))
    try:
        program = subprocess.Popen(lab.cohort_command("export", "still", lab.folder / "bar", *SLOW), stdout=slave,
                                   stderr=slave, stdin=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"})
        text = read_until(master, shows_progress, 120)
        program.send_signal(signal.SIGINT)
        text += read_until(master, lambda _: program.poll() is not None, 120)
        assert program.wait(timeout=60) == 130
    finally:
        program.kill()
        os.close(master)
        os.close(slave)
    assert shows_progress(text), text
    assert "\r" in text
    assert "bar" not in names_in(lab.folder) and "bar.partial" not in names_in(lab.folder)


def test_a_pipe_gets_plain_lines_and_json_stays_alone_on_stdout(lab, snapshot):
    program = lab.cohort_start("export", "still", lab.folder / "piped", *SLOW, json=True)
    running_job(lab, "export")
    program.send_signal(signal.SIGINT)
    status, out, err = ended(program)
    assert status == 130
    assert json.loads(out)["error"]["code"] == "cancelled"
    assert "\x1b" not in err and "\r" not in err
    assert "Cancelling" in err
