"""The work of a night through cohortd, on real guests and through both protocols: a collection is defined and filled, a
snapshot taken and exported, the package verified and imported, the snapshot destroyed."""

import json
import re
import subprocess

import pytest
from winrm.transport import Transport

from harness import Disk, wait_until
from harness.cim_clients import CimError, CimXmlClient, WsmanClient, embedded, path_text, sender
from harness.cohortd import PASSWORDS, Cohortd
from harness.images import REPOSITORY
from world import overlays, picture

JOB_STARTED = 4096
RUNNING, COMPLETED, TERMINATED, EXCEPTION = "4", "7", "8", "10"
STANDARD = 1
RECOVERY = 2


@pytest.fixture(scope="module")
def guests(lab):
    made = [lab.guest(f"flow ä{number}", role="writer", disks=[Disk("raw") if number == 2 else Disk()])
            for number in (1, 2)]
    for each in made:
        each.start().wait_ready()
    return made


@pytest.fixture(scope="module")
def exports(lab):
    return lab.new_folder("exports")


@pytest.fixture(scope="module")
def cohortd(lab, exports):
    with Cohortd(lab.folder / "cohortd", lab.state, roots=[exports]) as running:
        yield running


def winrm_sender(cohortd, role):
    """The transport of python3-winrm, over TLS."""
    transport = Transport(endpoint=f"https://localhost:{cohortd.tls_port}/wsman", username=role,
                          password=PASSWORDS[role], auth_method="basic", ca_trust_path=str(cohortd.certificate))
    return lambda body: (200, transport.send_message(body))


CLIENTS = {"wsman": lambda cohortd: WsmanClient(sender(cohortd, "administrator")),
           "winrm": lambda cohortd: WsmanClient(winrm_sender(cohortd, "administrator")),
           "cimxml": lambda cohortd: CimXmlClient(cohortd, "administrator", tls=True)}


def call(client, path, method, **parameters):
    """A method that must be done at once; what comes out of it."""
    code, out = client.invoke(path, method, **parameters)
    assert code == 0, (method, code, out)
    return out


def job(client, path, method, **parameters):
    """Starts a job and follows it to its end, as a script does."""
    code, out = client.invoke(path, method, **parameters)
    assert code == JOB_STARTED, (method, code, out)
    seen = []

    def ended():
        state = client.get(out["Job"])
        seen.append(state["JobState"])
        return state if state["JobState"] != RUNNING else None

    ended = wait_until(ended, 300, lambda: f"the job of {method} ends: {seen}", 0.1)
    assert ended["JobState"] == COMPLETED, dict(ended)
    assert ended["PercentComplete"] == "100"
    return ended.path


def hashes_in(manifest):
    return {(each["name"], disk["target"]): disk["content_hash"] for each in manifest["machines"] for disk in each["disks"]}


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_night_through_the_daemon(lab, cohortd, guests, exports, kind):
    client = CLIENTS[kind](cohortd)
    before = picture(*guests)
    management = client.service("Msvm_CollectionManagementService")
    snapshots = client.service("Msvm_CollectionSnapshotService")

    collection = client.define_collection(f"night {kind}", *(guest.name for guest in guests))
    assert client.get(collection)["ElementName"] == f"night {kind}"
    assert [each.path for each in client.query(
        f"SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'night {kind}'")] == [collection]

    taken = job(client, snapshots, "CreateSnapshot", Collection=collection, SnapshotType=RECOVERY,
                SnapshotSettings=embedded("Msvm_VirtualSystemSnapshotSettingData", ConsistencyLevel=2))
    snapshot, = client.associated(taken, "Msvm_SnapshotCollection", "Msvm_AffectedJobElement")
    of_collection = client.associated(collection, "Msvm_SnapshotCollection")
    assert [each.path for each in of_collection] == [snapshot.path]

    target = exports / f"package {kind}"
    job(client, snapshots, "ExportSnapshot", SnapshotCollection=snapshot.path, ExportDirectory=target,
        ExportSettingData=embedded("Msvm_CollectionSnapshotExportSettingData", CopyVmStorage=True))
    assert lab.cohort("verify", target).json["verify"]["whole"]

    job(client, snapshots, "DestroySnapshot", AffectedSnapshotCollection=snapshot.path)
    call(client, management, "DestroyCollection", Collection=collection)
    assert not overlays(*guests)
    assert picture(*guests) == before
    assert all(guest.state() == "running" for guest in guests)


