"""libvirt's Hyper-V driver and virt-who, request by request and as they read the answers, on a real guest.

They are not in Debian. What stands here is theirs to the letter where it matters: queries with UUIDs in lower case, one object for
each pull, every property of a class, prefixes in the answers, paths that end as an InstanceID does, services of which they know one
key. What they do not survive (an empty list where they take the first of it) must be a fault.
"""

import re
from xml.sax.saxutils import escape

import pytest

from client_dialects_test import ENUMERATION, HOST, MS, Reply, enumerate_wql, openwsman
from harness import wait_until
from harness.cim_clients import A, N, NIL, SOAP_TYPE, S, V2, W, CimXmlClient
from harness.cohortd import Cohortd
from harness.lab import NAME_PREFIX

SCSI, IDE, DVD, DISK = 6, 5, 16, 17
ENABLED, DISABLED, PAUSED = 2, 3, 9
SERVICE = (("CreationClassName", "Msvm_VirtualSystemManagementService"),)


class Refused(Exception):
    """A fault, or a return code that is an error; the driver tells its user of it and lives on."""


class Driver:
    """libvirt's Hyper-V driver. Objects are dictionaries: text, None, and lists for what comes more than once."""

    def __init__(self, cohortd, role="administrator"):
        self._cohortd = cohortd
        self._role = role
        self._declared = {}

    def _ask(self, envelope):
        return Reply(*self._cohortd.request("POST", "/wsman", envelope.encode(), SOAP_TYPE, role=self._role))

    def _properties(self, class_name, namespace):
        """All that the class has: it reads each, and one that is missing ends it."""
        if class_name not in self._declared:
            declared = CimXmlClient(self._cohortd, "reader")._intrinsic(  # noqa: SLF001: the class is no instance
                "GetClass", V2 if namespace == MS else "root/cimv2", ClassName=f'<CLASSNAME NAME="{class_name}"/>',
                LocalOnly="<VALUE>FALSE</VALUE>")
            self._declared[class_name] = {each.get("NAME") for each in declared.find("IRETURNVALUE/CLASS")
                                          if each.tag.startswith("PROPERTY")}
        return self._declared[class_name]

    def _pulled(self, class_name, context, namespace):
        reply = self._ask(openwsman(f"{ENUMERATION}/Pull", f"{namespace}/{class_name}", "<wsen:Pull><wsen:EnumerationContext>"
                                    f"{context}</wsen:EnumerationContext></wsen:Pull>"))
        if reply.status != 200:
            raise Refused(reply.fault)
        return reply.body.find(f"{N}PullResponse")

    def list(self, class_name, query, namespace=MS):
        opened = self._ask(openwsman(f"{ENUMERATION}/Enumerate", f"{namespace}/*", enumerate_wql(escape(query))))
        if opened.status != 200:
            raise Refused(opened.fault)
        context = opened.body.find(f"{N}EnumerateResponse/{N}EnumerationContext").text
        found = []
        while context:
            pulled = self._pulled(class_name, context, namespace)
            uri = f"{{{namespace}/{class_name}}}"
            item = pulled.find(f"{N}Items/{uri}{class_name}")
            if item is None:
                break
            assert {child.tag for child in item} == {uri + name for name in self._properties(class_name, namespace)}
            found.append(_object(item))
            context = getattr(pulled.find(f"{N}EnumerationContext"), "text", None)
        return found

    def reference(self, class_name, query):
        """As a parameter: what an endpoint reference that it enumerates has in it."""
        opened = self._ask(openwsman(f"{ENUMERATION}/Enumerate", f"{MS}/*", enumerate_wql(escape(query), "EnumerateEPR")))
        context = opened.body.find(f"{N}EnumerateResponse/{N}EnumerationContext").text
        pulled = self._ask(openwsman(f"{ENUMERATION}/Pull", f"{MS}/{SERVICE[0][1]}", "<wsen:Pull><wsen:EnumerationContext>"
                                     f"{context}</wsen:EnumerationContext></wsen:Pull>"))
        assert pulled.body.find(f"{N}PullResponse/{N}Items/{A}EndpointReference/{A}ReferenceParameters") is not None
        assert class_name in pulled.text
        return re.search(r"<a:EndpointReference>(.*)</a:EndpointReference>", pulled.text).group(1)

    def invoke(self, class_name, selectors, method, parameters=""):
        uri = f"{MS}/{class_name}"
        chosen = "".join(f'<wsman:Selector Name="{name}">{value}</wsman:Selector>' for name, value in selectors)
        reply = self._ask(openwsman(
            f"{uri}/{method}", uri, f'<p:{method}_INPUT xmlns:p="{uri}" xmlns:a="{A[1:-1]}" xmlns:w="{W[1:-1]}">{parameters}'
            f"</p:{method}_INPUT>", f"<wsman:SelectorSet>{chosen}</wsman:SelectorSet>"))
        value = re.search(rf"<s:Body><p:{method}_OUTPUT [^>]*>.*<p:ReturnValue>(\d+)</p:ReturnValue>", reply.text)
        if value is None:
            assert reply.body.find(f"{S}Fault/{S}Reason/{S}Text").text
            raise Refused(reply.fault)
        if value.group(1) != "0":
            raise Refused(value.group(1))

    # What its user asks for

    def system(self, condition):
        found = self.list("Msvm_ComputerSystem", "SELECT * FROM Msvm_ComputerSystem WHERE "
                          f"Description = \"Microsoft Virtual Machine\" AND {condition}")
        assert len(found) == 1, f"No domain with {condition}"
        return found[0]

    def state(self, uuid):
        return int(self.system(f"Name = '{uuid}'")["EnabledState"])

    def settings(self, uuid):
        found, = self.list("Msvm_VirtualSystemSettingData", "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName="
                           f"'Msvm_ComputerSystem',Name='{uuid}'}} WHERE AssocClass = Msvm_SettingsDefineState "
                           "ResultClass = Msvm_VirtualSystemSettingData")
        return found

    def parts(self, settings, class_name):
        return self.list(class_name, f"ASSOCIATORS OF {{Msvm_VirtualSystemSettingData.InstanceID='{settings['InstanceID']}'}} "
                         f"WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent ResultClass = {class_name}")

    def request_state(self, uuid, state):
        self.invoke("Msvm_ComputerSystem", (("Name", uuid), ("CreationClassName", "Msvm_ComputerSystem")), "RequestStateChange",
                    f"<p:RequestedState>{state}</p:RequestedState>")

    def shut_down(self, uuid):
        component, = self.list("Msvm_ShutdownComponent", f"SELECT * FROM Msvm_ShutdownComponent WHERE SystemName = '{uuid}'")
        self.invoke("Msvm_ShutdownComponent", (
            ("CreationClassName", "Msvm_ShutdownComponent"), ("DeviceID", component["DeviceID"]),
            ("SystemCreationClassName", "Msvm_ComputerSystem"), ("SystemName", uuid)), "InitiateShutdown",
            "<p:Force>False</p:Force><p:Reason>Planned shutdown via libvirt</p:Reason>")


