"""The work of a night through cohortd, on real guests and through both protocols: a collection is defined and filled, a
snapshot taken and exported, the package verified, merged, tried and imported, the snapshot destroyed."""

import html
import json
import os
import re
import subprocess
import time

import libvirt
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
RCT_BASED = 2
KILL = 5
NOT_SUPPORTED, INVALID_TRANSITION = 1, 4097
REFUSED = (2, 4)  # not permitted, or no parameter that is one
ACCESS_DENIED = ("w:AccessDenied", 2)
IMPORTED = "cohort-test-imported "  # before the names of machines that are


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


@pytest.fixture
def imported(lab):
    """The machines whose names begin with IMPORTED; at the end they go, and their disks in the usual folder, too."""
    def found():
        names = [each.name() for each in lab.connection.listAllDomains()]
        return [lab.adopt(name) for name in names if name.startswith(IMPORTED)]

    yield found
    for guest in found():
        disks = guest.disk_paths(inactive=True).values()
        guest.destroy()
        guest.undefine()
        for path in disks:
            path.unlink()


def winrm_sender(cohortd, role):
    """The transport of python3-winrm, over TLS."""
    transport = Transport(endpoint=f"https://localhost:{cohortd.tls_port}/wsman", username=role,
                          password=PASSWORDS[role], auth_method="basic", ca_trust_path=str(cohortd.certificate))
    return lambda body: (200, transport.send_message(body))


CLIENTS = {"wsman": lambda cohortd: WsmanClient(sender(cohortd, "administrator")),
           "winrm": lambda cohortd: WsmanClient(winrm_sender(cohortd, "administrator")),
           "cimxml": lambda cohortd: CimXmlClient(cohortd, "administrator", tls=True)}
PROTOCOLS = {"wsman": lambda cohortd, role: WsmanClient(sender(cohortd, role)), "cimxml": CimXmlClient}


def call(client, path, method, **parameters):
    """A method that must be done at once; what comes out of it."""
    code, out = client.invoke(path, method, **parameters)
    assert code == 0, (method, code, out)
    return out


def begin(client, path, method, **parameters):
    """Starts a job; its path."""
    code, out = client.invoke(path, method, **parameters)
    assert code == JOB_STARTED, (method, code, out)
    return out["Job"]


def ended(client, path):
    """Follows a job to its end, as a script does; the job then."""
    seen = []

    def has_ended():
        state = client.get(path)
        seen.append(state["JobState"])
        return state if state["JobState"] != RUNNING else None

    return wait_until(has_ended, 300, lambda: f"the job ends: {seen}", 0.1)


def job(client, path, method, **parameters):
    """Starts a job that must be done at its end."""
    done = ended(client, begin(client, path, method, **parameters))
    assert done["JobState"] == COMPLETED, dict(done)
    assert done["PercentComplete"] == "100"
    return done.path


def fence_is_told(client, snapshot, guests):
    """What was measured when a crash-consistent snapshot of running guests was taken, in classes of our own."""
    fence, = client.associated(snapshot, "Cohort_SnapshotFence", "Cohort_FenceOfSnapshot")
    assert client.get(fence.path) == fence
    assert (fence["IsProven"].lower(), fence["AskedConsistency"]) == ("true", "crash")
    assert int(fence["Raised"]) > 0 and fence["OverlapBegin"] and fence["OverlapEnd"]
    pauses = client.associated(fence.path, "Cohort_MemberPause", "Cohort_PauseInFence")
    assert {each["VirtualSystemIdentifier"] for each in pauses} == {guest.uuid.upper() for guest in guests}
    for each in pauses:
        assert client.get(each.path) == each
        assert int(each["Length"]) > 0 and each["Stopped"] and each["Resumed"] and each["Consistency"] == "crash"


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
    fence_is_told(client, snapshot.path, guests)

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


