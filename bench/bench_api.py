"""How quickly cohortd answers, with 1,000 machines and 200 collections of libvirt's test driver.

Listing all machines through both protocols, with the memory that it costs the daemon; the longest of a hundred answers to
"get this machine" for sixteen clients at once; and the most that a daemon which has done nothing else needs for a list that
is pulled in tens, from 100 to 5,000 machines.
"""
import concurrent.futures
import itertools
import re
import socket
import statistics
import tempfile
import time
import uuid
from pathlib import Path

from harness.cim_clients import CimXmlClient, WsmanClient, sender
from harness.cohortd import Cohortd

MACHINES = 1000
COLLECTIONS = 200
MEMBERS = 5
CLIENTS = 16
GETS = 125  # of each client
LIST_SECONDS = 1.0
LIST_MIB = 100
GET_P99_MS = 10
PULLED_FROM = (100, 1000, 5000)  # machines
PULLED_MIB = 4


def write_driver(folder, machines=MACHINES):
    """The file of a test driver; returns its address and the machines' UUIDs."""
    ids = [str(uuid.uuid4()) for _ in range(machines)]
    domains = "".join(
        f"<domain type='test'><name>cohort-test-{number:04}</name><uuid>{each}</uuid><memory>1048576</memory><vcpu>2</vcpu>"
        "<os><type>hvm</type></os><devices>"
        f"<disk type='file' device='disk'><source file='/nonexistent/{number}.qcow2'/><target dev='vda' bus='virtio'/></disk>"
        "</devices></domain>" for number, each in enumerate(ids))
    node = folder / "node.xml"
    node.write_text(f"<node>{domains}</node>")
    return f"test://{node}", ids


def define_collections(client, ids):
    service, = client.instances("Msvm_CollectionManagementService")
    machines = {each["Name"]: each for each in client.instances("Msvm_ComputerSystem")}
    for number in range(COLLECTIONS):
        code, out = client.invoke(service.path, "DefineCollection", Name=f"collection {number:03}")
        assert str(code) == "0", code
        for member in range(MEMBERS):
            machine = machines[ids[(number * MEMBERS + member) % MACHINES].upper()]
            code, _ = client.invoke(service.path, "AddMember", Member=machine.path, Collection=out["DefinedCollection"])
            assert str(code) == "0", code


def timed(action):
    began = time.monotonic()
    result = action()
    return time.monotonic() - began, result


def get_request(daemon, machine):
    """The bytes of a request for a machine."""
    body = ('<?xml version="1.0" encoding="utf-8"?><CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="1" '
            'PROTOCOLVERSION="1.0"><SIMPLEREQ><IMETHODCALL NAME="GetInstance"><LOCALNAMESPACEPATH><NAMESPACE NAME="root"/>'
            '<NAMESPACE NAME="virtualization"/><NAMESPACE NAME="v2"/></LOCALNAMESPACEPATH><IPARAMVALUE NAME="InstanceName">'
            '<INSTANCENAME CLASSNAME="Msvm_ComputerSystem"><KEYBINDING NAME="CreationClassName"><KEYVALUE>'
            'Msvm_ComputerSystem</KEYVALUE></KEYBINDING><KEYBINDING NAME="Name"><KEYVALUE>'
            f"{machine}</KEYVALUE></KEYBINDING></INSTANCENAME></IPARAMVALUE></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>")
    return (f"POST /cimom HTTP/1.1\r\nHost: localhost\r\nAuthorization: {daemon.authorization('reader')}\r\n"
            'Content-Type: application/xml; charset="utf-8"\r\nCIMOperation: MethodCall\r\nCIMMethod: GetInstance\r\n'
            f"CIMObject: root/virtualization/v2\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


def receive_reply(connection):
    """One reply, as it came."""
    reply = b""
    while b"\r\n\r\n" not in reply:
        reply += connection.recv(65536)
    head, body = reply.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"Content-Length: (\d+)", head, re.IGNORECASE).group(1))
    while len(body) < length:
        body += connection.recv(65536)
    return head + body


def get_all(daemon, ids):
    """The milliseconds of each get, for clients that ask side by side, each on a connection of its own.

    Nothing but sending and receiving is in them: what else a client does would take its share of the two processors.
    """
    def one_client(number):
        wanted = [ids[(number * 61 + turn * 7) % MACHINES].upper() for turn in range(GETS)]
        requests = [get_request(daemon, machine) for machine in wanted]
        taken = []
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as connection:
            for machine, request in zip(wanted, requests):
                began = time.monotonic()
                connection.sendall(request)
                reply = receive_reply(connection)
                taken.append((time.monotonic() - began) * 1000)
                assert b" 200 " in reply[:20] and machine.encode() in reply, reply
        return taken

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return [each for taken in pool.map(one_client, range(CLIENTS)) for each in taken]