@pytest.mark.parametrize("kind", ["wsman", "cimxml"])
def test_the_next_night_is_a_difference_from_a_reference_point(lab, cohortd, guests, exports, kind):
    client = CLIENTS[kind](cohortd)
    snapshots = client.service("Msvm_CollectionSnapshotService")
    points = client.service("Msvm_CollectionReferencePointService")
    collection = client.define_collection(f"nights {kind}", *(guest.name for guest in guests))

    def night(name, **settings):
        """Takes, exports and converts; returns the reference point."""
        taken = job(client, snapshots, "CreateSnapshot", Collection=collection, SnapshotType=RECOVERY, SnapshotSettings="")
        snapshot, = client.associated(taken, "Msvm_SnapshotCollection", "Msvm_AffectedJobElement")
        job(client, snapshots, "ExportSnapshot", SnapshotCollection=snapshot.path, ExportDirectory=exports / name,
            ExportSettingData=embedded("Msvm_CollectionSnapshotExportSettingData", CopyVmStorage=True, **settings))
        converted = job(client, snapshots, "ConvertToReferencePoint", AffectedSnapshotCollection=snapshot.path)
        point, = client.associated(converted, "Msvm_ReferencePointCollection", "Msvm_AffectedJobElement")
        return point.path

    first = night(f"first {kind}")
    second = night(f"second {kind}", DifferentialBackupBase=path_text(first))
    assert lab.cohort("verify", exports / f"second {kind}").json["verify"]["whole"]
    manifest = json.loads((exports / f"second {kind}/cohort.json").read_text())
    assert manifest["parent"]
    assert any(disk["parent"] for each in manifest["machines"] for disk in each["disks"])
    # The third is merged: a full one, made of the second and what has changed, and the second stays.
    third = night(f"third {kind}", DifferentialBackupBase=path_text(second), BackupIntent=2)
    merged = json.loads((exports / f"third {kind}/cohort.json").read_text())
    assert not merged.get("parent") and not any(disk.get("parent") for each in merged["machines"] for disk in each["disks"])
    point_id = third.key("CollectionID").lower()
    lab.cohort("reference", "export", point_id, exports / f"third {kind} full")
    full = json.loads((exports / f"third {kind} full/cohort.json").read_text())
    assert hashes_in(merged) == hashes_in(full)
    for name in ("second", "third"):
        assert lab.cohort("verify", exports / f"{name} {kind}").json["verify"]["whole"]
    for point in (first, second, third):
        job(client, points, "DestroyReferencePoint", AffectedReferencePointCollection=point)
    assert not overlays(*guests)
    assert all(guest.state() == "running" for guest in guests)


def test_the_package_of_the_daemon_can_be_imported(lab, cohortd, exports):
    """By the command, with a state of its own, as on another host."""
    lab.prefixes.append("cohort-test-again-")
    program, *_ = lab.cohort_command()
    subprocess.run([program, "--state", lab.folder / "other state", "import", exports / "package wsman",
                    "--name-prefix", "cohort-test-again-", "--storage", lab.new_folder("imported")], check=True,
                   timeout=300)
    names = [each.name() for each in lab.connection.listAllDomains()]
    assert len([name for name in names if name.startswith("cohort-test-again-")]) == 2


def test_the_page_on_hyperv_can_be_followed_with_wbemcli(lab, cohortd, guests, exports, tmp_path):
    """Its commands as they stand there, but for the names of the host, the machines and the folder."""
    page = (REPOSITORY / "docs/hyperv.md").read_text().split("\n## With wbemcli\n")[1].split("\n## ")[0]
    script = "set -euo pipefail\n" + "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    for written, real in (("kvm.example:5989", f"localhost:{cohortd.tls_port}"), ("/srv/exports", str(exports)),
                          ("machine db", f"machine '{guests[0].name}'"), ("machine web", f"machine '{guests[1].name}'")):
        assert written in script
        script = script.replace(written, real)
    (tmp_path / "certificate.pem").write_text(cohortd.certificate.read_text())
    (tmp_path / "password").write_text("plain\n")
    cohortd.run("user", "add", "backup", "--role", "administrator", input="plain\n")
    cohortd.reload()
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, text=True,
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lab.cohort("verify", exports / "shop-monday").json["verify"]["whole"]
    assert not overlays(*guests)


