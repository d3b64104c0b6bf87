"""What cohortd writes to the journal: a socket of the test's is in the place of journald's."""

import os
import re
import signal
import socket
import subprocess

import pytest

from harness.cim_clients import CimXmlClient
from harness.cohortd import Cohortd

# Gives what it runs another folder for /run/systemd, which nobody else sees.
WITHIN = ("unshare", "--mount", "sh", "-ec", 'mkdir -p /run/systemd; mount --bind "$0" /run/systemd; exec "$@"')


@pytest.fixture
def cohortd(lab):
    with Cohortd(lab.folder / "cohortd", lab.state) as running:
        yield running


@pytest.fixture
def journal(lab):
    folder = lab.new_folder("systemd")
    (folder / "journal").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(folder / "journal/socket"))
        listening.settimeout(30)
        yield folder, listening


def entry(datagram):
    """The fields of an entry that has no line breaks in them, in the form that journald reads."""
    return dict(line.split("=", 1) for line in datagram.decode().splitlines())


def test_events_are_entries_with_fields(cohortd, journal):
    cohortd.stop()
    folder, listening = journal

    def hear(event):
        """The next entry of that event, and those before."""
        heard = []
        while not heard or heard[-1]["COHORT_EVENT"] != event:
            heard.append(entry(listening.recv(65536)))
        return heard

    with open(cohortd.log_path, "ab") as err:
        status = os.fstat(err.fileno())
        written = err.tell()
        stream = f"{status.st_dev}:{status.st_ino}"
        running = subprocess.Popen([*WITHIN, folder, cohortd.program(), "--config", cohortd.configuration],
                                   stdin=subprocess.DEVNULL, stderr=err, env={**os.environ, "JOURNAL_STREAM": stream})
    try:
        began = hear("started")
        assert began[-1]["PRIORITY"] == "5" and began[-1]["SYSLOG_IDENTIFIER"] == "cohortd"
        assert re.fullmatch(r"cohortd \S+ answers requests\.", began[-1]["MESSAGE"])
        addresses = [each["COHORT_ADDRESS"] for each in began if each["COHORT_EVENT"] == "listening"]
        assert len(addresses) == 3 and all(each.startswith("127.0.0.1:") for each in addresses), addresses

        cohortd.port = int(addresses[0].rsplit(":", 1)[1])
        CimXmlClient(cohortd, "administrator").define_collection("told ä")
        changed = hear("changed")[-1]
        assert (changed["COHORT_USER"], changed["COHORT_METHOD"]) == ("administrator", "DefineCollection")
        assert changed["COHORT_ADDRESS"] == "127.0.0.1" and changed["MESSAGE"] == "DefineCollection: returned 0"

        running.send_signal(signal.SIGTERM)
        assert hear("stopped")[-1]["PRIORITY"] == "5"
        assert running.wait(60) == 0
    finally:
        running.kill()
        running.wait()
    assert cohortd.log(written) == ""


def test_a_stream_of_somebody_elses_is_not_the_journal(cohortd, monkeypatch):
    """JOURNAL_STREAM is inherited by what has its output redirected since."""
    cohortd.stop()
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    cohortd.start()
    assert "notice started" in cohortd.log()
