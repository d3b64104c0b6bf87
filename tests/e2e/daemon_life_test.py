"""The life of cohortd: starts, reloads, stops with a job under way, is killed, and leaves nothing half."""

import os
import pwd
import re
import shlex
import signal
import socket
import ssl
import subprocess
import time

import pytest

from harness import wait_until
from harness.cim_clients import CimXmlClient, WsmanClient, sender
from harness.cohortd import Cohortd
from world import bare_machine

SUSPEND, TERMINATE, KILL = 3, 4, 5  # what RequestStateChange of a job is asked for
ENDS = {TERMINATE: "8", KILL: "9"}  # JobState
IN_USE = 32774
CLIENTS = {"wsman": lambda cohortd, role: WsmanClient(sender(cohortd, role)), "cimxml": CimXmlClient}


@pytest.fixture(scope="module")
def large(lab):
    """A machine, never started, whose disk takes a while to be exported."""
    made = bare_machine(lab, "large")
    with open(made.image("disk0"), "r+b") as disk:
        for _ in range(768):
            disk.write(os.urandom(1024 * 1024))
    lab.cohort("collection", "create", "large", made.name)
    return made


@pytest.fixture
def exports(lab):
    return lab.new_folder(f"exports {len(list(lab.folder.iterdir()))}")


@pytest.fixture
def cohortd(lab, exports, large):
    with Cohortd(lab.folder / "cohortd", lab.state, roots=[exports]) as running:
        yield running


def begin_export(lab, cohortd, exports):
    """Returns the job, which runs."""
    client = CimXmlClient(cohortd, "operator")
    snapshots = client.instances("Msvm_CollectionSnapshotService")[0].path
    collection = client.query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'large'")[0].path
    code, out = client.invoke(snapshots, "CreateSnapshot", Collection=collection, SnapshotType=2, SnapshotSettings="")
    assert code == 4096
    wait_until(lambda: client.get(out["Job"])["JobState"] == "7", 60, "the snapshot is taken")
    snapshot, = client.associated(out["Job"], "Msvm_SnapshotCollection", "Msvm_AffectedJobElement")
    code, out = client.invoke(snapshots, "ExportSnapshot", SnapshotCollection=snapshot.path,
                              ExportDirectory=exports / "package", ExportSettingData="")
    assert code == 4096
    wait_until(lambda: list(exports.iterdir()), 60, "the export has begun", 0.01)
    assert client.get(out["Job"])["JobState"] == "4"
    return out["Job"]


def state_of(lab, job):
    return {each["id"].upper(): each for each in lab.cohort("job", "list").json["jobs"]}[job.key("InstanceID")]["state"]


def forget_snapshots(lab):
    for each in lab.cohort("snapshot", "list").json["snapshots"]:
        lab.cohort("snapshot", "delete", each["name"])


def test_a_stop_cancels_the_job_and_leaves_nothing_half(lab, cohortd, exports):
    job = begin_export(lab, cohortd, exports)
    assert cohortd.stop() == 0
    assert list(exports.iterdir()) == []
    assert state_of(lab, job) == "cancelled"
    assert re.search(r"notice stopping.*\n(.*\n)*.*notice stopped", cohortd.log())
    cohortd.start()
    found = CimXmlClient(cohortd, "reader").get(job)  # it is seen after the restart, too
    assert (found["JobState"], found["Owner"]) == ("8", "operator")
    cohortd.stop()
    forget_snapshots(lab)


def test_what_a_killed_daemon_left_is_undone_by_the_next_start(lab, cohortd, exports):
    job = begin_export(lab, cohortd, exports)
    cohortd.kill()
    assert list(exports.iterdir()) != []
    cohortd.start()
    assert list(exports.iterdir()) == []
    assert "notice recovered: " in cohortd.log()
    assert CimXmlClient(cohortd, "reader").get(job)["JobState"] in ("8", "10")
    cohortd.stop()
    forget_snapshots(lab)


