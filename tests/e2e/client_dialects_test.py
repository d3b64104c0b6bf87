"""What each of the clients sends, to the byte where it matters, and the shapes that they accept: over libvirt's test driver.

The requests are those of openwsman's wsman, libvirt's Hyper-V driver, virt-who, OMI's omicli, go-wsman, pypsrp, Windows'
CIM cmdlets (WS-Management), pywbem, wbemcli and cimcli (CIM-XML).
"""

import contextlib
import http.client
import re
import socket
import uuid
import xml.etree.ElementTree as ET

import pytest

from harness.cim_clients import A, CIM, N, NIL, S, SOAP_TYPE, V2, W, CimXmlClient, WsmanClient, sender
from harness.cim_xml_grammar import check_reply
from harness.cohortd import Cohortd

MS = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2"
HOST = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
DM = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2"
ANY = "http://schemas.dmtf.org/wbem/wscim/1/*"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
SAFE_FAULT_ACTIONS = {"http://schemas.xmlsoap.org/ws/2004/08/addressing/fault",
                      "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"}


@pytest.fixture(scope="module")
def cohortd(lab):
    with Cohortd(lab.folder / "cohortd", lab.state, uri="test:///default") as running:
        client = CimXmlClient(running, "administrator")
        client.define_collection("shop", "test")
        client.define_collection("other")
        yield running


# The clients' envelopes

def openwsman(action, uri, body, selectors="", more=""):
    """wsman and libvirt (openwsman's library)."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        f'xmlns:wsman="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:wsen="{ENUMERATION}">\n<s:Header>'
        f'<wsa:Action s:mustUnderstand="true">{action}</wsa:Action>'
        '<wsa:To s:mustUnderstand="true">http://127.0.0.1:5985/wsman</wsa:To>'
        f'<wsman:ResourceURI s:mustUnderstand="true">{uri}</wsman:ResourceURI>'
        f'<wsa:MessageID s:mustUnderstand="true">uuid:{uuid.uuid4()}</wsa:MessageID>'
        f'<wsa:ReplyTo><wsa:Address>{ANONYMOUS}</wsa:Address></wsa:ReplyTo>{selectors}{more}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>\n")


def omicli(action, uri, body, selectors="<w:SelectorSet/>"):
    """xsi is bound to what it is not, To has a scheme in upper case, OptionSet has to be understood."""
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
        'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd" xmlns:xsi="http://www.w3.org/2001/XMLSchema" '
        'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"><s:Header>'
        f'<a:To>HTTP://127.0.0.1:5985/wsman/</a:To><w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI>'
        f'<a:ReplyTo><a:Address s:mustUnderstand="true">{ANONYMOUS}</a:Address></a:ReplyTo><a:Action>{action}</a:Action>'
        '<w:MaxEnvelopeSize s:mustUnderstand="true">102400</w:MaxEnvelopeSize>'
        '<a:MessageID>uuid:4835BEC2-60DE-0006-0000-000000010000</a:MessageID>'
        '<w:OperationTimeout>PT1M30S</w:OperationTimeout><w:Locale xml:lang="en-us" s:mustUnderstand="false"/>'
        '<p:DataLocale xml:lang="en-us" s:mustUnderstand="false"/>'
        f'<w:OptionSet s:mustUnderstand="true"></w:OptionSet>{selectors}</s:Header><s:Body>{body}</s:Body></s:Envelope>')


def windows(action, uri, body, selectors=(), options=""):
    """The CIM cmdlets: the DMTF's URIs with __cimnamespace, and MS-WSMV's headers."""
    set_ = "".join(f'<w:Selector Name="{name}">{value}</w:Selector>' for name, value in selectors)
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
        'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" '
        'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"><s:Header><a:To>http://h:5985/wsman</a:To>'
        f'<w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI><a:ReplyTo>'
        f'<a:Address s:mustUnderstand="true">{ANONYMOUS}</a:Address></a:ReplyTo><a:Action s:mustUnderstand="true">{action}</a:Action>'
        '<w:MaxEnvelopeSize s:mustUnderstand="true">512000</w:MaxEnvelopeSize>'
        f'<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><w:Locale xml:lang="en-US" s:mustUnderstand="false"/>'
        '<p:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>'
        f'<p:SessionId s:mustUnderstand="false">uuid:{uuid.uuid4()}</p:SessionId>'
        f'<p:OperationID s:mustUnderstand="false">uuid:{uuid.uuid4()}</p:OperationID>'
        '<p:SequenceId s:mustUnderstand="false">1</p:SequenceId>'
        '<x:ActivityId xmlns:x="http://schemas.microsoft.com/wbem/wsman/1/x" s:mustUnderstand="false">1</x:ActivityId>'
        f'<w:SelectorSet>{set_}</w:SelectorSet>'
        '<w:OptionSet xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" s:mustUnderstand="true">'
        '<w:Option Name="__MI_CallbackRegistration" Type="xs:int">11</w:Option>'
        '<w:Option Name="wmi:__MI_OPERATIONOPTIONS_WRITEERRORMODE">1</w:Option>'
        '<w:Option Name="wmiarray:__MI_OPERATIONOPTIONS_CHANNELVALUE">0</w:Option>'
        '<w:Option Name="wmiarray:__MI_OPERATIONOPTIONS_CHANNELVALUE">1</w:Option>'
        f'<w:Option Name="msftwinrm:UsePreciseArrays">true</w:Option>{options}</w:OptionSet>'
        f'<w:OperationTimeout>PT60.000S</w:OperationTimeout></s:Header><s:Body>{body}</s:Body></s:Envelope>')


class Reply:
    """An answer's status, its text, and its elements."""

    def __init__(self, status, headers, raw):
        self.status, self.headers = status, headers
        self.text = raw.decode(headers["Content-Type"].rsplit("=", 1)[1])
        self.root = ET.fromstring(self.text)
        self.body = self.root.find(f"{S}Body")
        self.action = self.root.find(f"{S}Header/{A}Action").text

    @property
    def fault(self):
        """Subcode (or code) and the last part of the detail."""
        found = self.body.find(f"{S}Fault")
        subcode = found.find(f"{S}Code/{S}Subcode/{S}Value")
        detail = found.find(f"{S}Detail/{W}FaultDetail")
        return ((subcode if subcode is not None else found.find(f"{S}Code/{S}Value")).text,
                None if detail is None else detail.text.rsplit("/", 1)[1])


@pytest.fixture
def ask(cohortd):
    def send(body, role="administrator", encoding="utf-8", content_type=None, path="/wsman"):
        headers = SOAP_TYPE if content_type is None else {"Content-Type": content_type}
        return Reply(*cohortd.request("POST", path, body.encode(encoding), headers, role=role))
    return send


def enumerate_wql(query, mode=""):
    mode = f"<wsman:EnumerationMode>{mode}</wsman:EnumerationMode>" if mode else ""
    return (f'<wsen:Enumerate><wsman:Filter Dialect="{WQL}">{query}</wsman:Filter>{mode}</wsen:Enumerate>')


def pull_all(ask, opened, pull_uri):
    """As libvirt pulls: no MaxElements, and to another URI; one reply for each item, and what they say of the end."""
    context = opened.body.find(f"{N}EnumerateResponse/{N}EnumerationContext").text
    replies = []
    while context:
        replies.append(ask(openwsman(f"{ENUMERATION}/Pull", pull_uri, "<wsen:Pull><wsen:EnumerationContext>"
                                     f"{context}</wsen:EnumerationContext></wsen:Pull>")))
        pulled = replies[-1].body.find(f"{N}PullResponse")
        assert (pulled.find(f"{N}EnumerationContext") is None) != (pulled.find(f"{N}EndOfSequence") is None)
        assert len(pulled.find(f"{N}Items")) <= 1
        found = pulled.find(f"{N}EnumerationContext")
        context = None if found is None else found.text
    return replies


# libvirt's Hyper-V driver

