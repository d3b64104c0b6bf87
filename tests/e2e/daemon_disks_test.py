"""ExportReferencePoint of chosen disks, which clients name as they have read them: through both protocols, on machines that
are never started."""

import json
from xml.sax.saxutils import escape

import pytest

from harness import wait_until
from harness.cim_clients import CimXmlClient, WsmanClient, sender
from harness.cohortd import Cohortd
from world import bare_machine, overlays

JOB_STARTED, INVALID_PARAMETER = 4096, 4
CLIENTS = {"wsman": lambda cohortd: WsmanClient(sender(cohortd, "administrator")),
           "cimxml": lambda cohortd: CimXmlClient(cohortd, "administrator")}


@pytest.fixture(scope="module")
def machines(lab):
    return [bare_machine(lab, f"disks {number}", ("qcow2", "raw")) for number in (1, 2)]


@pytest.fixture(scope="module")
def exports(lab):
    return lab.new_folder("exports")


@pytest.fixture(scope="module")
def cohortd(lab, exports):
    with Cohortd(lab.folder / "cohortd", lab.state, roots=[exports]) as running:
        yield running


def ended(client, answer):
    code, out = answer
    assert code == JOB_STARTED
    wait_until(lambda: client.get(out["Job"])["JobState"] != "4", 120, "the job ends", 0.1)
    assert client.get(out["Job"])["JobState"] == "7"
    return out["Job"]


def array(name, values):
    held = "".join(f"<VALUE>{escape(value)}</VALUE>" for value in values)
    return f'<PROPERTY.ARRAY NAME="{name}" TYPE="string"><VALUE.ARRAY>{held}</VALUE.ARRAY></PROPERTY.ARRAY>'


def chosen(machine, *disks):
    """The settings of an export of these disks of one machine."""
    one = ('<INSTANCE CLASSNAME="Msvm_VirtualMachineToDisks"><PROPERTY NAME="VirtualMachineId" TYPE="string">'
           f'<VALUE>{machine}</VALUE></PROPERTY>{array("DisksToExport", disks)}</INSTANCE>')
    return ('<INSTANCE CLASSNAME="Msvm_CollectionReferencePointExportSettingData">'
            f'{array("VirtualMachinesToDisksToExport", [one])}</INSTANCE>')


@pytest.mark.parametrize("kind", CLIENTS)
def test_the_disks_that_are_named_are_exported(lab, cohortd, machines, exports, kind):
    client = CLIENTS[kind](cohortd)
    points = client.service("Msvm_CollectionReferencePointService")
    collection = client.define_collection(f"disks {kind}", *(machine.name for machine in machines))
    made = ended(client, client.invoke(points, "CreateReferencePoint", Collection=collection, ReferencePointType=2,
                                       ReferencePointSettings=""))
    point, = client.associated(made, "Msvm_ReferencePointCollection", "Msvm_AffectedJobElement")
    of_machine = {each["ElementName"]: each for each in client.associated(
        point.path, "Msvm_VirtualSystemReferencePoint", "Msvm_CollectedReferencePoints")}[machines[0].name]
    assert len(of_machine["VirtualDiskIdentifiers"]) == 2

    def export(name, settings):
        return client.invoke(points, "ExportReferencePoint", ReferencePointCollection=point.path,
                             ExportDirectory=exports / f"{kind} {name}", ExportSettingData=settings)

    def disks_in(name):
        manifest = json.loads((exports / f"{kind} {name}/cohort.json").read_text())
        return [(each["name"], len(each["disks"])) for each in manifest["machines"] if each["disks"]]

    machine, second = of_machine["VirtualSystemIdentifier"], of_machine["VirtualDiskIdentifiers"][1]
    ended(client, export("one", chosen(machine, second)))
    assert disks_in("one") == [(machines[0].name, 1)]
    assert lab.cohort("verify", exports / f"{kind} one").json["verify"]["whole"]
    ended(client, export("all", chosen(machine)))
    assert disks_in("all") == [(machines[0].name, 2)]
    stranger = "0F3A1B2C-0000-4000-8000-00000000ABCD"
    for settings in (chosen(stranger), chosen(stranger, second), chosen(machine, stranger), chosen(machine, "")):
        assert export("never", settings)[0] == INVALID_PARAMETER
    assert not (exports / f"{kind} never").exists()
    ended(client, client.invoke(points, "DestroyReferencePoint", AffectedReferencePointCollection=point.path))
    assert not overlays(*machines)
