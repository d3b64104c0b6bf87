"""What clients may write into instances, and who may, through both protocols, over libvirt's test driver."""

import pytest

from harness.cim_clients import CimError, CimXmlClient, Path, WsmanClient, sender
from harness.cohortd import Cohortd
from harness.images import REPOSITORY

ROLES = ["none", "reader", "operator", "administrator"]
NOT_SUPPORTED = (7, "a:ActionNotSupported")
DENIED = (2, "w:AccessDenied")
HIDDEN = (6, "a:DestinationUnreachable")


@pytest.fixture(scope="module")
def cohortd(lab):
    with Cohortd(lab.folder / "cohortd", lab.state, uri="test:///default") as running:
        running.add_user("guest", "none", "a password")
        running.reload()
        WsmanClient(sender(running, "administrator")).define_collection("shop", "test")
        yield running


@pytest.fixture(params=["wsman", "cimxml"])
def client_of(request, cohortd):
    return lambda user: (WsmanClient(sender(cohortd, user)) if request.param == "wsman" else CimXmlClient(cohortd, user))


@pytest.fixture
def administrator(client_of):
    return client_of("administrator")


def settings_of(client):
    machine, = client.query("SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'test'")
    return Path("Msvm_VirtualSystemSettingData", (("InstanceID", f"Microsoft:{machine['Name']}"),))


def refusal_of(call, *arguments, **changed):
    with pytest.raises(CimError) as refused:
        call(*arguments, **changed)
    return refused.value


def test_notes_are_the_machines_description(administrator):
    settings = settings_of(administrator)
    administrator.change(settings, Notes=["for the shop", "ask <ada>"])
    assert administrator.get(settings)["Notes"] in ("for the shop\nask <ada>", ["for the shop\nask <ada>"])
    refused = refusal_of(administrator.modify, settings, BIOSGUID="{0}")
    assert refused.code in NOT_SUPPORTED and "BIOSGUID of a machine cannot be changed here" in refused.sentence


def test_a_collection_is_renamed(administrator, cohortd):
    shop = administrator.instances("Msvm_VirtualSystemCollection")[0].path
    administrator.change(shop, ElementName="the störe")
    assert administrator.get(shop)["ElementName"] == "the störe"
    assert "changed: modify" in cohortd.log()
    administrator.change(shop, ElementName="shop")
    assert refusal_of(administrator.modify, shop, Caption="x").code in NOT_SUPPORTED
    assert refusal_of(administrator.modify, shop, ElementName="").code in (4, "w:InvalidParameter")


def test_what_may_not_be_written_stays(administrator):
    machine, = administrator.query("SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'test'")
    refused = refusal_of(administrator.modify, machine.path, ElementName="other")
    assert refused.code in NOT_SUPPORTED and "Msvm_ComputerSystem.ElementName cannot be changed" in refused.sentence


def documented_role():
    rows = (REPOSITORY / "docs/security.md").read_text().splitlines()
    return next(row.split("|")[2].strip() for row in rows if row.startswith("| `ModifyInstance`"))


@pytest.mark.parametrize("user", ROLES)
def test_the_role_is_that_of_the_documentation(client_of, administrator, user):
    needed = documented_role()
    client = client_of("guest" if user == "none" else user)
    for path, change in ((settings_of(administrator), {"Notes": ["for " + user]}),
                         (administrator.instances("Msvm_VirtualSystemCollection")[0].path, {"ElementName": "shop"})):
        try:
            client.change(path, **change)
            code = 0
        except CimError as refused:
            code = refused.code
        if user == "none":
            assert code in HIDDEN
        else:
            assert (code in DENIED) == (ROLES.index(user) < ROLES.index(needed))
