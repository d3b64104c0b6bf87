"""Debian's own clients against cohortd: wbemcli (CIM-XML) and wsl (WS-Management)."""

import os
import re
import subprocess

import pytest

from harness.cim_clients import CimXmlClient, WsmanClient, sender
from harness.cohortd import PASSWORDS, Cohortd
from world import bare_machine

V2 = "root/virtualization/v2"


@pytest.fixture(scope="module")
def cohortd(lab):
    """With three collections, "web 0" to "web 2"; the first has a machine."""
    machine = bare_machine(lab, "client's")
    for number in range(3):
        lab.cohort("collection", "create", f"web {number}", *([machine.name] if number == 0 else []))
    with Cohortd(lab.folder / "cohortd", lab.state) as running:
        yield running


@pytest.fixture(scope="module")
def collections(cohortd):
    return {each["ElementName"]: each for each in CimXmlClient(cohortd, "reader").instances("Msvm_VirtualSystemCollection")}


def test_both_protocols_tell_the_same(cohortd, collections):
    """Times apart, which the protocols write in their own ways."""
    through = {each["ElementName"]: each for each in
               WsmanClient(sender(cohortd, "reader")).instances("Msvm_VirtualSystemCollection")}
    assert through.keys() == collections.keys() == {"web 0", "web 1", "web 2"}
    for name, instance in collections.items():
        assert through[name].path == instance.path
        assert through[name].keys() == instance.keys()
        assert through[name]["CollectionID"] == instance["CollectionID"]


# wbemcli

def wbemcli(cohortd, operation, path, *more, role="reader", tls=True, options=()):
    scheme, port = ("https", cohortd.tls_port) if tls else ("http", cohortd.port)
    done = subprocess.run(["wbemcli", "-nl", *(["-cacert", cohortd.certificate] if tls else []), *options, operation,
                           f"{scheme}://{role}:{PASSWORDS[role]}@localhost:{port}/{path}", *more],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


@pytest.mark.parametrize("tls", [True, False])
def test_wbemcli_lists_instances(cohortd, tls):
    listed = wbemcli(cohortd, "ei", f"{V2}:Msvm_VirtualSystemCollection", tls=tls)
    assert sorted(re.findall(r'^-ElementName="(.*)"$', listed, re.MULTILINE)) == ["web 0", "web 1", "web 2"]
    names = wbemcli(cohortd, "ein", f"{V2}:Msvm_VirtualSystemCollection", tls=tls)
    assert len(re.findall(r"Msvm_VirtualSystemCollection\.CollectionID=", names)) == 3


def test_wbemcli_takes_a_long_list_in_chunks(cohortd):
    listed = wbemcli(cohortd, "ecn", V2, options=["-cte"])
    assert listed == wbemcli(cohortd, "ecn", V2) and "Msvm_SnapshotCollection" in listed


def test_wbemcli_gets_one(cohortd, collections):
    identity = collections["web 1"]["CollectionID"]
    assert 'ElementName="web 1"' in wbemcli(cohortd, "gi", f'{V2}:Msvm_VirtualSystemCollection.CollectionID="{identity}"')
    assert "NOT_FOUND" in wbemcli(cohortd, "gi", f'{V2}:Msvm_VirtualSystemCollection.CollectionID="no"').upper()


def test_wbemcli_knows_the_classes(cohortd):
    assert "Msvm_SnapshotCollection" in wbemcli(cohortd, "ecn", V2)
    assert "ExportSnapshot" in wbemcli(cohortd, "gc", f"{V2}:Msvm_CollectionSnapshotService", options=["-dx"])
    assert "INVALID_CLASS" in wbemcli(cohortd, "ei", f"{V2}:No_Class").upper()


def test_wbemcli_follows_associations(cohortd, collections):
    found = wbemcli(cohortd, "rin", f'{V2}:Msvm_VirtualSystemCollection.CollectionID='
                                    f'"{collections["web 0"]["CollectionID"]}"')
    assert "Msvm_CollectedVirtualSystems" in found


def test_wbemcli_calls_a_method(cohortd):
    service = CimXmlClient(cohortd, "reader").instances("Msvm_CollectionManagementService")[0].path
    keys = ",".join(f'{name}="{value}"' for name, value in service.keys)
    path = f"{V2}:Msvm_CollectionManagementService.{keys}"
    called = wbemcli(cohortd, "cm", path, "DefineCollection.Name=made,Id=,Type=0", role="administrator")
    assert "DefineCollection: 0" in called, called
    assert 'ElementName="made"' in wbemcli(cohortd, "ei", f"{V2}:Msvm_VirtualSystemCollection")
    assert "ACCESS_DENIED" in wbemcli(cohortd, "cm", path, "DefineCollection.Name=other,Id=,Type=0").upper()


def test_wbemcli_is_not_let_in_with_a_wrong_password(cohortd):
    done = subprocess.run(["wbemcli", "ecn", f"http://reader:wrong@localhost:{cohortd.port}/{V2}"], capture_output=True,
                          text=True, timeout=60)
    assert "Invalid username/password" in done.stderr


# wsl

@pytest.fixture
def wsl(cohortd, tmp_path):
    """Runs one of its commands, in a folder and with a home of its own; returns the reply's XML."""
    def run(command, *arguments, role="reader", **environment):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / f"localhost:{cohortd.tls_port}.crt").write_bytes(cohortd.certificate.read_bytes())
        done = subprocess.run([command, *arguments], cwd=folder, capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL,
                              env={**os.environ, "HOME": str(folder), "WSENDPOINT": f"localhost:{cohortd.tls_port}",
                                   "WSUSER": role, "WSPASS": PASSWORDS[role], "TERM": "dumb",
                                   "IPINTERACTIVE": "0", **environment})
        replies = "".join(path.read_text() for path in sorted(folder.glob("*response*.xml")))
        return replies or done.stdout + done.stderr
    return run