def shell_in(section):
    """The commands of a section of the page on Hyper-V."""
    page = (REPOSITORY / "docs/hyperv.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL))


def with_names(script, *pairs):
    """With the names of the test for those of the page."""
    for written, real in pairs:
        assert written in script
        script = script.replace(written, str(real))
    return "set -euo pipefail\n" + script


def test_the_page_on_hyperv_configures_a_host(tmp_path):
    """Its commands but for systemctl, with other folders."""
    script = with_names(re.sub(r"^systemctl .*\n", "", shell_in("On the host"), flags=re.MULTILINE),
                        ("/srv/exports", tmp_path / "exports"), ("/etc/cohort", tmp_path / "etc"),
                        ("'[exports]", f"'[users]\\npasswords = {tmp_path}/passwords\\n[exports]"),
                        ("cohortd ", f"{Cohortd.program()} --config {tmp_path}/etc/cohortd.conf "))
    (tmp_path / "password").write_text("plain\n")
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    users = [line.split(":")[:2] for line in (tmp_path / "passwords").read_text().splitlines()]
    assert users == [["backup", "administrator"], ["monitor", "reader"]]


def test_the_page_on_hyperv_can_be_followed_with_wbemcli(lab, cohortd, guests, exports, imported, tmp_path):
    """Its commands as they stand there, but for the names of the host, the machines and the folders."""
    script = with_names(shell_in("With wbemcli") + shell_in("What Hyper-V has not"),
                        ("kvm.example:5989", f"localhost:{cohortd.tls_port}"), ("/srv/exports", exports),
                        ("machine db", f"machine '{guests[0].name}'"), ("machine web", f"machine '{guests[1].name}'"),
                        ("shop-tuesday", "second cimxml"), ("NamePrefix=monday-", f"NamePrefix={IMPORTED}"))
    (tmp_path / "certificate.pem").write_text(cohortd.certificate.read_text())
    (tmp_path / "password").write_text("plain\n")
    cohortd.run("user", "add", "backup", "--role", "administrator", input="plain\n")
    cohortd.reload()
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, text=True,
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("IsProven=true") == 1 and done.stdout.count("Consistency=") == len(guests), done.stdout
    assert str(exports / "shop-monday") in done.stdout
    for name in ("shop-monday", "second cimxml-whole"):
        assert lab.cohort("verify", exports / name).json["verify"]["whole"]
    assert sorted(each.name for each in imported()) == sorted(IMPORTED + guest.name for guest in guests)
    assert not overlays(*guests)


def test_what_was_done_is_in_the_log_and_the_metrics(cohortd):
    log = cohortd.log()
    assert "notice changed: ExportSnapshot: returned 4096 [user=administrator address=127.0.0.1 " in log
    assert PASSWORDS["administrator"] not in log
    assert cohortd.metric("cohort_jobs_total", type="export", state="completed") == 10
    assert cohortd.metric("cohort_jobs_total", type="export_reference_point", state="completed") == 2
    assert cohortd.metric("cohort_fence_seconds_count") == 11
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


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_reference_points_are_made_and_exported(lab, cohortd, guests, exports, kind):
    client = CLIENTS[kind](cohortd)
    points = client.service("Msvm_CollectionReferencePointService")
    collection = client.define_collection(f"points {kind}", *(guest.name for guest in guests))

    def made():
        created = job(client, points, "CreateReferencePoint", Collection=collection, ReferencePointType=RCT_BASED,
                      ReferencePointSettings=embedded("Msvm_CollectionReferencePointSettingData", ConsistencyLevel=2))
        point, = client.associated(created, "Msvm_ReferencePointCollection", "Msvm_AffectedJobElement")
        assert point["ConsistencyLevel"] == "1", "crash consistent, as that page has it"
        return point.path

    def exported(point, name, settings):
        """The job that wrote the package."""
        path = job(client, points, "ExportReferencePoint", ReferencePointCollection=point,
                   ExportDirectory=exports / f"{name} {kind}", ExportSettingData=settings)
        assert lab.cohort("verify", exports / f"{name} {kind}").json["verify"]["whole"]
        return client.get(path)

    first = made()
    whole = exported(first, "point", "")
    second = made()
    difference = exported(second, "points", embedded("Msvm_CollectionReferencePointExportSettingData",
                                                     BaseReferencePointCollection=path_text(first)))
    for each, point, base in ((whole, first, None), (difference, second, first.key("CollectionID"))):
        assert each.class_name == "Msvm_CollectionReferencePointExportJob"
        assert (each["ReferencePointGroupId"], each["BaseReferencePointGroupId"]) == (point.key("CollectionID"), base)
        assert each["CollectionId"] == collection.key("CollectionID")
        assert sorted(each["VirtualMachineId"]) == sorted(guest.uuid.upper() for guest in guests)
        assert len(each["ExportedDisks"]) == 4 and len(each["ExportedConfigFilePaths"]) == 2
        assert all(os.path.isfile(path) for path in each["ExportedDisks"] + each["ExportedConfigFilePaths"])
        assert call(client, each.path, "GetError").get("Error") is None
        assert client.invoke(each.path, "RequestStateChange", RequestedState=KILL)[0] == INVALID_TRANSITION
    assert {whole.path, difference.path} <= {
        each.path for each in client.instances("Msvm_CollectionReferencePointExportJob")}
    assert client.invoke(points, "RemoveAssociatedData", AffectedReferencePointCollection=first)[0] == NOT_SUPPORTED
    for point in (first, second):
        job(client, points, "DestroyReferencePoint", AffectedReferencePointCollection=point)
    assert not overlays(*guests)


# Packages, in a class of our own

@pytest.mark.parametrize("kind", PROTOCOLS)
def test_packages_are_listed_verified_and_merged(lab, cohortd, exports, kind):
    client = CLIENTS[kind](cohortd)
    packages = client.service("Cohort_PackageService")
    base, difference, merged = (exports / f"{name} {kind}" for name in ("first", "second", "second merged"))
    listed = {each["Directory"]: each for each in call(client, packages, "ListPackages", Folder=exports)["Packages"]}
    assert listed[str(difference)].class_name == "Cohort_Package"
    assert listed[str(difference)]["CollectionName"] == f"nights {kind}"
    assert listed[str(difference)]["Parents"] in (str(base), [str(base)])
    assert not listed[str(base)].get("Parents") and listed[str(base)].get("Problem") is None

    job(client, packages, "VerifyPackage", Directory=difference)
    job(client, packages, "MergePackage", Directory=difference, NewDirectory=merged)
    assert lab.cohort("verify", merged).json["verify"]["whole"]
    manifests = [json.loads((package / "cohort.json").read_text()) for package in (difference, merged)]
    assert [bool(each.get("parent")) for each in manifests] == [True, False]
    assert hashes_in(manifests[0]) == hashes_in(manifests[1])


def running(lab):
    """The names of all machines that run."""
    return [each.name() for each in lab.connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING)]


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_package_is_tried(lab, cohortd, exports, guests, kind):
    """Its machine is called try-…, since the class has no prefix, and ends with the daemon at the latest."""
    client = CLIENTS[kind](cohortd)
    packages = client.service("Cohort_PackageService")
    tried = f"try-{guests[0].name}"
    before = sorted(running(lab))
    began = time.monotonic()
    started = begin(client, packages, "TryPackage", Directory=exports / f"own {kind}", RunFor=10)
    wait_until(lambda: tried in running(lab), 120, "the machine of the package runs", 0.1)
    done = ended(client, started)
    assert done["JobState"] == COMPLETED, dict(done)
    assert time.monotonic() - began >= 10 and sorted(running(lab)) == before
    for seconds in (0, 3601):
        assert client.invoke(packages, "TryPackage", Directory=exports / f"own {kind}", RunFor=seconds)[0] in REFUSED


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_package_is_imported_under_a_prefix(cohortd, exports, guests, imported, kind):
    client = CLIENTS[kind](cohortd)
    job(client, client.service("Cohort_PackageService"), "ImportPackage", Directory=exports / f"own {kind}",
        NamePrefix=IMPORTED, Start=True)
    made, = imported()
    assert (made.name, made.state()) == (IMPORTED + guests[0].name, "running") and made.uuid != guests[0].uuid


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_packages_are_nowhere_but_below_the_roots(lab, cohortd, exports, kind):
    client = CLIENTS[kind](cohortd)
    packages = client.service("Cohort_PackageService")
    package = exports / f"own {kind}"
    outside = lab.new_folder(f"elsewhere {kind}")
    (exports / f"elsewhere {kind}").symlink_to(outside)
    jobs = len(lab.cohort("job", "list").json["jobs"])
    for folder in (outside, exports / f"elsewhere {kind}", f"{exports}/../{outside.name}", "relative", "/etc", ""):
        for method, parameters in (("ListPackages", {"Folder": folder}), ("VerifyPackage", {"Directory": folder}),
                                   ("TryPackage", {"Directory": folder, "RunFor": 1}),
                                   ("ImportPackage", {"Directory": folder, "NamePrefix": "cohort-test-no-"}),
                                   ("MergePackage", {"Directory": folder, "NewDirectory": exports / "none"}),
                                   ("MergePackage", {"Directory": package, "NewDirectory": f"{folder}/none"})):
            code, out = client.invoke(packages, method, **parameters)
            assert code in REFUSED, (method, folder, out)
    assert list(outside.iterdir()) == [] and len(lab.cohort("job", "list").json["jobs"]) == jobs


