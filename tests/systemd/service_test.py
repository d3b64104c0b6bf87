"""cohortd as it is installed: in the sandbox of its unit, started, reloaded, restarted and stopped by systemd itself, on a
real guest. The page on Hyper-V is followed to the letter, with systemctl."""

import base64
import http.client
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness import Disk, wait_until
from harness.cim_clients import CimXmlClient, embedded
from harness.images import REPOSITORY

RUNNING, COMPLETED, TERMINATED = "4", "7", "8"
JOB_STARTED = 4096
RECOVERY = 2
SOCKETS = ("cohortd-http.socket", "cohortd-https.socket", "cohortd-command.socket")


def run(*command, check=True, timeout=120):
    done = subprocess.run(command, text=True, capture_output=True, timeout=timeout)
    assert done.returncode == 0 or not check, (command, done.stdout, done.stderr)
    return done


def shown(name):
    """A property of the service."""
    return run("systemctl", "show", "--value", "-p", name, "cohortd.service").stdout.strip()


class Service:
    """Where the test clients ask: at an address that it listens to by itself. Users have their names as passwords."""

    def request(self, method, path, body=b"", headers=None, *, role, tls=False):
        assert not tls
        connection = http.client.HTTPConnection("127.0.0.1", 5988, timeout=60)
        try:
            user = base64.b64encode(f"{role}:{role}".encode()).decode()
            connection.request(method, path, body, {"Authorization": f"Basic {user}", **(headers or {})})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()


def settings(name, *lines):
    """More lines for the section [Service], until the next of this name."""
    folder = Path("/etc/systemd/system/cohortd.service.d")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.conf").write_text("[Service]\n" + "".join(f"{line}\n" for line in lines))
    run("systemctl", "daemon-reload")


@pytest.fixture(scope="module")
def exports(lab):
    return lab.new_folder("exports")