def _object(item):
    found = {}
    for child in item:
        name, value = child.tag.split("}")[1], None if child.get(NIL) == "true" else child.text or ""
        found[name] = value if name not in found else [found[name], value] if isinstance(found[name], str) else [
            *found[name], value]
    return found


def settings_text(class_name, **properties):
    """Settings as the driver sends them: in a section of characters."""
    return (f'<![CDATA[<INSTANCE CLASSNAME="{class_name}">' + "".join(
        f'<PROPERTY NAME="{name}" TYPE="string"><VALUE>{value}</VALUE></PROPERTY>' for name, value in properties.items())
        + "</INSTANCE>]]>")


@pytest.fixture(scope="module")
def diskless(lab):
    name = NAME_PREFIX + "diskless"
    lab.connection.defineXML(f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory>"
                             "<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>")
    return lab.adopt(name)


@pytest.fixture(scope="module")
def cohortd(lab, guest, bare, diskless):
    with Cohortd(lab.folder / "cohortd", lab.state) as running:
        yield running


@pytest.fixture(scope="module")
def driver(cohortd):
    return Driver(cohortd)


def test_the_host_is_told_of(driver):
    """What `virsh connect`, `version`, `hostname`, `nodeinfo` and `freecell` read."""
    product, = driver.list("Win32_ComputerSystemProduct", "SELECT * FROM Win32_ComputerSystemProduct ", HOST)
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", product["UUID"])
    system, = driver.list("Win32_OperatingSystem", "SELECT * FROM Win32_OperatingSystem ", HOST)
    assert re.match(r"\d+\.\d+\.\d+", system["Version"]) and int(system["FreePhysicalMemory"]) > 0
    host, = driver.list("Win32_ComputerSystem", "SELECT * FROM Win32_ComputerSystem ", HOST)
    assert host["DNSHostName"] and int(host["TotalPhysicalMemory"]) > 0
    processors = driver.list("Win32_Processor", f"ASSOCIATORS OF {{Win32_ComputerSystem.Name='{host['Name']}'}} WHERE "
                             "AssocClass = Win32_ComputerSystemProcessor ResultClass = Win32_Processor", HOST)
    assert len(processors) == int(host["NumberOfProcessors"]) and processors[0]["Name"]
    # It divides by the number of cores.
    assert all(int(each["NumberOfLogicalProcessors"]) >= int(each["NumberOfCores"]) > 0 for each in processors)
    # Older drivers write the name between other quotes, and want to see the host among the machines first.
    assert processors == driver.list("Win32_Processor", f'associators of {{Win32_ComputerSystem.Name="{host["Name"]}"}} where '
                                     "AssocClass = Win32_ComputerSystemProcessor ResultClass = Win32_Processor", HOST)
    assert len(driver.list("Msvm_ComputerSystem", "select * from Msvm_ComputerSystem where Description = "
                           '"Microsoft Hosting Computer System" ')) == 1