def test_libvirt_connects_and_lists(cohortd, ask):
    for query in ("select * from Win32_ComputerSystemProduct ", "select * from Win32_OperatingSystem "):
        opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f"{HOST}/*", enumerate_wql(query)))
        assert opened.status == 200 and opened.body.find(f"{N}EnumerateResponse/{W}Items") is None
        assert len(pull_all(ask, opened, f"{HOST}/{query.split()[3]}")) == 1
    opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/*",
                           enumerate_wql("SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND EnabledState = 2 ")))
    replies = pull_all(ask, opened, f"{MS}/Msvm_ComputerSystem")
    items = [item for reply in replies for item in reply.body.find(f"{N}PullResponse/{N}Items")]
    assert [item.find(f"{{{MS}/Msvm_ComputerSystem}}ElementName").text for item in items] == ["test"]


def test_libvirt_finds_every_property_under_its_prefixes(cohortd, ask):
    """Its XPaths have the prefixes s, a, n, w and p in them; a property that is not there ends its reading."""
    declared = CimXmlClient(cohortd, "reader")
    for class_name in ("Msvm_ComputerSystem", "Msvm_VirtualSystemSettingData", "Msvm_ProcessorSettingData",
                       "Msvm_MemorySettingData", "Msvm_ConcreteJob", "Msvm_ResourceAllocationSettingData"):
        opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/*", enumerate_wql(f"SELECT * FROM {class_name}")))
        names = {each.get("NAME") for each in declared._intrinsic(  # noqa: SLF001: the class is no instance
            "GetClass", V2, ClassName=f'<CLASSNAME NAME="{class_name}"/>').find("IRETURNVALUE/CLASS")
            if each.tag.startswith("PROPERTY")}
        for reply in pull_all(ask, opened, f"{MS}/{class_name}"):
            for item in reply.body.find(f"{N}PullResponse/{N}Items"):
                assert {child.tag.split("}")[1] for child in item} == names
                assert all(child.text is None for child in item if child.get(NIL) == "true")
                start = re.search(rf'<p:{class_name} xmlns:p="{re.escape(MS)}/{class_name}" '
                                  rf'xsi:type="p:{class_name}_Type">', reply.text)
                assert start and "<p:Caption" in reply.text
            envelope = reply.text[reply.text.index("<s:Envelope"):].split(">", 1)[0]
            for prefix in ("s", "a", "n", "w"):
                assert f"xmlns:{prefix}=" in envelope
            assert "<s:Body><n:PullResponse>" in reply.text and "<n:Items>" in reply.text


def test_libvirt_asks_for_associators_and_the_job(ask):
    machine = ask(openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/*", enumerate_wql(
        "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'test'")))
    item = pull_all(ask, machine, f"{MS}/Msvm_ComputerSystem")[0].body.find(f".//{N}Items")[0]
    name = item.find(f"{{{MS}/Msvm_ComputerSystem}}Name").text
    query = (f"ASSOCIATORS OF {{Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='{name}'}} WHERE "
             "AssocClass = Msvm_SettingsDefineState ResultClass = Msvm_VirtualSystemSettingData ")
    opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/*", enumerate_wql(query)))
    assert len(pull_all(ask, opened, f"{MS}/Msvm_VirtualSystemSettingData")) == 1
    opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/*",
                           enumerate_wql("select * from Msvm_ConcreteJob where InstanceID='none'")))
    last, = pull_all(ask, opened, f"{MS}/Msvm_ConcreteJob")
    assert len(last.body.find(f".//{N}Items")) == 0, "Items, though there are none"


def test_libvirt_stops_and_starts_a_machine(ask):
    def selectors():
        opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/*", enumerate_wql(
            "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'test'", "EnumerateEPR")))
        endpoint = pull_all(ask, opened, f"{MS}/Msvm_ComputerSystem")[0].body.find(f".//{N}Items/{A}EndpointReference")
        assert [child.tag for child in endpoint] == [f"{A}Address", f"{A}ReferenceParameters"]
        assert endpoint.find(f"{A}ReferenceParameters/{W}ResourceURI").text == f"{MS}/Msvm_ComputerSystem"
        return "<wsman:SelectorSet>" + "".join(
            f'<wsman:Selector Name="{each.get("Name")}">{each.text}</wsman:Selector>'
            for each in endpoint.find(f"{A}ReferenceParameters/{W}SelectorSet")) + "</wsman:SelectorSet>"
    uri = f"{MS}/Msvm_ComputerSystem"
    for wanted in (3, 2):
        done = ask(openwsman(f"{uri}/RequestStateChange", uri, f'<p:RequestStateChange_INPUT xmlns:p="{uri}">'
                             f"<p:RequestedState>{wanted}</p:RequestedState></p:RequestStateChange_INPUT>", selectors()))
        out = done.body.find(f"{{{uri}}}RequestStateChange_OUTPUT")
        assert done.action in (f"{uri}/RequestStateChangeResponse", f"{uri}/RequestStateChange")
        assert out.find(f"{{{uri}}}ReturnValue").text == "0"
        opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/*", enumerate_wql(
            "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'test'")))
        item = pull_all(ask, opened, uri)[0].body.find(f".//{N}Items")[0]
        assert item.find(f"{{{uri}}}EnabledState").text == str(wanted)


def test_libvirt_sends_references_as_it_has_got_them_and_settings_in_cdata(cohortd, ask):
    opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/*", enumerate_wql(
        "SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'shop'", "EnumerateEPR")))
    text = pull_all(ask, opened, f"{MS}/Msvm_VirtualSystemCollection")[0].text
    verbatim = re.search(r"<a:EndpointReference>(.*)</a:EndpointReference>", text).group(1)
    uri = f"{MS}/Msvm_CollectionSnapshotService"
    settings = ('<![CDATA[<INSTANCE CLASSNAME="Msvm_VirtualSystemSnapshotSettingData"><PROPERTY NAME="NoSuch" TYPE="uint8">'
                "<VALUE>2</VALUE></PROPERTY></INSTANCE>]]>")
    wrong = ask(openwsman(f"{uri}/CreateSnapshot", uri, f'<p:CreateSnapshot_INPUT xmlns:p="{uri}" '
                          'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
                          'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">'
                          f"<p:Collection>{verbatim}</p:Collection><p:SnapshotSettings>{settings}</p:SnapshotSettings>"
                          "<p:SnapshotType>2</p:SnapshotType></p:CreateSnapshot_INPUT>"))
    assert wrong.fault[0] == "w:InvalidParameter" and 'NoSuch' in wrong.text, "read, and not ignored"
    right = settings.replace("NoSuch", "ConsistencyLevel")
    started = ask(openwsman(f"{uri}/CreateSnapshot", uri, f'<p:CreateSnapshot_INPUT xmlns:p="{uri}" '
                            'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
                            'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">'
                            f"<p:Collection>{verbatim}</p:Collection><p:SnapshotSettings>{right}</p:SnapshotSettings>"
                            "<p:SnapshotType>2</p:SnapshotType></p:CreateSnapshot_INPUT>"))
    out = started.body.find(f"{{{uri}}}CreateSnapshot_OUTPUT")
    assert out.find(f"{{{uri}}}ReturnValue").text == "4096"
    job = out.find(f"{{{uri}}}Job")
    assert [child.tag for child in job] == [f"{A}Address", f"{A}ReferenceParameters"], "not wrapped"


# virt-who

def test_virt_who_is_told_of_basic_before_it_says_anything(cohortd):
    status, headers, _ = cohortd.request("POST", "/wsman", b"", {"Content-Length": "0"})
    assert status == 401 and "basic" in headers["WWW-Authenticate"].lower()


def test_virt_who_falls_back_from_the_old_namespace(ask):
    old = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization"
    refused = ask(openwsman(f"{ENUMERATION}/Enumerate", f"\n  {old}/* \n", enumerate_wql("select * from Msvm_ComputerSystem")))
    assert refused.status == 500 and refused.fault == ("a:DestinationUnreachable", "InvalidNamespace")
    for uri, query, name in ((HOST, "select UUID from Win32_ComputerSystemProduct", "UUID"),
                             (HOST, "select * from CIM_Datafile where Path = '\\\\windows\\\\system32\\\\' and "
                                    "FileName='vmms'", "Version")):
        opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f" {uri}/* ", enumerate_wql(query)))
        first = pull_all(ask, opened, f"{uri}/*")[0].body.find(f".//{N}Items")[0]
        assert any(child.tag.endswith("}" + name) and child.text for child in first)


def test_virt_who_writes_wrong_namespaces_and_part_of_the_keys(ask):
    uri = f"{MS}/Msvm_VirtualSystemManagementService"
    done = ask(openwsman(
        f"{uri}/GetSummaryInformation", uri, "<wsman:GetSummaryInformation_INPUT>"
        "<wsman:RequestedInformation>0</wsman:RequestedInformation><wsman:RequestedInformation>1</wsman:RequestedInformation>"
        "</wsman:GetSummaryInformation_INPUT>",
        '<wsman:SelectorSet><wsman:Selector Name="CreationClassName">Msvm_VirtualSystemManagementService</wsman:Selector>'
        '<wsman:Selector Name="SystemCreationClassName">Msvm_ComputerSystem</wsman:Selector></wsman:SelectorSet>'))
    out = done.body[0]
    assert out.tag == f"{{{uri}}}GetSummaryInformation_OUTPUT" and out.find(f"{{{uri}}}ReturnValue").text == "0"
    summary = out.find(f"{{{uri}}}SummaryInformation")
    inner = f"{MS}/Msvm_SummaryInformation"
    assert summary.find(f"{{{inner}}}ElementName").text == "test"
    assert summary.get("{http://www.w3.org/2001/XMLSchema-instance}type").endswith(":Msvm_SummaryInformation_Type")


# omicli, which PowerShell's client is built of

def test_omicli_enumerates(ask):
    body = ("<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements></n:Enumerate>")
    answer = ask(omicli(f"{ENUMERATION}/Enumerate", f"{MS}/Msvm_VirtualSystemCollection", body), path="/wsman/")
    response = answer.body.find(f"{N}EnumerateResponse")
    assert [child.tag for child in response] == [f"{N}EnumerationContext", f"{W}Items", f"{W}EndOfSequence"]
    assert response[0].text is None and len(response[1]) == 2
    assert answer.root.find(f"{S}Header/{A}RelatesTo").text == "uuid:4835BEC2-60DE-0006-0000-000000010000"
    query = ('<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>1</w:MaxElements>'
             f'<w:Filter Dialect="{WQL}">SELECT * FROM Msvm_VirtualSystemCollection</w:Filter></n:Enumerate>')
    first = ask(omicli(f"{ENUMERATION}/Enumerate", f"{MS}/*", query,
                       f'<w:SelectorSet><w:Selector Name="__cimnamespace">{V2}</w:Selector></w:SelectorSet>'))
    response = first.body.find(f"{N}EnumerateResponse")
    assert [child.tag for child in response] == [f"{N}EnumerationContext", f"{W}Items"] and response[0].text
    for mode, tag in (("EnumerateEPR", f"{A}EndpointReference"), ("EnumerateObjectAndEPR", f"{W}Item")):
        both = ask(omicli(f"{ENUMERATION}/Enumerate", f"{DM}/Msvm_VirtualSystemCollection", body.replace(
            "</n:Enumerate>", f"<w:EnumerationMode>{mode}</w:EnumerationMode></n:Enumerate>")))
        items = both.body.find(f".//{W}Items")
        assert [item.tag for item in items] == [tag] * 2
        endpoint = items[0] if tag.endswith("Reference") else items[0][1]
        assert endpoint.find(f".//{W}ResourceURI").text == f"{DM}/Msvm_VirtualSystemCollection", "as it was asked"


def test_omicli_sends_references_as_instances(cohortd, ask):
    identity = CimXmlClient(cohortd, "reader").query(
        "SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'other'")[0]["CollectionID"]
    uri = f"{DM}/Msvm_CollectionManagementService"
    done = ask(omicli(f"{uri}/RenameCollection", uri, f'<p:RenameCollection_INPUT xmlns:p="{uri}"><p:Collection '
                      f'xmlns:p1="{DM}/Msvm_VirtualSystemCollection" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
                      f'xsi:type="p1:Msvm_VirtualSystemCollection_Type"><p1:CollectionID>{identity}</p1:CollectionID>'
                      "</p:Collection><p:NewName>other</p:NewName></p:RenameCollection_INPUT>"))
    assert done.body.find(f"{{{uri}}}RenameCollection_OUTPUT/{{{uri}}}ReturnValue").text == "0"


# go-wsman

def test_go_wsman_wraps_references(cohortd, ask):
    identity = CimXmlClient(cohortd, "reader").query(
        "SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'other'")[0]["CollectionID"]
    uri = f"{MS}/Msvm_CollectionManagementService"
    done = ask(windows(f"{uri}/RenameCollection", uri, f'<p:RenameCollection_INPUT xmlns:p="{uri}"><p:Collection>'
                       f"<a:EndpointReference><a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>"
                       f"{MS}/Msvm_VirtualSystemCollection</w:ResourceURI><w:SelectorSet>"
                       f'<w:Selector Name="collectionid">{identity}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
                       "</a:EndpointReference></p:Collection><p:NewName>other</p:NewName></p:RenameCollection_INPUT>"))
    assert done.body.find(f".//{{{uri}}}ReturnValue").text == "0"


# Windows' CIM cmdlets

def test_windows_reads_a_class(ask):
    options = "".join(f'<w:Option Name="{name}" Type="xs:boolean">true</w:Option>' for name in (
        "IncludeInheritanceHierarchy", "IncludeInheritedElements", "IncludeQualifiers"))
    answer = ask(windows(f"{TRANSFER}/Get", "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*", "",
                         [("__cimnamespace", V2), ("ClassName", "msvm_CollectionSnapshotService")], options))
    found, = answer.body
    assert (found.tag, found.get("NAME"), found.get("SUPERCLASS")) == ("CLASS", "Msvm_CollectionSnapshotService", "CIM_Service")
    assert found.get("DERIVATION") == ("CIM_Service,CIM_EnabledLogicalElement,CIM_LogicalElement,"
                                       "CIM_ManagedSystemElement,CIM_ManagedElement")
    method = found.find("METHOD[@NAME='ExportSnapshot']")
    assert [each.get("NAME") for each in method if each.tag.startswith("PARAMETER")] == [
        "SnapshotCollection", "ExportDirectory", "ExportSettingData", "Job"]
    assert found.find("PROPERTY[@NAME='Name']/QUALIFIER[@NAME='Key']/VALUE").text.lower() == "true"


@pytest.mark.parametrize("most", [512000, 153600])
def test_windows_lists_all_classes(cohortd, ask, most):
    """Get-CimClass with a wildcard: all declarations, of which it picks; recorded from it."""
    uri = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*"
    space, names, replies = ("__cimnamespace", V2), [], 0
    verb, body = "Enumerate", "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements></n:Enumerate>"
    while verb:
        answer = ask(windows(f"{ENUMERATION}/{verb}", uri, body, [space, ("ClassName", "")] if verb == "Enumerate" else [space])
                     .replace(">512000<", f">{most}<"))
        assert answer.action == f"{ENUMERATION}/{verb}Response" and len(answer.text) <= most
        names += [each.get("NAME") for each in answer.body.iter("CLASS")]
        context = answer.body[0].find(f"{N}EnumerationContext")
        verb = "Pull" if context is not None and context.text else None
        body = "" if verb is None else (f"<n:Pull><n:EnumerationContext>{context.text}</n:EnumerationContext>"
                                        "<n:MaxElements>32000</n:MaxElements></n:Pull>")
        replies += 1
    assert replies > 1, "it does not fit into one"
    declared = CimXmlClient(cohortd, "reader")._intrinsic(  # noqa: SLF001: a class is no instance
        "EnumerateClassNames", V2, DeepInheritance="<VALUE>TRUE</VALUE>").find("IRETURNVALUE")
    assert sorted(names) == sorted(each.get("NAME") for each in declared)


def test_windows_gets_enumerates_and_associates(cohortd, ask):
    body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements></n:Enumerate>"
    space = [("__cimnamespace", V2)]
    listed = ask(windows(f"{ENUMERATION}/Enumerate", f"{DM}/Msvm_VirtualSystemCollection", body, space))
    properties = f"{{{DM}/Msvm_VirtualSystemCollection}}"
    item, = (each for each in listed.body.find(f".//{W}Items") if each.find(f"{properties}ElementName").text == "shop")
    assert item.tag == f"{properties}Msvm_VirtualSystemCollection"
    identity = item.find(f"{properties}CollectionID").text
    got = ask(windows(f"{TRANSFER}/Get", f"{DM}/Msvm_VirtualSystemCollection", "", [*space, ("CollectionID", identity)]))
    assert got.body[0].tag == item.tag
    derived = ask(windows(f"{ENUMERATION}/Enumerate", f"{DM}/CIM_CollectionOfMSEs", body.replace(
        "</n:Enumerate>", '<wsmb:PolymorphismMode xmlns:wsmb="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd">'
        "ExcludeSubClassProperties</wsmb:PolymorphismMode></n:Enumerate>"), space))
    assert derived.body.find(f".//{W}Items")[0].tag == item.tag, "of the derived class, whatever the mode"
    reference = (f"<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{DM}/"
                 "Msvm_VirtualSystemCollection</w:ResourceURI><w:SelectorSet>"
                 f'<w:Selector Name="__cimnamespace">{V2}</w:Selector><w:Selector Name="CollectionID">{identity}'
                 "</w:Selector></w:SelectorSet></a:ReferenceParameters>")
    for kind, count in (("AssociatedInstances", 2), ("AssociationInstances", 2)):
        found = ask(windows(f"{ENUMERATION}/Enumerate", ANY, body.replace(
            "</n:Enumerate>", '<w:Filter Dialect="http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter">'
            f"<b:{kind}><b:Object>{reference}</b:Object></b:{kind}></w:Filter></n:Enumerate>"), space))
        assert len(found.body.find(f".//{W}Items")) >= count, kind
    by_selector = ask(windows(f"{ENUMERATION}/Enumerate", f"{DM}/Msvm_VirtualSystemCollection", body.replace(
        "</n:Enumerate>", '<w:Filter Dialect="http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter"><w:SelectorSet>'
        '<w:Selector Name="ElementName">shop</w:Selector></w:SelectorSet></w:Filter></n:Enumerate>'), space))
    assert len(by_selector.body.find(f".//{W}Items")) == 1


def windows_objects(ask, uri, filter_=""):
    """What Get-CimInstance and its kin find: objects with the references to them; pairs of both."""
    body = (f"<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements>{filter_}"
            "<w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode></n:Enumerate>")
    answer = ask(windows(f"{ENUMERATION}/Enumerate", uri, body, [("__cimnamespace", V2)]))
    assert answer.body[0].find(f"{W}EndOfSequence") is not None, answer.text
    return [tuple(item) for item in answer.body[0].find(f"{W}Items")]


def windows_call(ask, reference, method, parameters):
    """Invoke-CimMethod -InputObject; its output."""
    selectors = [(each.get("Name"), each.text) for each in reference.iter(f"{W}Selector")]
    uri = reference.find(f".//{W}ResourceURI").text
    types = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"'
    answer = ask(windows(f"{uri}/{method}", uri, f'<p:{method}_INPUT xmlns:p="{uri}" {types}>{parameters}</p:{method}_INPUT>',
                         selectors))
    output, = answer.body
    assert output.tag == f"{{{uri}}}{method}_OUTPUT", answer.text
    assert output.find(f"{{{uri}}}ReturnValue").text == "0", answer.text
    return output


def test_windows_defines_and_fills_a_collection(ask):
    """The words of docs/hyperv.md; a machine is given with [ref] and without."""
    (_, service), = windows_objects(ask, f"{DM}/Msvm_CollectionManagementService")
    made = windows_call(ask, service, "DefineCollection",
                        '<p:Name xsi:type="cim:cimString">by windows</p:Name><p:Id xsi:type="cim:cimString"></p:Id>'
                        '<p:Type xsi:type="cim:cimUnsignedShort">0</p:Type>')[0]
    assert [each.tag for each in made] == [f"{A}Address", f"{A}ReferenceParameters"]
    collection = "".join(ET.tostring(each, encoding="unicode") for each in made)
    query = (f'<w:Filter Dialect="{WQL}">SELECT * FROM Msvm_ComputerSystem WHERE ElementName = \'test\'</w:Filter>')
    (machine, reference), = windows_objects(ask, ANY, query)
    by_reference = "".join(ET.tostring(each, encoding="unicode") for each in reference)
    machine_uri = machine.tag[1:].partition("}")[0]
    by_instance = "".join(ET.tostring(each, encoding="unicode") for each in machine)
    kind = f'xmlns:p1="{machine_uri}" xsi:type="p1:Msvm_ComputerSystem_Type"'

    def members():
        filter_ = ('<w:Filter Dialect="http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter">'
                   f"<b:AssociatedInstances><b:Object>{collection}</b:Object><b:ResultClassName>Msvm_ComputerSystem"
                   "</b:ResultClassName></b:AssociatedInstances></w:Filter>")
        return [found.find(f"{{{machine_uri}}}ElementName").text for found, _ in windows_objects(ask, ANY, filter_)]

    for member in (f"<p:Member>{by_reference}</p:Member>", f"<p:Member {kind}>{by_instance}</p:Member>"):
        windows_call(ask, service, "AddMember", f"{member}<p:Collection>{collection}</p:Collection>")
        assert members() == ["test"]
        windows_call(ask, service, "RemoveMember", f"{member}<p:Collection>{collection}</p:Collection>")
        assert members() == []
    windows_call(ask, service, "DestroyCollection", f"<p:Collection>{collection}</p:Collection>")


def test_windows_tells_arrays_of_nothing_apart(ask):
    """Where an array is declared its reader takes xsi:nil alone for an array of one NULL."""
    space, uri = ("__cimnamespace", V2), f"{DM}/Msvm_ComputerSystem"
    declared = ask(windows(f"{TRANSFER}/Get", "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*", "",
                           [space, ("ClassName", "Msvm_ComputerSystem")])).body[0]
    arrays = {each.get("NAME") for each in declared.iter("PROPERTY.ARRAY")}
    opened = ask(windows(f"{ENUMERATION}/Enumerate", uri, "<n:Enumerate/>", [space]))
    context = opened.body[0].find(f"{N}EnumerationContext").text
    pull = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext></n:Pull>"
    pulled = ask(windows(f"{ENUMERATION}/Pull", uri, pull, [space]).replace("msftwinrm:UsePreciseArrays", "Other"))
    empty = [each for each in pulled.body.find(f".//{N}Items")[0] if each.get(NIL) == "true"]
    marks = {f"{{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}}{name}" for name in ("IsNullArray", "IsEmptyArray")}
    marked = {each.tag.partition("}")[2] for each in empty if len(marks & set(each.keys())) == 1}
    assert marked == arrays & {each.tag.partition("}")[2] for each in empty} != set()


def test_windows_names_what_it_has_changed(cohortd, ask):
    """Set-CimInstance sends all that it has read, and what of it is to be changed in options."""
    uri = f"{DM}/Msvm_VirtualSystemCollection"
    shop = CimXmlClient(cohortd, "reader").query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'shop'")[0]
    selectors = [("__cimnamespace", V2), ("CollectionID", shop["CollectionID"])]
    instance = (f'<p:Msvm_VirtualSystemCollection xmlns:p="{uri}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
                'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" xsi:type="p:Msvm_VirtualSystemCollection_Type">'
                f'<p:CollectionID xsi:type="cim:cimString">{shop["CollectionID"]}</p:CollectionID>'
                '<p:Caption xsi:type="cim:cimString">another</p:Caption>'
                '<p:ElementName xsi:type="cim:cimString">store</p:ElementName></p:Msvm_VirtualSystemCollection>')
    named = '<w:Option Name="wmiarray:__MIInstanceModifiedPropertiesList" Type="xs:string">ElementName</w:Option>'
    done = ask(windows(f"{TRANSFER}/Put", uri, instance, selectors, named))
    assert done.status == 200, done.text
    assert done.body[0].find(f"{{{uri}}}ElementName").text == "store"
    assert done.body[0].find(f"{{{uri}}}Caption").text != "another"
    refused = ask(windows(f"{TRANSFER}/Put", uri, instance, selectors))
    assert refused.fault[0] == "a:ActionNotSupported" and "Caption cannot be changed" in refused.text
    restored = instance.replace(">store<", ">shop<")
    assert ask(windows(f"{TRANSFER}/Put", uri, restored, selectors, named)).status == 200


def test_windows_gives_types_and_writes_utf_16(cohortd, ask):
    uri = f"{DM}/Msvm_CollectionManagementService"
    request = windows(f"{uri}/DefineCollection", uri, f'<p:DefineCollection_INPUT xmlns:p="{uri}" '
                      'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" '
                      'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><p:Name xsi:type="cim:cimString">other</p:Name>'
                      '<p:Id xsi:nil="true"/><p:Type xsi:type="cim:cimUnsignedInt">1</p:Type></p:DefineCollection_INPUT>',
                      [("__cimnamespace", V2)])
    # The name is taken: 32773. Both were read all the same.
    for encoding, content in (("utf-16", "application/soap+xml;charset=UTF-16"), ("utf-8", None)):
        done = ask(request, encoding=encoding, content_type=content)
        assert done.headers["Content-Type"].lower() == f"application/soap+xml;charset={encoding}"
        assert done.body.find(f"{{{uri}}}DefineCollection_OUTPUT/{{{uri}}}ReturnValue").text == "32773"


def test_times_are_elements_of_their_own(cohortd, ask):
    client = WsmanClient(sender(cohortd, "administrator"))
    service = client.instances("Msvm_CollectionSnapshotService")[0].path
    shop, = client.query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'shop'", V2)
    client.invoke(service, "CreateSnapshot", Collection=shop.path, SnapshotType=2)
    answer = ask(omicli(f"{ENUMERATION}/Enumerate", f"{MS}/Msvm_ConcreteJob",
                        "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>1</w:MaxElements></n:Enumerate>"))
    job = answer.body.find(f".//{W}Items")[0]
    uri = f"{{{MS}/Msvm_ConcreteJob}}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", job.find(f"{uri}TimeSubmitted/{CIM}Datetime").text)
    assert re.fullmatch(r"P\d+DT\d+H\d+M\d+(\.\d+)?S", job.find(f"{uri}TimeBeforeRemoval/{CIM}Interval").text)


# wsman, and what is not served

def test_wsman_identifies_without_an_action(ask, cohortd):
    body = ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><wsmid:Identify '
            'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>')
    status, _, reply = cohortd.request("POST", "/wsman", body.encode(), SOAP_TYPE, role="reader")
    found = ET.fromstring(reply).find(f"{S}Body")[0]
    assert status == 200
    assert found.tag == "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}IdentifyResponse"
    assert [child.tag.split("}")[1] for child in found] == ["ProtocolVersion", "ProductVendor", "ProductVersion"]


def test_wsman_puts_back_what_it_has_read(ask, cohortd):
    uri = f"{MS}/Msvm_VirtualSystemCollection"
    shop = CimXmlClient(cohortd, "reader").query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'shop'")[0]
    selectors = (f'<wsman:SelectorSet><wsman:Selector Name="CollectionID">{shop["CollectionID"]}</wsman:Selector>'
                 "</wsman:SelectorSet>")
    text = ask(openwsman(f"{TRANSFER}/Get", uri, "", selectors)).text
    instance = re.search(r"<p:Msvm_VirtualSystemCollection .*</p:Msvm_VirtualSystemCollection>", text, re.DOTALL).group()
    instance = instance.replace(
        " xsi:type", ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type', 1)
    # nil, and text all the same
    instance = re.sub(r'<p:Status xsi:nil="true"\s*(/>|></p:Status>)', '<p:Status xsi:nil="true">x</p:Status>', instance)
    done = ask(openwsman(f"{TRANSFER}/Put", uri, instance, selectors))
    assert done.status == 200 and done.action == f"{TRANSFER}/PutResponse"
    assert done.body[0].find(f"{{{uri}}}ElementName").text == "shop", "what Set-CimInstance -PassThru and winrm set show"
    refused = ask(openwsman(f"{TRANSFER}/Put", uri, instance.replace(">Collection<", ">Mine<"), selectors))
    assert refused.fault[0] == "a:ActionNotSupported" and "Caption cannot be changed" in refused.text
    refused = ask(openwsman(f"{TRANSFER}/Put", uri, instance, selectors), role="operator")
    assert refused.fault[0] == "w:AccessDenied"


NOT_SERVED = {
    "Create": (f"{TRANSFER}/Create", f'<p:Msvm_VirtualSystemCollection xmlns:p="{MS}/Msvm_VirtualSystemCollection"/>'),
    "Delete": (f"{TRANSFER}/Delete", ""),
    "Subscribe": (f"{EVENTING}/Subscribe", f'<e:Subscribe xmlns:e="{EVENTING}"><e:Delivery Mode="http://schemas.dmtf.org/wbem/'
                  'wsman/1/wsman/Pull"/><e:Expires>PT60.000000S</e:Expires>'
                  f'<wsman:Filter Dialect="{WQL}">SELECT * FROM CIM_InstModification</wsman:Filter></e:Subscribe>'),
    "Unsubscribe": (f"{EVENTING}/Unsubscribe", f'<e:Unsubscribe xmlns:e="{EVENTING}"/>'),
    "Renew": (f"{EVENTING}/Renew", f'<e:Renew xmlns:e="{EVENTING}"/>'),
    "EnumerationRenew": (f"{ENUMERATION}/Renew", "<wsen:Renew/>"),
    "GetStatus": (f"{ENUMERATION}/GetStatus", "<wsen:GetStatus/>"),
    "Ack": ("http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack", ""),
    "method": (f"{MS}/Msvm_VirtualSystemCollection/NoSuchMethod", "<p:NoSuchMethod_INPUT xmlns:p='x'/>"),
    "action": ("http://example.com/whatever", ""),
}


@pytest.mark.parametrize("name", NOT_SERVED)
def test_what_is_not_served_is_an_action_that_is_not_supported(ask, cohortd, name):
    action, body = NOT_SERVED[name]
    shop = CimXmlClient(cohortd, "reader").query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'shop'")[0]
    answer = ask(openwsman(
        action, f"{MS}/Msvm_VirtualSystemCollection", body, '<wsman:SelectorSet><wsman:Selector Name="CollectionID">'
        f'{shop["CollectionID"]}</wsman:Selector></wsman:SelectorSet>',
        f'<e:Identifier xmlns:e="{EVENTING}" s:mustUnderstand="true">uuid:1</e:Identifier>'))
    assert answer.status == 500 and answer.fault[0] == "a:ActionNotSupported", answer.text
    assert answer.action in SAFE_FAULT_ACTIONS


# Faults

GET = f"{TRANSFER}/Get"
COLLECTION = f"{MS}/Msvm_VirtualSystemCollection"
SERVICE = f"{MS}/Msvm_CollectionSnapshotService"


def chosen(*selectors):
    return "<wsman:SelectorSet>" + "".join(f'<wsman:Selector Name="{name}">{value}</wsman:Selector>'
                                           for name, value in selectors) + "</wsman:SelectorSet>"


FAULTS = {
    "no class": (openwsman(GET, f"{MS}/No_Class", ""), "a:DestinationUnreachable", "InvalidResourceURI"),
    "no URI": (openwsman(GET, "http://example.com/x", ""), "a:DestinationUnreachable", "InvalidResourceURI"),
    "no object": (openwsman(GET, COLLECTION, "", chosen(("CollectionID", "none"))), "a:DestinationUnreachable", None),
    "no selectors": (openwsman(GET, COLLECTION, ""), "w:InvalidSelectors", "InsufficientSelectors"),
    "too few selectors": (openwsman(GET, f"{MS}/Msvm_ComputerSystem", "", chosen(
        ("CreationClassName", "Msvm_ComputerSystem"))), "w:InvalidSelectors", "InsufficientSelectors"),
    "other selectors": (openwsman(GET, COLLECTION, "", chosen(("Colour", "red"))), "w:InvalidSelectors",
                        "UnexpectedSelectors"),
    "selectors twice": (openwsman(GET, COLLECTION, "", chosen(("CollectionID", "a"), ("CollectionID", "b"))),
                        "w:InvalidSelectors", "DuplicateSelectors"),
    "two namespaces": (openwsman(GET, COLLECTION, "", chosen(("CollectionID", "a"), ("__cimnamespace", "root/cimv2"))),
                       "w:InvalidSelectors", None),
    "no such header": (openwsman(GET, COLLECTION, "", chosen(("CollectionID", "a")),
                                 '<z:Strange xmlns:z="urn:z" s:mustUnderstand="true"/>'), "s:MustUnderstand", None),
    "fragment": (openwsman(GET, COLLECTION, "", chosen(("CollectionID", "a")),
                           '<wsman:FragmentTransfer s:mustUnderstand="true">ElementName</wsman:FragmentTransfer>'),
                 "w:UnsupportedFeature", "FragmentLevelAccess"),
    "option to comply with": (openwsman(GET, COLLECTION, "", chosen(("CollectionID", "a")),
                                        '<wsman:OptionSet><wsman:Option Name="x" MustComply="true">1</wsman:Option>'
                                        "</wsman:OptionSet>"), "w:InvalidOptions", "NotSupported"),
    "expired before it began": (openwsman(f"{ENUMERATION}/Enumerate", COLLECTION, "<wsen:Enumerate><wsen:Expires>PT0S"
                                          "</wsen:Expires></wsen:Enumerate>"), "n:InvalidExpirationTime", None),
    "small envelope": (openwsman(GET, COLLECTION, "", chosen(("CollectionID", "a")),
                                 "<wsman:MaxEnvelopeSize>1000</wsman:MaxEnvelopeSize>"), "w:EncodingLimit",
                       "MinimumEnvelopeLimit"),
    "reply elsewhere": (openwsman(GET, COLLECTION, "", chosen(("CollectionID", "a"))).replace(
        ANONYMOUS, "http://example.com/"), "w:UnsupportedFeature", "AddressingMode"),
    "no dialect": (openwsman(f"{ENUMERATION}/Enumerate", COLLECTION, '<wsen:Enumerate><wsman:Filter Dialect="urn:x">x'
                             "</wsman:Filter></wsen:Enumerate>"), "n:FilterDialectRequestedUnavailable", None),
    "no query": (openwsman(f"{ENUMERATION}/Enumerate", COLLECTION, enumerate_wql("SELECT FROM WHERE")),
                 "n:CannotProcessFilter", None),
    "no context": (openwsman(f"{ENUMERATION}/Pull", COLLECTION, "<wsen:Pull><wsen:EnumerationContext>uuid:0"
                             "</wsen:EnumerationContext></wsen:Pull>"), "n:InvalidEnumerationContext", None),
    "nothing to release": (openwsman(f"{ENUMERATION}/Release", COLLECTION, "<wsen:Release><wsen:EnumerationContext>uuid:0"
                                     "</wsen:EnumerationContext></wsen:Release>"), "n:InvalidEnumerationContext", None),
    "wrong parameter": (openwsman(f"{SERVICE}/CreateSnapshot", SERVICE, f'<p:CreateSnapshot_INPUT xmlns:p="{SERVICE}">'
                                  "<p:SnapshotType>two</p:SnapshotType></p:CreateSnapshot_INPUT>"), "w:InvalidParameter",
                        None),
    "no XML": ("<s:Envelope", "w:SchemaValidationError", None),
    "no envelope": ("<x/>", "w:SchemaValidationError", None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_told_as_all_clients_read_them(ask, name):
    body, code, detail = FAULTS[name]
    answer = ask(body)
    assert answer.status == 500 and answer.fault == (code, detail), answer.text
    assert answer.action in SAFE_FAULT_ACTIONS
    reason = answer.body.find(f"{S}Fault/{S}Reason/{S}Text").text
    if code != "s:MustUnderstand":  # what winrm's and PowerShell's clients show
        known = answer.body.find(f"{S}Fault/{S}Detail/{{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}}WSManFault")
        assert int(known.get("Code")) > 0 and known[0].text == reason
    assert reason
    if code == "s:MustUnderstand":
        name = answer.root.find(f"{S}Header/{S}NotUnderstood").get("qname")
        assert name.endswith(":Strange") and f'xmlns:{name.split(":")[0]}="urn:z"' in answer.text
    sent = re.search("MessageID[^>]*>([^<]*)<", body)
    assert sent is None or answer.root.find(f"{S}Header/{A}RelatesTo").text == sent.group(1)


# CIM-XML

def simple_request(call, message="1001"):
    return ('<?xml version="1.0" encoding="utf-8" ?>\n<CIM CIMVERSION="2.0" DTDVERSION="2.0">'
            f'<MESSAGE ID="{message}" PROTOCOLVERSION="1.0"><SIMPLEREQ>{call}</SIMPLEREQ></MESSAGE></CIM>')


def namespace_path(name):
    return "<LOCALNAMESPACEPATH>" + "".join(f'<NAMESPACE NAME="{part}"></NAMESPACE>' for part in name.split("/")) + \
        "</LOCALNAMESPACEPATH>"


def intrinsic(name, **parameters):
    return f'<IMETHODCALL NAME="{name}">{namespace_path(V2)}' + "".join(
        f'<IPARAMVALUE NAME="{key}">{value}</IPARAMVALUE>' for key, value in parameters.items()) + "</IMETHODCALL>"


def cim_class(name):
    return f'<CLASSNAME NAME="{name}"/>'


@pytest.fixture
def cimxml(cohortd):
    def send(method, target, call, **more):
        headers = {"Content-Type": 'application/xml; charset="utf-8"', "CIMOperation": "MethodCall", "CIMMethod": method,
                   "CIMObject": target, **more}
        status, answered, reply = cohortd.request("POST", "/cimom", simple_request(call).encode(), headers,
                                                  role="administrator")
        if status == 200:
            check_reply(reply)
        return status, answered, reply.decode()
    return send


def test_wbemcli_reads_what_it_is_told(cimxml):
    """Explicit end tags, no VALUE.NULL, a length, and the request's message."""
    target = V2.replace("/", "%2F")
    for method, class_name in (("EnumerateInstances", "CIM_ManagedElement"), ("GetClass", "Msvm_ConcreteJob"),
                               ("GetClass", "Msvm_CollectionSnapshotService")):
        status, headers, text = cimxml(method, target, intrinsic(
            method, ClassName=cim_class(class_name), IncludeQualifiers="<VALUE>TRUE</VALUE>",
            IncludeClassOrigin="<VALUE>FALSE</VALUE>", LocalOnly="<VALUE>FALSE</VALUE>"), CIMProtocolVersion="1.0")
        assert status == 200 and headers["CIMOperation"] == "MethodResponse"
        assert headers["Content-Type"] == 'application/xml; charset="utf-8"'
        assert "Content-Length" in headers and "Transfer-Encoding" not in headers
        assert not re.search(r"<(PROPERTY|PARAMETER|METHOD|QUALIFIER|CLASS|INSTANCE)\b[^>]*/>", text)
        assert "VALUE.NULL" not in text and '<MESSAGE ID="1001"' in text


