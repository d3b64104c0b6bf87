"""Machines as clients of cohortd see them, through both protocols, on a real guest: what it is, what it consists of, its
power; and what a snapshot keeps of it."""

import subprocess
import uuid

import libvirt
import pytest

from harness import wait_until
from harness.cim_clients import CimError, CimXmlClient, Path, WsmanClient, embedded, path_text, sender
from harness.cohortd import PASSWORDS, Cohortd
from world import bare_machine, overlays

RUNS, OFF, PAUSED = "2", "3", "9"
START, TURN_OFF, SHUT_DOWN, PAUSE, RESET = 2, 3, 4, 9, 11
INVALID_PARAMETER, INVALID_STATE = 32773, 32775
CLIENTS = {"wsman": lambda cohortd, role: WsmanClient(sender(cohortd, role)), "cimxml": CimXmlClient}


@pytest.fixture(scope="module")
def cohortd(lab, guest, bare):
    with Cohortd(lab.folder / "cohortd", lab.state) as running:
        yield running


@pytest.fixture(params=CLIENTS)
def operator(request, cohortd):
    return CLIENTS[request.param](cohortd, "operator")


def uuid_of(guest):
    return guest.domain.UUIDString().upper()


def path_of(guest):
    return Path("Msvm_ComputerSystem", (("CreationClassName", "Msvm_ComputerSystem"), ("Name", uuid_of(guest))))


def settings_of(client, guest):
    found, = client.associated(path_of(guest), "Msvm_VirtualSystemSettingData", "Msvm_SettingsDefineState")
    return found


def parts_of(client, settings, class_name):
    return client.associated(settings.path, class_name, "Msvm_VirtualSystemSettingDataComponent")


def request(client, guest, state):
    return client.invoke(path_of(guest), "RequestStateChange", RequestedState=state)[0]


def state_of(client, guest):
    return client.get(path_of(guest))["EnabledState"]


def test_the_host_and_its_machines_are_listed(operator, guest, bare):
    systems = {each["ElementName"]: each for each in operator.instances("CIM_ComputerSystem")}
    host, = [each for each in systems.values() if each["Caption"] == "Hosting Computer System"]
    assert host["Name"] == host["ElementName"]
    running, off = systems[guest.name], systems[bare.name]
    assert (running["Name"], running["EnabledState"], running["HealthState"]) == (uuid_of(guest), RUNS, "5")
    assert (off["Name"], off["EnabledState"], off["ProcessID"]) == (uuid_of(bare), OFF, None)
    assert int(running["OnTimeInMilliseconds"]) > 0
    with open(f"/proc/{running['ProcessID']}/cmdline", encoding="utf-8") as command:
        assert guest.name in command.read()


@pytest.mark.parametrize("which", ["guest", "bare"])
@pytest.mark.parametrize("client", CLIENTS)
def test_notes_are_written_to_a_machine_that_runs_and_to_one_that_is_off(request, cohortd, client, which):
    machine = request.getfixturevalue(which)
    administrator = CLIENTS[client](cohortd, "administrator")
    settings = settings_of(administrator, machine).path
    administrator.change(settings, Notes=["für den Laden", "ask ada"])
    for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
        assert "<description>für den Laden\nask ada</description>" in machine.domain.XMLDesc(flags)
    administrator.change(settings, Notes=[""])
    assert "<description>" not in machine.domain.XMLDesc(0)


def test_settings_tell_what_a_machine_consists_of(operator, guest):
    settings = settings_of(operator, guest)
    assert settings["InstanceID"] == f"Microsoft:{uuid_of(guest)}"
    assert settings["VirtualSystemType"] == "Microsoft:Hyper-V:System:Realized"
    assert settings["IncrementalBackupEnabled"].lower() == "true"
    assert settings["PauseAfterBootFailure"].lower() == "false"
    memory, = parts_of(operator, settings, "Msvm_MemorySettingData")
    assert memory["VirtualQuantity"] == "128"
    processor, = parts_of(operator, settings, "Msvm_ProcessorSettingData")
    assert processor["VirtualQuantity"] == str(guest.domain.maxVcpus())
    images = parts_of(operator, settings, "Msvm_StorageAllocationSettingData")
    files = [each["HostResource"] if isinstance(each["HostResource"], str) else each["HostResource"][0]
             for each in images]
    assert sorted(files) == sorted(map(str, guest.disk_paths().values()))
    for each in (memory, processor, *images):
        assert operator.get(each.path)["InstanceID"] == each["InstanceID"]
        group, = operator.associated(each.path, "Msvm_VirtualSystemSettingData")
        assert group.path == settings.path