@pytest.mark.parametrize("state", [TERMINATE, KILL], ids=["terminate", "kill"])
@pytest.mark.parametrize("kind", CLIENTS)
def test_a_client_cancels_a_job(lab, cohortd, exports, kind, state):
    job = begin_export(lab, cohortd, exports)
    client = CLIENTS[kind](cohortd, "operator")
    assert client.invoke(job, "RequestStateChange", RequestedState=SUSPEND)[0] == 1, "not supported"
    assert client.invoke(job, "RequestStateChange", RequestedState=state)[0] == 4096
    wait_until(lambda: client.get(job)["JobState"] == ENDS[state], 60, "the job has ended")
    assert list(exports.iterdir()) == []
    assert client.invoke(job, "RequestStateChange", RequestedState=state)[0] == 4097, "it has ended"
    cohortd.stop()
    forget_snapshots(lab)


def test_a_collection_stays_while_a_job_waits_to_work_on_it(lab, cohortd, exports, large):
    exporting = begin_export(lab, cohortd, exports)
    client = CimXmlClient(cohortd, "administrator")
    management = client.service("Msvm_CollectionManagementService")
    other = client.define_collection("other", large.name)
    code, out = client.invoke(client.service("Msvm_CollectionSnapshotService"), "CreateSnapshot", Collection=other,
                              SnapshotType=2)
    assert code == 4096
    assert client.invoke(management, "DestroyCollection", Collection=other)[0] == IN_USE
    assert lab.cohort("collection", "delete", "other", check=False).json["error"]["code"] == "in_use"
    for job in (out["Job"], exporting):
        assert client.invoke(job, "RequestStateChange", RequestedState=TERMINATE)[0] == 4096
    wait_until(lambda: client.get(out["Job"])["JobState"] == ENDS[TERMINATE], 60, "the job that waited has ended")
    assert client.invoke(management, "DestroyCollection", Collection=other)[0] == 0
    cohortd.stop()
    forget_snapshots(lab)


def test_the_command_is_carried_out_while_the_daemon_runs(lab, cohortd):
    lab.cohort("collection", "create", "by the command")
    found = CimXmlClient(cohortd, "reader").instances("Msvm_VirtualSystemCollection")
    assert sorted(each["ElementName"] for each in found) == ["by the command", "large"]
    lab.cohort("collection", "delete", "by the command")


def test_a_job_of_the_command_belongs_to_its_user(lab, cohortd):
    lab.cohort("snapshot", "take", "large", "--name", "mine")
    lab.cohort("reference", "convert", "mine")
    convert, take = lab.cohort("job", "list").json["jobs"][:2]
    assert [take["type"], convert["type"]] == ["take_snapshot", "convert"]
    assert take["owner"] == convert["owner"] == pwd.getpwuid(os.geteuid()).pw_name
    assert take["collection"] == convert["collection"] == lab.cohort("collection", "show", "large").json["collection"]["id"]
    query = f"SELECT * FROM Msvm_ConcreteJob WHERE InstanceID = '{take['id'].upper()}'"
    found, = CimXmlClient(cohortd, "reader").query(query)
    assert found["Owner"] == take["owner"]
    assert take["owner"] in lab.cohort("job", "show", take["id"], json=False).out
    lab.cohort("reference", "delete", "mine")


def test_two_daemons_do_not_share_a_state(lab, cohortd):
    done = cohortd.run(check=False)
    assert done.returncode == 6
    assert "error failed: The state in " in done.stderr