def test_wbemcli_calls_methods_without_types(cohortd, cimxml):
    client = CimXmlClient(cohortd, "reader")
    service = client.instances("Msvm_CollectionManagementService")[0].path
    other, = client.query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'other'")
    keys = "".join(f'<KEYBINDING NAME="{name}"><KEYVALUE VALUETYPE="string">{value}</KEYVALUE></KEYBINDING>'
                   for name, value in service.keys)
    path = f'<INSTANCENAME CLASSNAME="{service.class_name}">{keys}</INSTANCENAME>'
    target = f"{V2}:{service.class_name}." + ",".join(f'{name}="{value}"' for name, value in service.keys)
    encoded = "".join(c if c.isalnum() or c in "._" else f"%{ord(c):02X}" for c in target)
    instance = ('<INSTANCENAME CLASSNAME="Msvm_VirtualSystemCollection"><KEYBINDING NAME="CollectionID"><KEYVALUE '
                f'VALUETYPE="string">{other["CollectionID"]}</KEYVALUE></KEYBINDING></INSTANCENAME>')
    wbemcli = (f"<INSTANCEPATH><NAMESPACEPATH><HOST>server</HOST>{namespace_path(V2)}</NAMESPACEPATH>{instance}"
               "</INSTANCEPATH>")
    for reference in (wbemcli, instance):  # the second is cimcli's
        for shown in (target, encoded):
            status, _, text = cimxml("RenameCollection", shown, (
                f'<METHODCALL NAME="RenameCollection"><LOCALINSTANCEPATH>{namespace_path(V2)}{path}</LOCALINSTANCEPATH>'
                f'<PARAMVALUE NAME="Collection"><VALUE.REFERENCE>{reference}</VALUE.REFERENCE></PARAMVALUE>'
                '<PARAMVALUE NAME="NewName"><VALUE>other</VALUE></PARAMVALUE></METHODCALL>'))
            assert status == 200 and '<RETURNVALUE PARAMTYPE="uint32"><VALUE>0</VALUE></RETURNVALUE>' in text, text