def test_power(operator, guest):
    assert request(operator, guest, START) == INVALID_STATE
    assert request(operator, guest, PAUSE) == 0
    assert guest.state() == "paused" and state_of(operator, guest) == PAUSED
    assert request(operator, guest, START) == 0
    assert guest.state() == "running" and state_of(operator, guest) == RUNS
    guest.mark_console()
    assert request(operator, guest, RESET) == 0
    guest.wait_ready()
    assert request(operator, guest, SHUT_DOWN) == 0
    wait_until(lambda: state_of(operator, guest) == OFF, 90, "the guest shuts down")
    assert request(operator, guest, SHUT_DOWN) == INVALID_STATE
    assert request(operator, guest, START) == 0
    assert request(operator, guest, TURN_OFF) == 0
    assert guest.state() == "shut off" and state_of(operator, guest) == OFF
    guest.mark_console()
    assert request(operator, guest, START) == 0
    guest.wait_ready()


@pytest.mark.parametrize("kind", CLIENTS)
def test_who_may_only_look_changes_no_power(cohortd, guest, kind):
    with pytest.raises(CimError):
        request(CLIENTS[kind](cohortd, "reader"), guest, TURN_OFF)
    assert guest.state() == "running"


def test_summaries(operator, guest, bare):
    service, = operator.instances("Msvm_VirtualSystemManagementService")
    code, out = operator.invoke(service.path, "GetSummaryInformation", RequestedInformation=[0, 1, 4, 100, 103, 105])
    assert code == 0
    summaries = {each["ElementName"]: each for each in out["SummaryInformation"]}
    running, off = summaries[guest.name], summaries[bare.name]
    assert running.class_name == "Msvm_SummaryInformation"
    assert (running["Name"], running["EnabledState"], running["MemoryUsage"]) == (uuid_of(guest), RUNS, "128")
    assert (off["EnabledState"], off["UpTime"], off["HealthState"]) == (OFF, "0", None)


def test_summaries_of_chosen_machines(operator, guest, bare):
    """As Microsoft's sample about memory asks, and with one that is not there."""
    service, = operator.instances("Msvm_VirtualSystemManagementService")
    nobody = Path("Msvm_VirtualSystemSettingData", (("InstanceID", f"Microsoft:{uuid.uuid4()}"),))
    code, out = operator.invoke(service.path, "GetSummaryInformation", RequestedInformation=[113, 121, 135, 136],
                                SettingData=[settings_of(operator, guest).path, nobody, settings_of(operator, bare).path])
    assert code == 0
    running, none, off = out["SummaryInformation"]
    host, = [each for each in operator.instances("Msvm_ComputerSystem") if each["Caption"] == "Hosting Computer System"]
    for each, machine in ((running, guest), (off, bare)):
        assert (each["Name"], each["AvailableMemoryBuffer"]) == (uuid_of(machine), "2147483647")
        assert (each["SwapFilesInUse"].lower(), each["HostComputerSystemName"]) == ("false", host["Name"])
        assert each["VirtualSystemSubType"].startswith("Microsoft:Hyper-V:SubType:")
    assert (none["Name"], none["SwapFilesInUse"], none["HostComputerSystemName"]) == ("", None, None)


def test_a_snapshot_keeps_settings(cohortd, guest, bare):
    client = CLIENTS["wsman"](cohortd, "administrator")
    snapshots, = client.instances("Msvm_CollectionSnapshotService")
    collection = client.define_collection("machines", guest.name, bare.name)
    frozen = sorted(map(str, guest.disk_paths().values()))
    _, out = client.invoke(snapshots.path, "CreateSnapshot", Collection=collection, SnapshotType=2,
                           SnapshotSettings=embedded("Msvm_VirtualSystemSnapshotSettingData", ConsistencyLevel=2))
    wait_until(lambda: client.get(out["Job"])["JobState"] == "7", 120, "the snapshot is taken")
    snapshot, = client.associated(out["Job"], "Msvm_SnapshotCollection", "Msvm_AffectedJobElement")
    members = {each["VirtualSystemIdentifier"]: each
               for each in client.associated(snapshot.path, "Msvm_VirtualSystemSettingData", "Msvm_CollectedSnapshots")}
    assert set(members) == {uuid_of(guest), uuid_of(bare)}
    kept = members[uuid_of(guest)]
    assert kept["VirtualSystemType"] == "Microsoft:Hyper-V:Snapshot:Recovery" and kept["CreationTime"]
    images = parts_of(client, kept, "Msvm_StorageAllocationSettingData")
    assert sorted(each["HostResource"] for each in images) == frozen
    of_guest, = client.associated(path_of(guest), "Msvm_VirtualSystemSettingData", "Msvm_MostCurrentSnapshotInBranch")
    assert of_guest.path == kept.path
    _, out = client.invoke(snapshots.path, "DestroySnapshot", AffectedSnapshotCollection=snapshot.path)
    wait_until(lambda: client.get(out["Job"])["JobState"] == "7", 120, "the snapshot is destroyed")
    assert client.associated(path_of(guest), "Msvm_VirtualSystemSettingData", "Msvm_SnapshotOfVirtualSystem") == []
    assert not overlays(guest, bare)