def test_wsl_identifies(wsl):
    assert "ProductVendor>Cohort<" in wsl("wslid", "check")


def test_wsl_enumerates(wsl):
    for options in ((), ("-opti", "2"), ("-mode", "objepr")):
        listed = wsl("wslenum", f"http://schemas.microsoft.com/wbem/wsman/1/wmi/{V2}/Msvm_VirtualSystemCollection", *options)
        assert set(re.findall(r"ElementName>(web \d)<", listed)) >= {"web 0", "web 1", "web 2"}, (options, listed)


def test_wsl_gets_by_the_uris_of_the_dmtf(wsl, collections):
    identity = collections["web 2"]["CollectionID"]
    got = wsl("wslget", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Msvm_VirtualSystemCollection",
              f"CollectionID={identity}", f"__cimnamespace={V2}")
    assert "ElementName>web 2<" in got


def test_wsl_asks_with_a_query(wsl):
    listed = wsl("wslenum", f"http://schemas.microsoft.com/wbem/wsman/1/wmi/{V2}/*", "-dialect",
                 "http://schemas.microsoft.com/wbem/wsman/1/WQL", "-filter",
                 "SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'web 1'")
    assert set(re.findall(r"ElementName>(web \d)<", listed)) == {"web 1"}, listed


def test_wsl_calls_a_method_with_a_reference_that_it_has_listed(cohortd, wsl, collections, tmp_path):
    """It copies the lines of an endpoint reference into its request, where prefixes mean something else."""
    uri = f"http://schemas.microsoft.com/wbem/wsman/1/wmi/{V2}"
    listed = tmp_path / "listed.xml"
    listed.write_text(wsl("wslenum", f"{uri}/Msvm_VirtualSystemCollection", "-mode", "epr", "-dialect",
                          "http://schemas.microsoft.com/wbem/wsman/1/WQL", "-filter",
                          "SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'web 2'"))
    answered = wsl("wslinvoke", f"{uri}/Msvm_CollectionManagementService", "RenameCollection", f"Collection=FILE:{listed}",
                   "NewName=web two", role="administrator")
    assert "ReturnValue>0<" in answered, answered
    named = CimXmlClient(cohortd, "reader").get(collections["web 2"].path)["ElementName"]
    wsl("wslinvoke", f"{uri}/Msvm_CollectionManagementService", "RenameCollection", f"Collection=FILE:{listed}",
        "NewName=web 2", role="administrator")
    assert named == "web two"