def test_cimcli_speaks_in_lower_case_and_takes_chunks(cohortd):
    body = simple_request(intrinsic("EnumerateInstances", ClassName=cim_class("Msvm_ComputerSystem"))).encode()
    head = (f"POST /cimom HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/xml; charset=utf-8\r\n"
            f"content-length: {len(body):010d}\r\nte: chunked, trailers\r\ncimoperation: MethodCall\r\n"
            f"cimmethod: EnumerateInstances\r\ncimobject: root%2Fvirtualization%2Fv2\r\n")
    with socket.create_connection(("127.0.0.1", cohortd.port), timeout=30) as connection:
        connection.sendall(head.encode() + b"\r\n" + body)  # it waits to be challenged
        challenged = http.client.HTTPResponse(connection)
        challenged.begin()
        assert challenged.status == 401 and challenged.read() == b""
        assert challenged.getheader("WWW-Authenticate").startswith('Basic realm="')
        connection.sendall(head.encode() + f"authorization: {cohortd.authorization('reader')}\r\n\r\n".encode() + body)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.getheader("Transfer-Encoding")) == (200, "chunked"), "on the same connection"
        assert answer.read().count(b"<VALUE.NAMEDINSTANCE>") == 2


def test_pywbem_pulls_and_looks_around(cimxml):
    _, _, text = cimxml("OpenEnumerateInstances", V2, intrinsic(
        "OpenEnumerateInstances", ClassName=cim_class("Msvm_VirtualSystemCollection"), MaxObjectCount="<VALUE>1</VALUE>"))
    assert text.count("<VALUE.INSTANCEWITHPATH>") == 1
    assert re.search(r'</IRETURNVALUE>.*<PARAMVALUE NAME="EndOfSequence" PARAMTYPE="boolean">', text)
    context = re.search(r'NAME="EnumerationContext" PARAMTYPE="string"><VALUE>([^<]+)<', text).group(1)
    for other in ("PullInstances", "PullInstancePaths"):
        _, _, text = cimxml(other, V2, intrinsic(
            other, EnumerationContext=f"<VALUE>{context}</VALUE>", MaxObjectCount="<VALUE>10</VALUE>"))
        assert '<ERROR CODE="21"' in text, other
    _, _, text = cimxml("PullInstancesWithPath", V2, intrinsic(
        "PullInstancesWithPath", EnumerationContext=f"<VALUE>{context}</VALUE>", MaxObjectCount="<VALUE>10</VALUE>"))
    assert re.search(r'NAME="EndOfSequence" PARAMTYPE="boolean"><VALUE>TRUE<', text, re.IGNORECASE)
    _, _, text = cimxml("PullInstancesWithPath", V2, intrinsic(
        "PullInstancesWithPath", EnumerationContext=f"<VALUE>{context}</VALUE>", MaxObjectCount="<VALUE>10</VALUE>"))
    assert '<ERROR CODE="21"' in text
    _, _, text = cimxml("OpenQueryInstances", V2, intrinsic(
        "OpenQueryInstances", FilterQueryLanguage="<VALUE>WQL</VALUE>", MaxObjectCount="<VALUE>1</VALUE>",
        FilterQuery="<VALUE>SELECT * FROM Msvm_VirtualSystemCollection</VALUE>"))
    context = re.search(r'NAME="EnumerationContext" PARAMTYPE="string"><VALUE>([^<]+)<', text).group(1)
    _, _, text = cimxml("PullInstances", V2, intrinsic(
        "PullInstances", EnumerationContext=f"<VALUE>{context}</VALUE>", MaxObjectCount="<VALUE>10</VALUE>"))
    assert re.search(r'<IRETURNVALUE><INSTANCE CLASSNAME="Msvm_VirtualSystemCollection">.*</INSTANCE></IRETURNVALUE>', text)
    assert re.search(r'NAME="EndOfSequence" PARAMTYPE="boolean"><VALUE>TRUE<', text, re.IGNORECASE)


