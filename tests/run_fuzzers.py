#!/usr/bin/python3
"""Replays each fuzzer's corpus, then lets it search.

  tests/run_fuzzers.py BUILD CORPORA --seconds N --results DIR

BUILD holds the programs fuzz_<name>; CORPORA/<name>/ their seeds. What a fuzzer finds on the way is kept in
BUILD/grown/<name>/, so that the next run starts there. Writes DIR/fuzz.xml; the inputs that broke something are in DIR.
"""
import argparse
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

# A finding of either sanitizer ends the fuzzer, which keeps the input.
os.environ.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]


def run(command):
    print("+", " ".join(map(str, command)), flush=True)
    return subprocess.run(command, stdout=sys.stdout, stderr=subprocess.STDOUT).returncode == 0


def fuzz(program, seeds, options):
    """[(what was done, whether it went well)] of one fuzzer."""
    name = program.name.removeprefix("fuzz_")
    grown = program.parent / "grown" / name
    grown.mkdir(parents=True, exist_ok=True)
    corpus = seeds / name
    artifacts = [f"-artifact_prefix={options.results}/{name}-"]
    if not corpus.is_dir() or not any(corpus.iterdir()):
        print(f"{name}: no corpus at {corpus}")
        return [(f"{name}.replay", False)]
    replayed = run([program, "-runs=0", *LIMITS, *artifacts, corpus, grown])
    searched = run([program, f"-max_total_time={options.seconds}", *LIMITS, *artifacts, grown, corpus])
    return [(f"{name}.replay", replayed), (f"{name}.search", searched)]


def write_report(rows, path):
    suite = ElementTree.Element("testsuite", name="fuzz")
    for name, went_well in rows:
        case = ElementTree.SubElement(suite, "testcase", classname="fuzz", name=name)
        if not went_well:
            ElementTree.SubElement(case, "failure", message="see the log")
    ElementTree.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--results", type=Path, required=True)
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    rows = []
    for program in sorted(path for path in options.build.glob("fuzz_*") if path.is_file()):
        rows += fuzz(program, options.corpora, options)
    write_report(rows, options.results / "fuzz.xml")
    return 0 if rows and all(went_well for _, went_well in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