def test_machines_are_listed_and_found(driver, guest, bare):
    machines = "SELECT * FROM Msvm_ComputerSystem WHERE Description = \"Microsoft Virtual Machine\" "
    active = driver.list("Msvm_ComputerSystem", machines + "AND (EnabledState != 0 and EnabledState != 3 and EnabledState != 32769) ")
    off = driver.list("Msvm_ComputerSystem", machines + "AND (EnabledState = 0 or EnabledState = 3 or EnabledState = 32769) ")
    assert guest.name in [each["ElementName"] for each in active] and bare.name in [each["ElementName"] for each in off]
    running = driver.system(f"Name = '{guest.uuid.lower()}'")
    assert running["Name"].lower() == guest.uuid.lower() and int(running["EnabledState"]) == ENABLED
    for condition in (f"ElementName = '{guest.name}'", f"ProcessID = {running['ProcessID']}"):
        assert driver.system(condition)["Name"] == running["Name"]
    with pytest.raises(AssertionError, match="No domain"):
        driver.system("Name = '00000000-0000-4000-8000-000000000000'")


@pytest.mark.parametrize("which", ["guest", "bare", "diskless"])
def test_a_machine_is_described(request, driver, which):
    """What `virsh dominfo` and `dumpxml` read; the way from an image to its controller, as the driver goes it."""
    machine = request.getfixturevalue(which)
    settings = driver.settings(machine.uuid.lower())
    assert settings["AutomaticStartupAction"] == "2", "no autostart"
    memory, = driver.parts(settings, "Msvm_MemorySettingData")
    assert int(memory["Limit"]) == int(memory["VirtualQuantity"]) == machine.domain.maxMemory() // 1024
    processor, = driver.parts(settings, "Msvm_ProcessorSettingData")
    assert int(processor["VirtualQuantity"]) > 0
    assert None not in [processor[name] for name in ("Limit", "Reservation", "Weight")]
    devices = driver.parts(settings, "Msvm_ResourceAllocationSettingData")
    controllers = [each for each in devices if int(each["ResourceType"]) in (SCSI, IDE)]
    assert controllers, "else it takes the machine for one that it cannot read"
    assert all(each["Address"] for each in controllers) and len(controllers) <= 4

    def parent(of):
        found, = [each for each in devices if of["Parent"].endswith(each["InstanceID"].replace("\\", "\\\\") + '"')]
        return found

    images = driver.parts(settings, "Msvm_StorageAllocationSettingData")
    for image in images:
        drive = parent(image)
        assert int(drive["ResourceType"]) in (DISK, DVD) and int(drive["AddressOnParent"]) >= 0
        assert drive["HostResource"] is None, "else it is a disk of the host's, by its number"
        assert parent(drive) in controllers
    assert sorted(each["HostResource"] for each in images) == sorted(map(str, machine.disk_paths().values()))
    # It asks for these, and takes a fault for the end of it all.
    assert driver.parts(settings, "Msvm_SerialPortSettingData") == []
    for connection in driver.parts(settings, "Msvm_EthernetPortAllocationSettingData"):
        assert connection["HostResource"] is None, "else it looks for a switch"