def test_pywbem_is_told_of_the_server_and_its_namespaces(cimxml):
    def interop(class_name):
        call = intrinsic("EnumerateInstances", ClassName=cim_class(class_name)).replace(
            namespace_path(V2), namespace_path("root/interop"))
        return cimxml("EnumerateInstances", "root/interop", call)[2]

    assert "root/virtualization/v2" in interop("CIM_Namespace")
    described = re.search(r'NAME="Description" TYPE="string"><VALUE>([^<]*)<', interop("CIM_ObjectManager")).group(1)
    assert re.fullmatch(r".* version *([0-9.]+)", described), "the server's version is read from its description"


def test_pywbem_finds_the_central_instances_of_a_profile(cimxml):
    def ask(name, **parameters):
        call = intrinsic(name, **parameters).replace(namespace_path(V2), namespace_path("root/interop"))
        return cimxml(name, "root/interop", call)[2]

    text = ask("EnumerateInstanceNames", ClassName=cim_class("CIM_RegisteredProfile"))
    profile, = re.findall(r"<INSTANCENAME .*?</INSTANCENAME>", text)
    found = {"ObjectName": profile, "AssocClass": cim_class("CIM_ElementConformsToProfile"),
             "ResultRole": "<VALUE>ManagedElement</VALUE>"}
    for name in ("AssociatorNames", "Associators"):
        text = ask(name, **found)
        assert '<INSTANCENAME CLASSNAME="Msvm_CollectionSnapshotService">' in text
        assert namespace_path(V2) in text, "the instance lies in another namespace"