def test_a_port_that_is_taken_is_named(lab, cohortd):
    path = lab.folder / "taken.conf"
    path.write_text(f"[listen]\nhttp = 127.0.0.1:{cohortd.port}\nhttps = none\nstatus = none\n"
                    f"[state]\nfolder = {lab.folder}/another\n[users]\npasswords = {cohortd.folder}/passwords\n")
    done = subprocess.run([cohortd.program(), "--config", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 6
    assert f"port {cohortd.port}" in done.stderr


def test_a_reload_lets_new_users_in_and_others_out(cohortd):
    def status():
        return cohortd.request("POST", "/wsman", b"", {"Authorization": "Basic bmV3OnNlY3JldA=="})[0]  # new:secret

    assert status() == 401
    cohortd.run("user", "add", "new", "--role", "reader", input="secret\n")
    cohortd.signal(signal.SIGHUP)
    wait_until(lambda: status() == 415, 10, "the new user is let in")
    cohortd.run("user", "remove", "new")
    cohortd.signal(signal.SIGHUP)
    wait_until(lambda: status() == 401, 10, "the user is let in no more")


def test_a_reload_takes_a_new_certificate_and_keeps_the_old_one_if_that_is_none(cohortd):
    def served():
        return ssl.get_server_certificate(("127.0.0.1", cohortd.tls_port))

    key = cohortd.state / "tls/key.pem"
    first, began = served(), len(cohortd.log())
    users = cohortd.folder / "passwords"
    broken = {users: users.read_text(), cohortd.configuration: cohortd.configuration.read_text()}
    for path in (*broken, cohortd.certificate):
        path.write_text("rubbish\n")
    cohortd.signal(signal.SIGHUP)
    wait_until(lambda: cohortd.log(began).count("error reload-failed") == 3, 10, "each failure is told")
    assert "notice reloaded" not in cohortd.log(began)
    assert served() == first
    assert cohortd.request("POST", "/wsman", b"", role="reader")[0] == 415  # the users are as before
    for path, content in broken.items():
        path.write_text(content)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
                    cohortd.certificate, "-days", "1", "-subj", "/CN=new"], check=True, capture_output=True)
    cohortd.signal(signal.SIGHUP)
    wait_until(lambda: served() != first, 10, "the new certificate is served")
    for path in (key, cohortd.certificate):
        path.unlink()  # the next start makes its own


def test_nobody_is_asked_for_the_password_of_a_key(lab, cohortd):
    """At a terminal, where OpenSSL would ask."""
    key, certificate = lab.folder / "locked key.pem", lab.folder / "its certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-keyout", key, "-out",
                    certificate, "-days", "1", "-subj", "/CN=x"], check=True, capture_output=True)
    path = lab.folder / "locked.conf"
    path.write_text(f"[listen]\nhttp = none\nhttps = 127.0.0.1:0\nstatus = none\n[tls]\ncertificate = {certificate}\n"
                    f"key = {key}\n[state]\nfolder = {lab.folder}/locked state\n[hypervisor]\nuri = test:///default\n"
                    f"[users]\npasswords = {cohortd.folder}/passwords\n")
    done = subprocess.run(["script", "--quiet", "--return", "--command",
                           shlex.join([cohortd.program(), "--config", str(path)]), "/dev/null"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert "pass phrase" not in done.stdout
    assert done.returncode == 12 and "has a password, which nobody is asked for" in done.stdout


def test_health_and_metrics_need_no_password(cohortd):
    assert cohortd.status("/health") == (200, "ok\n")
    status, text = cohortd.status("/metrics")
    assert status == 200 and "# TYPE cohort_fence_seconds histogram" in text
    assert cohortd.status("/wsman")[0] == 404


def test_the_configuration_is_checked_and_printed(lab, cohortd):
    assert cohortd.run("--check-config").returncode == 0
    printed = cohortd.run("--print-config").stdout
    assert f"folder = {lab.state}\n" in printed
    wrong = lab.folder / "wrong.conf"
    wrong.write_text("[listen]\nhtp = none\n")
    done = subprocess.run([cohortd.program(), "--config", wrong, "--check-config"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f'cohortd: {wrong}, line 2: the section "listen" has no setting "htp".\n'
    assert subprocess.run([cohortd.program(), "--nonsense"], capture_output=True).returncode == 2


def test_systemd_is_told(lab, cohortd):
    """READY, RELOADING, watchdog and STOPPING, as sd_notify(3) has them."""
    cohortd.stop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service_manager:
        address = str(lab.folder / "notify")
        service_manager.bind(address)
        service_manager.settimeout(30)
        os.environ.update(NOTIFY_SOCKET=address, WATCHDOG_USEC="400000")
        try:
            cohortd.start()
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        heard = []

        def hear(text):
            while not any(text in each for each in heard):
                heard.append(service_manager.recv(4096).decode())

        hear("READY=1")
        hear("WATCHDOG=1")
        times = []
        for _ in range(4):
            heard.clear()
            hear("WATCHDOG=1")
            times.append(time.monotonic())
        assert 0.5 < times[-1] - times[0] < 1.2  # twice in each of the 0.4 s that systemd waits
        cohortd.signal(signal.SIGHUP)
        hear("RELOADING=1")
        cohortd.signal(signal.SIGTERM)
        hear("STOPPING=1")
        assert cohortd.stop() == 0