def test_networks_are_none(driver):
    assert driver.list("Msvm_VirtualEthernetSwitch", "SELECT * FROM Msvm_VirtualEthernetSwitch ") == []


def test_the_power_is_driven(driver, guest):
    uuid = guest.uuid.lower()
    driver.request_state(uuid, 9)
    assert driver.state(uuid) == PAUSED, "else it does not resume"
    assert guest.state() == "paused"
    driver.request_state(uuid, 2)
    assert driver.state(uuid) == ENABLED and guest.state() == "running"
    driver.shut_down(uuid)
    wait_until(lambda: driver.state(uuid) == DISABLED, 90, "the guest shuts down")
    assert driver.list("Msvm_ShutdownComponent", f"SELECT * FROM Msvm_ShutdownComponent WHERE SystemName = '{uuid}'") == []
    driver.request_state(uuid, 2)
    assert driver.state(uuid) == ENABLED
    driver.request_state(uuid, 3)
    assert driver.state(uuid) == DISABLED
    with pytest.raises(Refused, match="32775"):
        driver.request_state(uuid, 3)
    guest.mark_console()
    driver.request_state(uuid, 2)
    guest.wait_ready()


def test_snapshots_are_listed_and_found(lab, driver, bare):
    """Under their InstanceIDs; the query has no blank before its conjunctions."""
    lab.cohort("collection", "create", "bare", bare.name)
    for name in ("first", "second"):
        lab.cohort("snapshot", "take", "bare", "--standard", "--name", name)
    uuid = bare.uuid.lower()
    snapshots = driver.list("Msvm_VirtualSystemSettingData", "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName="
                            f"'Msvm_ComputerSystem',Name='{uuid}'}} WHERE AssocClass = Msvm_SnapshotOfVirtualSystem "
                            "ResultClass = Msvm_VirtualSystemSettingData")
    assert sorted((each["ElementName"], each["Parent"] is None) for each in snapshots) == [("first", True), ("second", False)]
    for each in snapshots:
        found, = driver.list("Msvm_VirtualSystemSettingData", "SELECT * FROM Msvm_VirtualSystemSettingData WHERE "
                             f"InstanceID='{each['InstanceID']}'AND VirtualSystemIdentifier='{uuid}'AND VirtualSystemType="
                             "'Microsoft:Hyper-V:Snapshot:Realized'")
        assert found == each
    lab.cohort("snapshot", "delete", "first", "--subtree")


def test_who_may_only_look_shuts_nothing_down(cohortd, guest):
    with pytest.raises(Refused, match="AccessDenied"):
        Driver(cohortd, "reader").shut_down(guest.uuid.lower())
    assert guest.state() == "running"


def test_what_is_not_there_is_refused_in_a_way_that_it_survives(driver, guest, bare):
    uuid = bare.uuid.lower()
    settings = driver.settings(uuid)
    service = "Msvm_VirtualSystemManagementService"
    system = driver.reference("Msvm_ComputerSystem", f"SELECT * FROM Msvm_ComputerSystem WHERE Name = '{uuid}'")
    configuration = driver.reference("Msvm_VirtualSystemSettingData", "SELECT * FROM Msvm_VirtualSystemSettingData WHERE "
                                     f"InstanceID='{settings['InstanceID']}'")
    for method, parameters in (
            ("DefineSystem", "<p:SystemSettings>"
             f"{settings_text('Msvm_VirtualSystemSettingData', ElementName='new')}</p:SystemSettings>"),
            ("DestroySystem", f"<p:AffectedSystem>{system}</p:AffectedSystem>"),
            ("ModifySystemSettings", "<p:SystemSettings>" + settings_text(
                "Msvm_VirtualSystemSettingData", AutomaticStartupAction=4, InstanceID=settings["InstanceID"])
             + "</p:SystemSettings>"),
            ("ModifyResourceSettings", "<p:ResourceSettings>" + settings_text(
                "Msvm_ProcessorSettingData", VirtualQuantity=2, InstanceID="x") + "</p:ResourceSettings>"),
            ("AddResourceSettings", f"<p:AffectedConfiguration>{configuration}</p:AffectedConfiguration><p:ResourceSettings>"
             + settings_text("Msvm_ResourceAllocationSettingData", ResourceType=6) + "</p:ResourceSettings>")):
        with pytest.raises(Refused, match=r"^(1|32770)$"):
            driver.invoke(service, SERVICE, method, parameters)
    with pytest.raises(Refused):
        driver.invoke(service, SERVICE, "GetVirtualSystemThumbnailImage", "<p:WidthPixels>640</p:WidthPixels>"
                      f"<p:HeightPixels>480</p:HeightPixels><p:TargetSystem>{configuration}</p:TargetSystem>")
    with pytest.raises(Refused, match="32775"):
        driver.request_state(guest.uuid.lower(), 6)  # managedsave
    # Of a list without a keyboard it would take the first.
    with pytest.raises(Refused, match="InvalidResourceURI|DestinationUnreachable"):
        driver.list("Msvm_Keyboard", "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',"
                    f"Name='{guest.uuid.lower()}'}} WHERE ResultClass = Msvm_Keyboard")
    assert driver.state(uuid) == DISABLED and driver.state(guest.uuid.lower()) == ENABLED