TRUE, FALSE = "<VALUE>TRUE</VALUE>", "<VALUE>FALSE</VALUE>"
STYLE = {"IncludeQualifiers": FALSE, "IncludeClassOrigin": TRUE}
PROPERTIES = {"PropertyList": "<VALUE.ARRAY><VALUE>ElementName</VALUE></VALUE.ARRAY>"}
ENDS = {"AssocClass": cim_class("CIM_CollectedMSEs"), "ResultClass": cim_class("CIM_ManagedElement"),
        "Role": "<VALUE>Collection</VALUE>", "ResultRole": "<VALUE>Member</VALUE>"}
REFERENCES = {"ResultClass": cim_class("CIM_CollectedMSEs"), "Role": "<VALUE>Collection</VALUE>"}
OPEN = {"OperationTimeout": "<VALUE>30</VALUE>", "ContinueOnError": FALSE, "MaxObjectCount": "<VALUE>5</VALUE>"}
# Each with all the optional parameters that DSP0200 has for it; what comes of it is an element of that name.
COMPLETE = {
    "GetInstance": ({"InstanceName": None, "LocalOnly": FALSE, **STYLE, **PROPERTIES}, "INSTANCE"),
    "EnumerateInstances": ({"ClassName": "CIM_CollectionOfMSEs", "LocalOnly": FALSE, "DeepInheritance": TRUE, **STYLE,
                            **PROPERTIES}, "VALUE.NAMEDINSTANCE"),
    "EnumerateInstanceNames": ({"ClassName": "CIM_CollectionOfMSEs"}, "INSTANCENAME"),
    "GetClass": ({"ClassName": "CIM_Job", "LocalOnly": TRUE, **STYLE, **PROPERTIES}, "CLASS"),
    "EnumerateClasses": ({"ClassName": "CIM_Job", "DeepInheritance": TRUE, "LocalOnly": TRUE, **STYLE}, "CLASS"),
    "EnumerateClassNames": ({"ClassName": "CIM_Job", "DeepInheritance": TRUE}, "CLASSNAME"),
    "Associators": ({"ObjectName": None, **ENDS, **STYLE, **PROPERTIES}, "VALUE.OBJECTWITHPATH"),
    "AssociatorNames": ({"ObjectName": None, **ENDS}, "OBJECTPATH"),
    "References": ({"ObjectName": None, **REFERENCES, **STYLE, **PROPERTIES}, "VALUE.OBJECTWITHPATH"),
    "ReferenceNames": ({"ObjectName": None, **REFERENCES}, "OBJECTPATH"),
    "OpenEnumerateInstances": ({"ClassName": "CIM_CollectionOfMSEs", "DeepInheritance": TRUE, "IncludeClassOrigin": FALSE,
                                **PROPERTIES, **OPEN}, "VALUE.INSTANCEWITHPATH"),
    "OpenEnumerateInstancePaths": ({"ClassName": "CIM_CollectionOfMSEs", **OPEN}, "INSTANCEPATH"),
    "OpenAssociatorInstances": ({"InstanceName": None, **ENDS, "IncludeClassOrigin": FALSE, **PROPERTIES, **OPEN},
                                "VALUE.INSTANCEWITHPATH"),
    "OpenAssociatorInstancePaths": ({"InstanceName": None, **ENDS, **OPEN}, "INSTANCEPATH"),
    "OpenReferenceInstances": ({"InstanceName": None, **REFERENCES, "IncludeClassOrigin": FALSE, **PROPERTIES, **OPEN},
                               "VALUE.INSTANCEWITHPATH"),
    "OpenReferenceInstancePaths": ({"InstanceName": None, **REFERENCES, **OPEN}, "INSTANCEPATH"),
    "OpenQueryInstances": ({"FilterQueryLanguage": "<VALUE>WQL</VALUE>", "FilterQuery":
                            "<VALUE>SELECT * FROM CIM_CollectionOfMSEs</VALUE>", "ReturnQueryResultClass": FALSE, **OPEN},
                           "INSTANCE"),
    "ExecQuery": ({"QueryLanguage": "<VALUE>WQL</VALUE>", "Query": "<VALUE>SELECT * FROM CIM_CollectionOfMSEs</VALUE>"},
                  "VALUE.OBJECTWITHPATH"),
    "EnumerateQualifiers": ({}, "QUALIFIER.DECLARATION"),
    "GetQualifier": ({"QualifierName": "<VALUE>Key</VALUE>"}, "QUALIFIER.DECLARATION"),
}