def test_going_back_changes_which_snapshot_a_machine_goes_on_from(cohortd, bare):
    client = CLIENTS["cimxml"](cohortd, "administrator")
    service = client.service("Msvm_CollectionSnapshotService")
    collection = client.define_collection("branches", bare.name)

    def done(method, **parameters):
        code, out = client.invoke(service, method, **parameters)
        assert code == 4096
        wait_until(lambda: client.get(out["Job"])["JobState"] != "4", 120, f"the job of {method} ends")
        assert client.get(out["Job"])["JobState"] == "7"
        return client.associated(out["Job"], "Msvm_SnapshotCollection", "Msvm_AffectedJobElement")

    def settings_through(association):
        return [each.path for each in client.associated(path_of(bare), "Msvm_VirtualSystemSettingData", association)]

    first, = done("CreateSnapshot", Collection=collection, SnapshotType=1, SnapshotSettings="")
    second, = done("CreateSnapshot", Collection=collection, SnapshotType=1, SnapshotSettings="")
    kept = [client.associated(each.path, "Msvm_VirtualSystemSettingData", "Msvm_CollectedSnapshots")[0]
            for each in (first, second)]
    assert (kept[0]["Parent"], kept[1]["Parent"]) == (None, path_text(kept[0].path))
    assert settings_through("Msvm_MostCurrentSnapshotInBranch") == [kept[1].path]
    assert settings_through("Msvm_LastAppliedSnapshot") == []
    done("ApplySnapshot", SnapshotCollection=first.path)
    assert settings_through("Msvm_MostCurrentSnapshotInBranch") == [kept[0].path]
    assert settings_through("Msvm_LastAppliedSnapshot") == [kept[0].path]
    for each in (second, first):
        done("DestroySnapshot", AffectedSnapshotCollection=each.path)
    assert not overlays(bare)


@pytest.mark.parametrize("kind", CLIENTS)
def test_members_leave_a_collection_and_it_gets_another_name(lab, cohortd, guest, bare, kind):
    client = CLIENTS[kind](cohortd, "administrator")
    management = client.service("Msvm_CollectionManagementService")
    lost = bare_machine(lab, f"lost {kind}")
    collection = client.define_collection(f"members {kind}", guest.name, bare.name, lost.name)
    other = client.define_collection(f"other {kind}")

    def manage(method, **parameters):
        return client.invoke(management, method, **parameters)[0]

    def members():
        return sorted(each["ElementName"] for each in client.associated(
            collection, "Msvm_ComputerSystem", "Msvm_CollectedVirtualSystems"))

    assert members() == sorted([guest.name, bare.name, lost.name])
    assert manage("RemoveMember", Member=path_of(guest), Collection=collection) == 0
    assert members() == sorted([bare.name, lost.name])
    path = path_of(lost)
    lost.undefine()
    by_id = {"Member": path, "CollectionId": collection.key("CollectionID")}
    assert manage("RemoveMemberById", **by_id) == 0, "though the machine is gone"
    shown = lab.cohort("collection", "show", f"members {kind}").json["collection"]
    assert [each["name"] for each in shown["machines"]] == members() == [bare.name]
    assert manage("RemoveMember", Member=path_of(guest), Collection=collection) == INVALID_PARAMETER, "it is no member"

    assert manage("RenameCollection", Collection=collection, NewName=f"renämed {kind}") == 0
    assert client.get(collection)["ElementName"] == f"renämed {kind}"
    assert client.query(f"SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'members {kind}'") == []
    assert manage("RenameCollection", Collection=collection, NewName=f"other {kind}") == INVALID_PARAMETER, "it is taken"
    for each in (collection, other):
        assert manage("DestroyCollection", Collection=each) == 0
    assert manage("RemoveMemberById", **by_id) == 0, "though the collection is gone"


def test_the_host_is_told_of_under_windows_names(operator):
    product, = operator.query("SELECT UUID FROM Win32_ComputerSystemProduct", "root/cimv2")
    assert len(product["UUID"]) == 36
    system, = operator.instances("Win32_OperatingSystem", "root/cimv2")
    assert int(system["TotalVisibleMemorySize"]) > 0
    # As virt-who asks.
    file, = operator.query(r"select * from CIM_Datafile where Path = '\\windows\\system32\\' and FileName='vmms'",
                           "root/cimv2")
    assert file["Version"]
    names = {each["Name"] for each in operator.instances("CIM_Namespace", "root/interop")}
    assert "root/virtualization/v2" in names


def test_debians_wbemcli_lists_machines(cohortd, guest):
    url = f"http://reader:{PASSWORDS['reader']}@127.0.0.1:{cohortd.port}/root/virtualization/v2"
    listed = subprocess.run(["wbemcli", "ei", f"{url}:Msvm_ComputerSystem"], capture_output=True, text=True, timeout=60,
                            check=True)
    assert uuid_of(guest) in listed.stdout