def test_virt_who_maps_the_host_to_its_guests(driver, guest, bare):
    """It pulls from the old namespace what it has enumerated in the new one."""
    ask = driver._ask  # noqa: SLF001: the same server
    old = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/*"

    def enumerate_(query, uri):
        opened = ask(openwsman(f"{ENUMERATION}/Enumerate", f"\n    {uri}\n  ", enumerate_wql(escape(query))))
        return opened.body.find(f"{N}EnumerateResponse")[0].text if opened.status == 200 else None

    def pull(context, uri):
        while context:
            pulled = ask(openwsman(f"{ENUMERATION}/Pull", uri, "<wsen:Pull><wsen:EnumerationContext>"
                                   f"{context}</wsen:EnumerationContext></wsen:Pull>")).body.find(f"{N}PullResponse")
            for item in pulled.find(f"{N}Items"):
                yield {child.tag.split("}")[1]: child.text for child in item}
            context = getattr(pulled.find(f"{N}EnumerationContext"), "text", None)

    assert enumerate_("select BIOSGUID, ElementName from Msvm_VirtualSystemSettingData where SettingType = 3", old) is None
    context = enumerate_("select BIOSGUID, ElementName from Msvm_VirtualSystemSettingData where VirtualSystemType = "
                         "'Microsoft:Hyper-V:System:Realized'", f"{MS}/*")
    uri = f"{MS}/Msvm_VirtualSystemManagementService"
    summary = ask(openwsman(
        f"{uri}/GetSummaryInformation", uri, f'<wsman:GetSummaryInformation_INPUT xmlns:p="{uri}">' + "".join(
            f"<p:RequestedInformation>{number}</p:RequestedInformation>" for number in (0, 1, 100))
        + "</wsman:GetSummaryInformation_INPUT>",
        '<wsman:SelectorSet><wsman:Selector Name="CreationClassName">Msvm_VirtualSystemManagementService</wsman:Selector>'
        '<wsman:Selector Name="SystemCreationClassName">Msvm_ComputerSystem</wsman:Selector></wsman:SelectorSet>'))
    inner = f"{{{MS}/Msvm_SummaryInformation}}"
    states = {each.find(f"{inner}ElementName").text: each.find(f"{inner}EnabledState").text
              for each in summary.body.find(f"{{{uri}}}GetSummaryInformation_OUTPUT") if "SummaryInformation" in each.tag}
    assert (states[guest.name], states[bare.name]) == (str(ENABLED), str(DISABLED))
    guests = {each["ElementName"]: each["BIOSGUID"] for each in pull(context, old)}
    assert guests[guest.name].lower() == f"{{{guest.uuid.lower()}}}" and bare.name in guests
    for query, names in (("select DNSHostName, NumberOfProcessors from Win32_ComputerSystem",
                          {"DNSHostName", "NumberOfProcessors"}),
                         ("select UUID from Win32_ComputerSystemProduct", {"UUID"})):
        found, = pull(enumerate_(query, f"{HOST}/*"), f"{HOST}/*")
        assert names <= {name for name, value in found.items() if value}