def test_pywbemcli_chooses_classes_by_qualifiers(cimxml):
    """`class find --no-experimental` and its like ask for the declaration first, in lower case."""
    for space in (V2, "root/interop"):
        for name in ("association", "indication", "experimental", "deprecated", "version"):
            _, _, text = cimxml("GetQualifier", space, intrinsic(
                "GetQualifier", QualifierName=f"<VALUE>{name}</VALUE>").replace(namespace_path(V2), namespace_path(space)))
            assert f'<QUALIFIER.DECLARATION NAME="{name.capitalize()}"' in text, text


@pytest.mark.parametrize("method", COMPLETE)
def test_operations_take_all_their_parameters_and_answer_with_their_elements(cohortd, cimxml, method):
    identity = CimXmlClient(cohortd, "reader").query(
        "SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'shop'")[0]["CollectionID"]
    shop = ('<INSTANCENAME CLASSNAME="Msvm_VirtualSystemCollection"><KEYBINDING NAME="CollectionID"><KEYVALUE '
            f'VALUETYPE="string">{identity}</KEYVALUE></KEYBINDING></INSTANCENAME>')
    given, element = COMPLETE[method]
    parameters = {name: shop if value is None else cim_class(value) if name == "ClassName" else value
                  for name, value in given.items()}
    status, _, text = cimxml(method, V2, intrinsic(method, **parameters))
    assert status == 200 and "<ERROR" not in text, text
    found = ET.fromstring(text).find("MESSAGE/SIMPLERSP/IMETHODRESPONSE")
    assert found.get("NAME") == method
    returned, *out = found
    assert returned.tag == "IRETURNVALUE" and {each.tag for each in returned} == {element}
    assert [each.get("NAME") for each in out] == (["EndOfSequence", "EnumerationContext"] if method.startswith("Open") else [])
    if "PropertyList" in given and element != "CLASS":
        assert {each.get("NAME") for each in found.iter() if each.tag == "PROPERTY"} == (
            {"ElementName"} if "Reference" not in method else set())


STATUSES = {
    5: ("EnumerateInstances", intrinsic("EnumerateInstances", ClassName=cim_class("No_Class"))),
    3: ("EnumerateInstances", intrinsic("EnumerateInstances", ClassName=cim_class("CIM_Job")).replace(
        'NAME="v2"', 'NAME="v3"')),
    6: ("GetInstance", intrinsic("GetInstance", InstanceName='<INSTANCENAME CLASSNAME="Msvm_VirtualSystemCollection">'
                                 '<KEYBINDING NAME="CollectionID"><KEYVALUE VALUETYPE="string" TYPE="string">x</KEYVALUE>'
                                 "</KEYBINDING></INSTANCENAME>")),
    7: ("DeleteClass", intrinsic("DeleteClass", ClassName=cim_class("CIM_Job"))),
    14: ("ExecQuery", intrinsic("ExecQuery", QueryLanguage="<VALUE>SQL</VALUE>", Query="<VALUE>SELECT 1</VALUE>")),
    15: ("ExecQuery", intrinsic("ExecQuery", QueryLanguage="<VALUE>WQL</VALUE>", Query="<VALUE>SELECT</VALUE>")),
    22: ("OpenEnumerateInstances", intrinsic("OpenEnumerateInstances", ClassName=cim_class("CIM_Job"),
                                             OperationTimeout="<VALUE>901</VALUE>")),
    26: ("OpenEnumerateInstances", intrinsic("OpenEnumerateInstances", ClassName=cim_class("CIM_Job"),
                                             ContinueOnError="<VALUE>TRUE</VALUE>")),
    17: ("NoSuch", f'<METHODCALL NAME="NoSuch"><LOCALCLASSPATH>{namespace_path(V2)}'
         f'{cim_class("Msvm_CollectionSnapshotService")}</LOCALCLASSPATH></METHODCALL>'),
}


