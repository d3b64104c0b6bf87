"""The measurement that docs/performance.md describes still runs; what it says of this host counts for nothing."""
import json
import os
import subprocess
import xml.etree.ElementTree as ElementTree

from conftest import ROOT

SHAPES = ("half-full raw", "half-full raw to raw", "half-full qcow2", "fragmented qcow2",
          "1 TiB sparse, scattered pieces of 64 KiB")


def test_exports_of_small_disks_are_measured(tmp_path):
    plot = tmp_path / "export.svg"
    programs = {"COHORT_BENCH_COPY": str(ROOT / "build/dev/bench/cohort-bench-copy")}
    done = subprocess.run([ROOT / "bench/run", "export", "--data", "16", "--rounds", "1", "--only", "disks", "--json",
                           "--plot", plot], capture_output=True, text=True, env={**os.environ, **programs})
    assert done.returncode in (0, 1), done.stderr  # 1: a goal was missed
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows, done.stderr
    cases = {row["case"] for row in rows}
    for shape in SHAPES:
        assert [word for word in ("cold", "warm") if any(case.startswith(shape + " on ") and case.endswith(word)
                                                         for case in cases)] == ["cold", "warm"], shape
    for begin in (*SHAPES, "four raw disks", "difference of 1 %"):
        assert any(case.startswith(begin) and case.endswith("peak memory") for case in cases), begin
    assert all(row["ours"] > 0 for row in rows)
    assert all(row["met"] for row in rows if row["case"].endswith("peak memory"))
    bars = ElementTree.parse(plot).findall(".//{http://www.w3.org/2000/svg}rect")
    assert len(bars) == sum(row["ratio"] is not None for row in rows)
