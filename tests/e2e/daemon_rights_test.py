"""Users with roles for single collections, over libvirt's test driver: what both protocols show them, and refuse."""

import re
import signal

import pytest

from harness import wait_until
from harness.cim_clients import CimError, CimXmlClient, WsmanClient, sender
from harness.cohortd import Cohortd
from harness.images import REPOSITORY

TABLE = re.compile(r"^\| (`[^|]+) \| (\w+) \| ([^|]+) \|$", re.MULTILINE)
ROLES = ["none", "reader", "operator", "administrator"]


@pytest.fixture(scope="module")
def cohortd(lab):
    """Collections "shop" (with the machine "test") and "lab"; "night" is an operator of the shop, "guest" is nobody."""
    with Cohortd(lab.folder / "cohortd", lab.state, uri="test:///default",
                 settings={"rights": ["grant = night:operator:shop"]}) as running:
        for name in ("night", "guest"):
            running.add_user(name, "none", "a password")
        running.reload()
        administrator = WsmanClient(sender(running, "administrator"))
        administrator.define_collection("shop", "test")
        administrator.define_collection("lab")
        yield running


@pytest.fixture(params=["wsman", "cimxml"])
def client_of(request, cohortd):
    return lambda user: (WsmanClient(sender(cohortd, user)) if request.param == "wsman" else CimXmlClient(cohortd, user))


def names(found):
    return sorted(each["ElementName"] for each in found)


def test_a_user_sees_his_collection_alone(client_of):
    night, guest = client_of("night"), client_of("guest")
    assert names(night.instances("CIM_CollectionOfMSEs")) == ["shop"]
    assert "test" in names(night.instances("Msvm_ComputerSystem"))
    assert names(guest.instances("CIM_CollectionOfMSEs")) == []
    assert "test" not in names(guest.instances("Msvm_ComputerSystem"))
    assert guest.instances("CIM_SettingData") == [] != night.instances("CIM_SettingData")
    assert len(guest.instances("Msvm_CollectionSnapshotService")) == 1


def test_what_is_hidden_is_found_in_no_way(client_of):
    hidden, = client_of("reader").query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'lab'")
    night = client_of("night")
    assert night.query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'lab'") == []
    for ask in (lambda: night.get(hidden.path), lambda: night.associated(hidden.path, "CIM_ManagedElement")):
        with pytest.raises(CimError) as refused:
            ask()
        assert refused.value.code in (6, "a:DestinationUnreachable"), refused.value


def test_a_refusal_names_the_role(client_of, cohortd):
    night = client_of("night")
    shop, = night.instances("Msvm_VirtualSystemCollection")
    management = night.instances("Msvm_CollectionManagementService")[0].path
    with pytest.raises(CimError) as refused:
        night.invoke(management, "RenameCollection", Collection=shop.path, NewName="mine")
    assert refused.value.code in (2, "w:AccessDenied")
    assert 'night may not call RenameCollection: that needs the role "administrator"' in refused.value.sentence
    assert "warning access-denied: RenameCollection: night may not" in cohortd.log()


def methods_of_the_table():
    """Of docs/security.md: the class, the method and the role that it needs."""
    rows = TABLE.findall((REPOSITORY / "docs/security.md").read_text())
    services = {"Msvm_CollectionManagementService": r"\w*(Member|MemberById|Collection)$", "Msvm_CollectionSnapshotService":
                r"\w*(Snapshot|ConvertToReferencePoint)$", "Msvm_CollectionReferencePointService":
                r"(Create|Export|Destroy)ReferencePoint$", "Cohort_PackageService": r"\w*Packages?$",
                "Msvm_VirtualSystemManagementService": "GetSummaryInformation$"}
    for methods, role, _ in rows:
        for method in re.findall(r"`(\w+)`", methods):
            for class_name, pattern in services.items():
                if re.match(pattern, method):
                    yield class_name, method, role


@pytest.mark.parametrize("class_name, method, needed", methods_of_the_table(), ids=lambda value: value)
def test_the_table_of_the_documentation_is_so(cohortd, class_name, method, needed):
    for role in ROLES:
        client = WsmanClient(sender(cohortd, "guest" if role == "none" else role))
        service = client.instances(class_name)[0].path
        try:
            client.invoke(service, method)
            is_denied = False
        except CimError as refused:
            is_denied = refused.code == "w:AccessDenied"
        assert is_denied == (ROLES.index(role) < ROLES.index(needed)), (method, role)


def test_the_table_is_whole():
    assert len(list(methods_of_the_table())) == 20


def test_a_grant_is_taken_back_while_the_daemon_runs(cohortd):
    text = cohortd.configuration.read_text()
    cohortd.configuration.write_text(text.replace("night:operator:shop", "night:reader:lab"))
    began = len(cohortd.log())
    cohortd.reload()
    assert names(CimXmlClient(cohortd, "night").instances("CIM_CollectionOfMSEs")) == ["lab"]
    cohortd.configuration.write_text(text.replace("night:operator:shop", "night:boss:shop"))
    cohortd.signal(signal.SIGHUP)
    wait_until(lambda: "reload-failed" in cohortd.log(began), 30, "the error is told")
    assert re.search(r'line \d+: grant: "boss" is none of', cohortd.log(began))
    assert names(CimXmlClient(cohortd, "night").instances("CIM_CollectionOfMSEs")) == ["lab"]


def test_what_is_only_read_is_not_in_the_audit_trail(cohortd):
    began = len(cohortd.log())
    client = WsmanClient(sender(cohortd, "reader"))
    service = client.instances("Msvm_VirtualSystemManagementService")[0].path
    assert client.invoke(service, "GetSummaryInformation", RequestedInformation=[0, 1])[0] == 0
    assert "changed" not in cohortd.log(began) and "change-failed" not in cohortd.log(began)