def test_what_was_done_is_in_the_log_and_the_metrics(cohortd):
    log = cohortd.log()
    assert "notice changed: ExportSnapshot: returned 4096 [user=administrator address=127.0.0.1 " in log
    assert PASSWORDS["administrator"] not in log
    assert cohortd.metric("cohort_jobs_total", type="export", state="completed") == 10
    assert cohortd.metric("cohort_jobs_total", type="export_reference_point", state="completed") == 2
    assert cohortd.metric("cohort_fence_seconds_count") == 10
    assert cohortd.metric("cohort_job_bytes_total", type="export") > 0
    assert cohortd.metric("cohort_requests_total", protocol="wsman", operation="invoke_method", outcome="done") > 10


@pytest.mark.parametrize("kind", ["wsman", "cimxml"])
def test_a_collection_goes_back_to_a_standard_snapshot(lab, cohortd, guests, kind):
    client = CLIENTS[kind](cohortd)
    management = client.service("Msvm_CollectionManagementService")
    snapshots = client.service("Msvm_CollectionSnapshotService")
    collection = client.define_collection(f"back {kind}", *(guest.name for guest in guests))
    taken = job(client, snapshots, "CreateSnapshot", Collection=collection, SnapshotType=STANDARD, SnapshotSettings="")
    snapshot, = client.associated(taken, "Msvm_SnapshotCollection", "Msvm_AffectedJobElement")
    assert snapshot["Description"] == f"Standard snapshot of back {kind}"
    for guest in guests:
        guest.destroy()
    job(client, snapshots, "ApplySnapshot", SnapshotCollection=snapshot.path)
    assert all(guest.state() == "running" for guest in guests), "they go on from what they had in memory"
    job(client, snapshots, "DestroySnapshot", AffectedSnapshotCollection=snapshot.path)
    call(client, management, "DestroyCollection", Collection=collection)
    assert not overlays(*guests)


@pytest.mark.parametrize("kind", ["wsman", "cimxml"])
def test_an_export_goes_nowhere_but_below_the_roots(lab, cohortd, exports, guests, kind):
    client = CLIENTS[kind](cohortd)
    snapshots = client.service("Msvm_CollectionSnapshotService")
    collection = client.define_collection(f"paths {kind}", guests[0].name)
    taken = job(client, snapshots, "CreateSnapshot", Collection=collection, SnapshotType=RECOVERY, SnapshotSettings="")
    snapshot, = client.associated(taken, "Msvm_SnapshotCollection", "Msvm_AffectedJobElement")
    outside = lab.new_folder(f"outside {kind}")
    (exports / f"link {kind}").symlink_to(outside)
    listed = sorted(exports.iterdir())
    for directory in (outside / "p", exports / f"link {kind}/p", f"{exports}/../{outside.name}/p", "relative/p", "/etc/p",
                      f"{exports}/{'x' * 300}", f"{exports}/{'y/' * 3000}", "C:\\Exports\\p", ""):
        code, out = client.invoke(snapshots, "ExportSnapshot", SnapshotCollection=snapshot.path,
                                  ExportDirectory=directory, ExportSettingData="")
        assert code in (2, 4), (directory, code, out)
    with pytest.raises(CimError):  # XML has no NUL
        client.invoke(snapshots, "ExportSnapshot", SnapshotCollection=snapshot.path,
                      ExportDirectory=f"{exports}/a\0b", ExportSettingData="")
    assert list(outside.iterdir()) == [] and sorted(exports.iterdir()) == listed
    job(client, snapshots, "DestroySnapshot", AffectedSnapshotCollection=snapshot.path)


@pytest.mark.parametrize("kind", ["wsman", "cimxml"])
def test_an_export_with_a_subdirectory_goes_into_the_root_itself(cohortd, exports, guests, lab, kind):
    client = CLIENTS[kind](cohortd)
    snapshots = client.service("Msvm_CollectionSnapshotService")
    collection = client.define_collection(f"own {kind}", guests[0].name)
    taken = job(client, snapshots, "CreateSnapshot", Collection=collection, SnapshotType=RECOVERY, SnapshotSettings="")
    snapshot, = client.associated(taken, "Msvm_SnapshotCollection", "Msvm_AffectedJobElement")
    job(client, snapshots, "ExportSnapshot", SnapshotCollection=snapshot.path, ExportDirectory=exports,
        ExportSettingData=embedded("Msvm_CollectionSnapshotExportSettingData", CreateVmExportSubdirectory=True))
    assert lab.cohort("verify", exports / f"own {kind}").json["verify"]["whole"]
    job(client, snapshots, "DestroySnapshot", AffectedSnapshotCollection=snapshot.path)