@pytest.mark.parametrize("code", STATUSES)
def test_errors_have_their_numbers(cimxml, code):
    method, call = STATUSES[code]
    target = V2.replace("v2", "v3") if code == 3 else V2
    target += ":Msvm_CollectionSnapshotService" if code == 17 else ""
    status, _, text = cimxml(method, target, call)
    assert status == 200 and f'<ERROR CODE="{code}"' in text, text


def test_a_request_that_is_none_is_refused_in_a_header(cohortd, cimxml):
    mismatch = cimxml("GetInstance", V2, intrinsic("EnumerateInstances", ClassName=cim_class("CIM_Job")))
    assert mismatch[0] == 400 and mismatch[1]["CIMError"] == "header-mismatch"
    for body, error in ((b"<CIM", "request-not-well-formed"), (b'<CIM CIMVERSION="2.0" DTDVERSION="2.0"><X/></CIM>', "request-not-valid"),
                        (b'<CIM CIMVERSION="2.0" DTDVERSION="9.0"><MESSAGE ID="1" PROTOCOLVERSION="1.0"/></CIM>',
                         "unsupported-dtd-version")):
        status, headers, _ = cohortd.request("POST", "/cimom", body, {
            "Content-Type": "application/xml", "CIMOperation": "MethodCall"}, role="reader")
        assert (status, headers["CIMError"]) == (400 if status == 400 else 501, error), body


@contextlib.contextmanager
def kept(cohortd):
    connection = cohortd.connect()
    try:
        yield connection
    finally:
        connection.close()


def test_a_connection_is_kept_over_a_challenge_and_answers(cohortd):
    question = openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/Msvm_CollectionSnapshotService", "<wsen:Enumerate/>").encode()
    with kept(cohortd) as connection:
        for role in (None, "reader", "reader"):
            headers = {**SOAP_TYPE, **({"Authorization": cohortd.authorization(role)} if role else {})}
            connection.request("POST", "/wsman/", question, headers)
            answer = connection.getresponse()
            assert answer.status == (200 if role else 401)
            assert int(answer.getheader("Content-Length")) == len(answer.read())


# What holds for every class

def test_every_instance_is_got_by_the_reference_that_it_was_listed_with(cohortd, ask):
    """Also associations, whose selectors are references; in both families of URIs."""
    names = re.findall(r'<CLASSNAME NAME="(\w+)"', cohortd.request(
        "POST", "/cimom", simple_request(intrinsic("EnumerateClassNames", DeepInheritance="<VALUE>TRUE</VALUE>")).encode(),
        {"Content-Type": "application/xml", "CIMOperation": "MethodCall", "CIMMethod": "EnumerateClassNames",
         "CIMObject": V2}, role="reader")[2].decode())
    assert len(names) > 80
    got = set()
    for family in (MS, DM):
        space = f'<w:Selector Name="__cimnamespace">{V2}</w:Selector>' if family == DM else ""
        for name in names:
            listed = ask(omicli(f"{ENUMERATION}/Enumerate", f"{family}/{name}",
                                "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>3</w:MaxElements>"
                                "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode></n:Enumerate>",
                                f"<w:SelectorSet>{space}</w:SelectorSet>"))
            assert listed.status == 200, (name, listed.text)
            for endpoint in re.findall(r"<a:EndpointReference>(.*?)</a:EndpointReference>(?=<a:EndpointReference>|</w:Items>)",
                                       listed.text):
                uri = re.search(r"<w:ResourceURI [^>]*>([^<]*)<", endpoint).group(1)
                selectors = re.search(r"<w:SelectorSet .*</w:SelectorSet>", endpoint).group()
                found = ask(omicli(GET, uri, "", selectors))
                assert found.status == 200, found.text
                assert found.body[0].tag == f"{{{uri}}}{uri.rsplit('/', 1)[1]}"
                got.add(uri)
    assert {f"{family}/{name}" for family in (MS, DM) for name in (
        "Msvm_ComputerSystem", "Msvm_CollectedVirtualSystems", "Msvm_ElementSettingData", "Msvm_ServiceAffectsElement",
        "Msvm_HostedService", "Msvm_VirtualSystemSnapshotService", "Msvm_OwningJobElement")} <= got


def test_every_class_is_listed_and_got_through_cim_xml(cohortd, cimxml):
    _, _, text = cimxml("EnumerateClassNames", V2, intrinsic("EnumerateClassNames", DeepInheritance="<VALUE>TRUE</VALUE>"))
    got = 0
    for name in re.findall(r'<CLASSNAME NAME="(\w+)"', text):
        _, _, listed = cimxml("EnumerateInstanceNames", V2, intrinsic("EnumerateInstanceNames", ClassName=cim_class(name)))
        assert "<ERROR" not in listed, (name, listed)
        for path in re.findall(r"<INSTANCENAME .*?</INSTANCENAME>(?=<INSTANCENAME|</IRETURNVALUE>)", listed)[:2]:
            _, _, found = cimxml("GetInstance", V2, intrinsic("GetInstance", InstanceName=path))
            assert "<INSTANCE CLASSNAME=" in found, (path, found)
            got += 1
    assert got > 40


def test_a_service_is_called_without_selectors(ask):
    uri = f"{DM}/Msvm_CollectionManagementService"
    done = ask(windows(f"{uri}/StartService", uri, f'<p:StartService_INPUT xmlns:p="{uri}"/>', [("__cimnamespace", V2)]))
    assert done.body.find(f".//{{{uri}}}ReturnValue").text == "1"


# What Hyper-V's pages give as the code for "not supported", which CIM's own methods and the others have each of their own.
NOT_OFFERED = {"Msvm_CollectionManagementService": {}, "Msvm_CollectionSnapshotService": {},
               "Msvm_CollectionReferencePointService": {"RemoveAssociatedData": 1},
               "Msvm_VirtualSystemSnapshotService": {},
               "Msvm_VirtualSystemReferencePointService": {"RemoveAssociatedData": 32770},
               "Cohort_PackageService": {}}


@pytest.mark.parametrize("class_name", NOT_OFFERED)
def test_what_a_service_does_not_do_is_a_code_and_no_fault(cohortd, class_name):
    for client in (WsmanClient(sender(cohortd, "administrator")), CimXmlClient(cohortd, "administrator")):
        service = client.service(class_name)
        for method, code in {"StartService": 1, "StopService": 1, **NOT_OFFERED[class_name]}.items():
            assert client.invoke(service, method)[0] == code, method
        assert client.invoke(service, "RequestStateChange", RequestedState=3)[0] == 1


def test_an_enumeration_is_granted_some_time(ask):
    for asked, granted in (("PT10M", "P0DT0H10M0S"), ("P1D", "P0DT0H15M0S"), ("9999-12-31T00:00:00Z", "P0DT0H15M0S")):
        opened = ask(openwsman(f"{ENUMERATION}/Enumerate", COLLECTION,
                               f"<wsen:Enumerate><wsen:Expires>{asked}</wsen:Expires></wsen:Enumerate>"))
        assert opened.body.find(f"{N}EnumerateResponse/{N}Expires").text == granted
        assert opened.body.find(f"{N}EnumerateResponse/{N}EnumerationContext").text


def test_an_enumeration_that_was_released_is_gone(ask):
    opened = ask(openwsman(f"{ENUMERATION}/Enumerate", COLLECTION, "<wsen:Enumerate/>"))
    context = f"<wsen:EnumerationContext>{opened.body.find(f'.//{N}EnumerationContext').text}</wsen:EnumerationContext>"
    assert ask(openwsman(f"{ENUMERATION}/Release", COLLECTION, f"<wsen:Release>{context}</wsen:Release>")).status == 200
    gone = ask(openwsman(f"{ENUMERATION}/Pull", COLLECTION, f"<wsen:Pull>{context}</wsen:Pull>"))
    assert gone.fault == ("n:InvalidEnumerationContext", None)


def test_curl_expects_to_be_told_to_go_on(cohortd):
    """And others send in chunks."""
    body = openwsman(f"{ENUMERATION}/Enumerate", COLLECTION, "<wsen:Enumerate/>").encode()
    head = (f"POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Type: application/soap+xml;charset=utf-8\r\n"
            f"Authorization: {cohortd.authorization('reader')}\r\n")
    with socket.create_connection(("127.0.0.1", cohortd.port), timeout=30) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 200 and b"EnumerateResponse" in answer.read()
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 200 and b"EnumerateResponse" in answer.read()