@pytest.mark.parametrize("kind", PROTOCOLS)
@pytest.mark.parametrize("role, denied", [("reader", ["VerifyPackage", "MergePackage", "TryPackage", "ImportPackage"]),
                                          ("operator", ["ImportPackage"])])
def test_who_may_only_look_lists_packages(cohortd, exports, kind, role, denied):
    client = PROTOCOLS[kind](cohortd, role)
    packages = client.service("Cohort_PackageService")
    assert call(client, packages, "ListPackages", Folder=exports)["Packages"]
    for method in denied:
        with pytest.raises(CimError) as refused:
            client.invoke(packages, method, Directory=exports / f"own {kind}")
        assert refused.value.code in ACCESS_DENIED, (method, refused.value)


class Overheard:
    """Passes requests on to cohortd, and keeps the last reply as it came."""

    def __init__(self, cohortd):
        self._cohortd, self.reply = cohortd, ""

    def request(self, *arguments, **options):
        answer = self._cohortd.request(*arguments, **options)
        self.reply = answer[2].decode()
        return answer


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_job_that_failed_tells_why(cohortd, exports, kind):
    overheard = Overheard(cohortd)
    client = PROTOCOLS[kind](overheard, "operator")
    sums = exports / f"own {kind}/SHA256SUMS"
    content = sums.read_bytes()
    sums.unlink()
    failed = ended(client, begin(client, client.service("Cohort_PackageService"), "VerifyPackage", Directory=sums.parent))
    sums.write_bytes(content)
    assert (failed["JobState"], failed["Status"]) == (EXCEPTION, "Error") and failed["ErrorCode"] != "0"
    error = call(client, failed.path, "GetError")["Error"]
    assert error.class_name == "Msvm_Error" and "SHA256SUMS" in error["Message"]
    assert (error["Message"], error["OwningEntity"]) == (failed["ErrorDescription"], "Cohort")
    errors = call(client, failed.path, "GetErrorEx")["Errors"]
    errors = errors if isinstance(errors, list) else [errors]
    assert errors[0]["Message"] == failed["ErrorSummaryDescription"]
    assert {each.class_name for each in errors} == {"Msvm_Error"}
    # Some readers take the first attribute of a property for its name.
    first_attributes = re.findall(r"<PROPERTY[.A-Z]* ([A-Za-z]+)=", html.unescape(overheard.reply))
    assert set(first_attributes) == {"NAME"}
