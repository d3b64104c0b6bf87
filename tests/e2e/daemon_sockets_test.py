"""Sockets that a service manager passes: taken by their names, refused where they do not fit; and systemd's units."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from harness import wait_until
from harness.cim_clients import CimXmlClient
from harness.cohortd import Cohortd
from harness.images import REPOSITORY

LAUNCHER = REPOSITORY / "tests/harness/socket_launcher.py"
UNITS = ["cohortd.service", "cohortd-http.socket", "cohortd-https.socket", "cohortd-command.socket"]


@pytest.fixture(scope="module")
def prepared(lab):
    """A configuration with its users; no daemon runs."""
    made = Cohortd(lab.folder / "cohortd", lab.state, uri="test:///default")
    assert made.stop() == 0
    return made


def listening(family=socket.AF_INET, address=("127.0.0.1", 0)):
    made = socket.socket(family)
    made.bind(address)
    made.listen()
    return made


@contextlib.contextmanager
def started(prepared, sockets):
    """The program with sockets of these names; it is ended with the block."""
    log = prepared.folder / "passed.log"
    with open(log, "wb") as err:
        process = subprocess.Popen(
            [sys.executable, LAUNCHER, *(f"{name}={each.fileno()}" for name, each in sockets), "--", prepared.program(),
             "--config", prepared.configuration], stderr=err, pass_fds=[each.fileno() for _, each in sockets])
    try:
        yield process, log
    finally:
        process.kill()
        process.wait()


def test_passed_sockets_take_the_place_of_configured_addresses(lab, prepared):
    path = lab.state / "cohortd.socket"
    path.unlink(missing_ok=True)
    http, https = listening(), listening()
    sockets = [("http", http), ("https", https), ("command", listening(socket.AF_UNIX, str(path)))]
    # Whoever connects before it runs, waits.
    early = socket.create_connection(http.getsockname(), timeout=60)
    with started(prepared, sockets) as (process, log):
        early.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert early.recv(100).startswith(b"HTTP/1.1 401")
        wait_until(lambda: "notice started" in log.read_text(), 30, lambda: log.read_text())
        found = re.findall(r"listening: (https?)://127\.0\.0\.1:(\d+)", log.read_text())
        assert [(kind, int(port)) for kind, port in found[:2]] == [("http", http.getsockname()[1]),
                                                                  ("https", https.getsockname()[1])]
        assert [kind for kind, _ in found[2:]] == ["http"], "the status, at the address that is configured"
        prepared.port, prepared.tls_port = http.getsockname()[1], https.getsockname()[1]
        for tls in (False, True):
            assert len(CimXmlClient(prepared, "reader", tls).instances("Msvm_CollectionSnapshotService")) == 1
        lab.cohort("--connect", "test:///default", "job", "list")
        assert "notice command: " in log.read_text(), "carried out by the daemon"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.parametrize("name, family, address, said", [
    ("cohortd.socket", socket.AF_INET, ("127.0.0.1", 0), 'the name "cohortd.socket" was passed'),
    ("command", socket.AF_INET, ("127.0.0.1", 0), "no Unix socket"),
    ("http", socket.AF_INET, ("0.0.0.0", 0), "would send passwords for everybody to read"),
], ids=["unknown", "wrong kind", "plain everywhere"])
def test_a_socket_that_does_not_fit_is_refused(prepared, name, family, address, said):
    with started(prepared, [(name, listening(family, address))]) as (process, log):
        assert process.wait(60) == 2, log.read_text()
        assert "error failed: " in log.read_text() and said in log.read_text()


def test_systemd_passes_them(prepared):
    """systemd-socket-activate starts the program at the first connection."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    log = prepared.folder / "activated.log"
    with open(log, "wb") as err:
        process = subprocess.Popen(["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", "--fdname", "http",
                                    prepared.program(), "--config", prepared.configuration], stderr=err)
    try:
        prepared.port = port
        wait_until(lambda: "Listening on" in log.read_text(), 30, "systemd listens")
        assert "started" not in log.read_text()
        assert len(CimXmlClient(prepared, "reader").instances("Msvm_CollectionSnapshotService")) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def test_the_units_are_right(tmp_path):
    """As systemd reads them; the program's path is that of this build."""
    service = (REPOSITORY / "packaging/cohortd.service.in").read_text()
    (tmp_path / UNITS[0]).write_text(re.sub(r"@\w+@/cohortd", Cohortd.program(), service))
    for each in UNITS[1:]:
        shutil.copy(REPOSITORY / "packaging" / each, tmp_path)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(tmp_path / each for each in UNITS)],
                          capture_output=True, text=True, timeout=60, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    complaints = [line for line in done.stderr.splitlines() if "cohortd" in line]
    assert complaints == [] and done.returncode == 0, done.stderr
    broken = tmp_path / UNITS[1]
    broken.write_text(broken.read_text().replace("ListenStream=127", "ListenSteam=127"))
    again = subprocess.run(["systemd-analyze", "verify", "--man=no", broken], capture_output=True, text=True, timeout=60,
                           env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    assert "ListenSteam" in again.stderr