def measure(rounds, row, tell):
    with tempfile.TemporaryDirectory(prefix="cohort-bench-") as name:
        folder = Path(name)
        uri, ids = write_driver(folder)
        with Cohortd(folder / "daemon", folder / "state", uri=uri) as daemon:
            tell("api: defining collections")
            define_collections(CimXmlClient(daemon, "administrator"), ids)
            rows = measure_lists(daemon, rounds, row, tell) + measure_gets(daemon, ids, rounds, row, tell)
    return rows + measure_pulled(row, tell)


def measure_lists(daemon, rounds, row, tell):
    rows = []
    wsman = WsmanClient(sender(daemon, "reader"))
    ways = {"CIM-XML": lambda: CimXmlClient(daemon, "reader", checks=False).instances("Msvm_ComputerSystem"),
            "WS-Management": lambda: wsman.instances("Msvm_ComputerSystem", most=1000)}
    before = daemon.memory_kib()
    for protocol, list_all in ways.items():
        tell(f"api: listing through {protocol}")
        seconds = []
        for _ in range(rounds):
            taken, found = timed(list_all)
            assert len(found) == MACHINES + 1, len(found)
            seconds.append(taken)
        rows.append(row("api", f"list 1,000 machines, {protocol}", "s", seconds, goal=f"<= {LIST_SECONDS}",
                        met=lambda ours, _: ours <= LIST_SECONDS))
    grown = (daemon.memory_kib() - before) / 1024
    rows.append(row("api", "memory that the lists cost", "MiB", [grown], goal=f"<= {LIST_MIB}",
                    met=lambda ours, _: ours <= LIST_MIB))
    seconds, found = timed(lambda: wsman.instances("Msvm_ComputerSystem", most=10))
    assert len(found) == MACHINES + 1
    rows.append(row("api", "list pulled in tens", "s", [seconds], goal=f"<= {LIST_SECONDS}",
                    met=lambda ours, _: ours <= LIST_SECONDS))
    return rows


def measure_pulled(row, tell):
    """The most memory that a new daemon needs until a list is half pulled, and how that grows with the list."""
    grown = []
    for machines in PULLED_FROM:
        tell(f"api: pulling half of {machines} machines")
        with tempfile.TemporaryDirectory(prefix="cohort-bench-") as name:
            folder = Path(name)
            uri, ids = write_driver(folder, machines)
            with Cohortd(folder / "daemon", folder / "state", uri=uri) as daemon:
                grown.append(half_pulled_mib(daemon, machines, ids))
    rows = [row("api", f"most memory for a list in tens, {machines:,} machines", "MiB", [mib])
            for machines, mib in zip(PULLED_FROM, grown)]
    rows.append(row("api", f"the same, more for {PULLED_FROM[-1]:,} than for {PULLED_FROM[0]:,}", "MiB",
                    [grown[-1] - grown[0]], goal=f"<= {PULLED_MIB}", met=lambda ours, _: ours <= PULLED_MIB))
    return rows


def half_pulled_mib(daemon, machines, ids):
    # What the first requests need.
    for machine in ids[:80]:
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as connection:
            connection.sendall(get_request(daemon, machine.upper()))
            receive_reply(connection)
    daemon.forget_peak()
    before = daemon.memory_kib()
    batches = WsmanClient(sender(daemon, "reader")).batches("Msvm_ComputerSystem", most=10)
    pulled = sum(len(batch) for batch in itertools.islice(batches, machines // 20))
    assert pulled == machines // 20 * 10, pulled
    return (daemon.peak_memory_kib() - before) / 1024


def measure_gets(daemon, ids, rounds, row, tell):
    tell("api: getting machines")
    p99 = []
    for _ in range(rounds):
        taken = sorted(get_all(daemon, ids))
        p99.append(taken[int(len(taken) * 0.99)])
    return [row("api", f"get a machine, {CLIENTS} clients, p99", "ms", p99, goal=f"<= {GET_P99_MS}",
                met=lambda ours, _: ours <= GET_P99_MS),
            row("api", f"get a machine, {CLIENTS} clients, median", "ms", [statistics.median(taken)])]