@pytest.fixture(scope="module")
def page(exports):
    """The commands of the page, part by part."""
    text = (REPOSITORY / "docs/hyperv.md").read_text().split("\n## On the host\n")[1].split("\n## ")[0]
    assert "/srv/exports" in text
    return re.findall(r"^```sh\n(.*?)^```", text.replace("/srv/exports", str(exports)), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def log(lab):
    return lab.folder / "log"


@pytest.fixture(scope="module")
def installed(lab, page, log, tmp_path_factory):
    """As README and page say; the daemon runs. Its log goes to a file, as there is no journal."""
    run("cmake", "--install", os.environ.get("COHORT_BUILD", REPOSITORY / "build/dev"))
    settings("log", f"StandardError=append:{log}")
    folder = tmp_path_factory.mktemp("page")
    (folder / "password").write_text("backup\n")
    configure, start, _, _ = page
    subprocess.run(["bash", "-ec", configure + start], cwd=folder, check=True, timeout=120)
    yield Service()
    run("systemctl", "stop", *SOCKETS, "cohortd", check=False)


@pytest.fixture(scope="module")
def guest(lab):
    made = lab.guest("served ä", role="writer", disks=[Disk(), Disk("raw")])
    made.start().wait_ready()
    return made


@pytest.fixture(scope="module")
def collection(installed, guest):
    return CimXmlClient(installed, "backup").define_collection("served", guest.name)


def ended(client, path):
    """The job when it has ended."""
    def has_ended():
        state = client.get(path)
        return state if state["JobState"] != RUNNING else None
    return wait_until(has_ended, 120, "the job ends")


def job(client, service, method, **parameters):
    """Starts a job that must be done at its end."""
    code, out = client.invoke(client.service(service), method, **parameters)
    assert code == JOB_STARTED, (method, code, out)
    state = ended(client, out["Job"])
    assert state["JobState"] == COMPLETED, dict(state)
    return state.path


def taken(client, collection):
    """A new snapshot's path."""
    done = job(client, "Msvm_CollectionSnapshotService", "CreateSnapshot", Collection=collection, SnapshotType=RECOVERY,
               SnapshotSettings="")
    snapshot, = client.associated(done, "Msvm_SnapshotCollection", "Msvm_AffectedJobElement")
    return snapshot.path


def export(client, snapshot, target):
    """Returns the job, which runs or has ended."""
    code, out = client.invoke(client.service("Msvm_CollectionSnapshotService"), "ExportSnapshot",
                              SnapshotCollection=snapshot, ExportDirectory=target,
                              ExportSettingData=embedded("Msvm_CollectionSnapshotExportSettingData", CopyVmStorage=True))
    assert code == JOB_STARTED, out
    return out["Job"]


def destroy(client, snapshot):
    job(client, "Msvm_CollectionSnapshotService", "DestroySnapshot", AffectedSnapshotCollection=snapshot)


def test_a_night_in_the_sandbox(installed, collection, guest, exports):
    assert (shown("ActiveState"), shown("SubState")) == ("active", "running")
    assert shown("ProtectSystem") == "full" and shown("RestrictNamespaces") != "no"
    client = CimXmlClient(installed, "backup")
    snapshot = taken(client, collection)
    assert ended(client, export(client, snapshot, exports / "package"))["JobState"] == COMPLETED
    assert json.loads(run("cohort", "--json", "verify", exports / "package").stdout)["verify"]["whole"]
    destroy(client, snapshot)
    assert guest.state() == "running"


def test_the_command_asks_the_daemon(collection, exports, guest):
    """For the life of a snapshot, whose copy is booted; the machines' images are opened in the sandbox as well."""
    run("cohort", "snapshot", "take", "served", "--name", "by command")
    run("cohort", "export", "by command", exports / "by command")
    run("cohort", "snapshot", "delete", "by command")
    tried = run("cohort", "--json", "try", exports / "by command", "--wait-for-agent=240", "--name-prefix", "cohort-test-",
                timeout=300)
    machine, = json.loads(tried.stdout)["try"]["machines"]
    assert machine["agent_after_ms"] > 0
    assert guest.state() == "running"


def test_it_is_reloaded(installed, page):
    """As the page has it: a reader is added."""
    process = shown("MainPID")
    folder = Path("/run/page")
    folder.mkdir()
    (folder / "password").write_text("monitor\n")
    subprocess.run(["bash", "-ec", page[3]], cwd=folder, check=True, timeout=120)
    wait_until(lambda: installed.request("POST", "/wsman", role="monitor")[0] != 401, 30, "the reader is let in")
    assert shown("MainPID") == process and shown("Result") == "success"


def test_its_death_in_the_fence_leaves_no_machine_paused(installed, collection, guest, log):
    """The guard, which runs in its control group, outlives it and resumes the machine; what it left is undone by the next
    start."""
    settings("restarts", "Environment=COHORT_KILL_AT=fence.suspended", "RestartSec=60")
    run("systemctl", "restart", "cohortd")
    settings("restarts", "RestartSec=60")
    client = CimXmlClient(installed, "backup")
    with pytest.raises((OSError, http.client.HTTPException)):
        taken(client, collection)
    wait_until(lambda: shown("SubState") == "auto-restart" and guest.state() == "running", 30, "the machine goes on")
    began = len(log.read_text())
    settings("restarts")
    run("systemctl", "start", "cohortd")
    assert "notice recovered: " in log.read_text()[began:]
    destroy(client, taken(client, collection))
    assert guest.state() == "running"


def test_a_daemon_that_hangs_is_started_again(installed, log):
    settings("restarts", "WatchdogSec=10", "RestartSec=1")
    run("systemctl", "restart", "cohortd")
    process = shown("MainPID")
    os.kill(int(process), signal.SIGSTOP)
    wait_until(lambda: shown("ActiveState") == "active" and shown("MainPID") not in (process, "0"), 60, "it runs again")
    assert shown("NRestarts") != "0"
    settings("restarts")
    assert len(CimXmlClient(installed, "backup").instances("Msvm_CollectionSnapshotService")) == 1


def test_a_stop_cancels_an_export(installed, collection, guest, exports):
    """Where it is stopped, as a debugger would, it continues with the signal that ends it already there."""
    settings("stops", "Environment=COHORT_STOP_AT=export.disks_copied", "WatchdogSec=0")
    run("systemctl", "restart", "cohortd")
    client = CimXmlClient(installed, "backup")
    snapshot = taken(client, collection)
    before = sorted(exports.iterdir())
    running = export(client, snapshot, exports / "stopped")
    process = int(shown("MainPID"))
    wait_until(lambda: Path(f"/proc/{process}/stat").read_text().rsplit(") ")[1][0] == "T", 60, "all disks are copied")
    run("systemctl", "stop", "--no-block", "cohortd")
    wait_until(lambda: shown("ActiveState") == "deactivating", 30, "it shall end")
    os.kill(process, signal.SIGCONT)
    wait_until(lambda: shown("ActiveState") == "inactive", 60, "it has ended")
    assert (shown("Result"), shown("ExecMainStatus")) == ("success", "0")
    assert guest.state() == "running" and sorted(exports.iterdir()) == before
    settings("stops")
    run("systemctl", "start", "cohortd")
    assert client.get(running)["JobState"] == TERMINATED
    destroy(client, snapshot)


def test_sockets_start_it(installed, page):
    run("systemctl", "stop", "cohortd")
    subprocess.run(["bash", "-ec", page[2]], check=True, timeout=120)
    assert shown("ActiveState") == "inactive"
    assert len(CimXmlClient(installed, "backup").instances("Msvm_CollectionSnapshotService")) == 1
    assert shown("ActiveState") == "active"
    run("systemctl", "stop", "cohortd")
    run("cohort", "collection", "list")
    assert shown("ActiveState") == "active"
