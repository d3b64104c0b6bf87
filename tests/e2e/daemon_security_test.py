"""Strangers, readers and broken clients against cohortd: what they reach, and that the others do not notice."""

import base64
import collections
import contextlib
import os
import random
import re
import socket
import time

import pytest

from harness import wait_until
from harness.cim_clients import ENUMERATION, SOAP_TYPE, V2, CimError, CimXmlClient, WsmanClient, sender, uri_of
from harness.cohortd import PASSWORDS, Cohortd
from harness.images import REPOSITORY

MIB = 1024 * 1024
SERVICES = ("Msvm_CollectionManagementService", "Msvm_CollectionSnapshotService", "Msvm_CollectionReferencePointService")
CIMXML = {"Content-Type": "application/xml", "CIMOperation": "MethodCall"}


@pytest.fixture(scope="module")
def cohortd(lab):
    """Over libvirt's test driver: nothing here is about machines. Who guesses is slowed down less than usual."""
    with Cohortd(lab.folder / "cohortd", lab.state, uri="test:///default",
                 settings={"limits": ["receiving_seconds = 2", "login_failures = 5", "login_wait_seconds = 1",
                                      "connections = 1500"]}) as running:
        client = WsmanClient(sender(running, "administrator"))
        kept = client.define_collection("kept", "test")
        client.invoke(client.service(SERVICES[1]), "CreateSnapshot", Collection=kept, SnapshotType=2)  # a job to look at
        yield running
        assert running.stop() == 0


def one_of(cohortd, class_name):
    """The path of an instance; of services there is only one."""
    return CimXmlClient(cohortd, "reader").instances(class_name)[0].path


def clients(cohortd, role):
    """Of both protocols."""
    return WsmanClient(sender(cohortd, role)), CimXmlClient(cohortd, role)


def works(cohortd):
    """Answers somebody who has been let in, at once."""
    began = time.monotonic()
    found = CimXmlClient(cohortd, "reader").instances("Msvm_VirtualSystemCollection")
    assert [each["ElementName"] for each in found] == ["kept"]
    return time.monotonic() - began


def raw(cohortd, data, patience=20):
    """Sends bytes and returns all that comes back."""
    with socket.create_connection(("127.0.0.1", cohortd.port), timeout=patience) as client:
        with contextlib.suppress(OSError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while part := client.recv(65536):
                answer += part
        return answer


# Strangers

@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "M-POST", "X"])
def test_strangers_get_nothing_but_401(cohortd, method, tls):
    for path in ("/", "/wsman", "/wsman/", "/wsman?x", "/cimom", "/health", "/metrics", "/../etc/passwd", "/%2e%2e", "*",
                 "/wsman-anon/identify", "/x" * 100):
        for headers in ({}, {"Authorization": "Basic"}, {"Authorization": "Basic !!!"}, {"Authorization": "Negotiate YII="},
                        {"Authorization": "Bearer x"}, {"WSMANIDENTIFY": "unauthenticated"}):
            status, answered, body = cohortd.request(method, path, b"<x/>", {**SOAP_TYPE, **headers}, tls=tls)
            assert (status, body) == (401, b""), (method, path, headers)
            assert answered["WWW-Authenticate"].startswith("Basic ")


def test_a_wrong_password_is_one_for_every_name_and_has_to_wait_after_five(cohortd):
    for name in ("reader", "nobody", "root", ""):
        for _ in range(2):
            status, _, _ = cohortd.request("POST", "/wsman", b"", {"Authorization": basic(name, "wrong")})
            assert status == 401
    for _ in range(6):
        cohortd.request("POST", "/wsman", b"", {"Authorization": basic("operator", "wrong")})
    assert cohortd.request("POST", "/wsman", b"", SOAP_TYPE, role="operator")[0] == 401
    assert "warning authentication-failed: operator was not let in." in cohortd.log()
    time.sleep(1.5)
    assert cohortd.request("POST", "/wsman", b"", SOAP_TYPE, role="operator")[0] == 500  # a fault: it is no envelope
    assert all(password not in cohortd.log() for password in PASSWORDS.values())


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_the_password_file_is_nobody_elses(cohortd):
    path = cohortd.folder / "passwords"
    assert path.stat().st_mode & 0o777 == 0o600
    assert all(password not in path.read_text() for password in PASSWORDS.values())
    assert (cohortd.state / "tls/key.pem").stat().st_mode & 0o077 == 0


# Those who may not

METHODS = [(SERVICES[0], "DefineCollection", {"Name": "x", "Id": "", "Type": 0}),
           (SERVICES[0], "RenameCollection", {"NewName": "x"}), (SERVICES[0], "DestroyCollection", {}),
           (SERVICES[0], "AddMember", {}), (SERVICES[0], "RemoveMember", {}), (SERVICES[0], "RemoveMemberById", {}),
           (SERVICES[1], "CreateSnapshot", {"SnapshotType": 2}), (SERVICES[1], "ExportSnapshot", {"ExportDirectory": "/x"}),
           (SERVICES[1], "ApplySnapshot", {}), (SERVICES[1], "DestroySnapshot", {}),
           (SERVICES[1], "ConvertToReferencePoint", {}), (SERVICES[2], "CreateReferencePoint", {}),
           (SERVICES[2], "ExportReferencePoint", {"ExportDirectory": "/x"}), (SERVICES[2], "DestroyReferencePoint", {}),
           ("Msvm_ConcreteJob", "RequestStateChange", {"RequestedState": 4}),
           ("Msvm_ComputerSystem", "RequestStateChange", {"RequestedState": 3}),
           ("Cohort_PackageService", "VerifyPackage", {"Directory": "/x"}),
           ("Cohort_PackageService", "MergePackage", {"Directory": "/x", "NewDirectory": "/y"}),
           ("Cohort_PackageService", "ImportPackage", {"Directory": "/x", "Start": True}),
           ("Cohort_PackageService", "TryPackage", {"Directory": "/x", "RunFor": 1})]


@pytest.mark.parametrize("class_name, method, parameters", METHODS, ids=[f"{each[0]}.{each[1]}" for each in METHODS])
def test_a_reader_changes_nothing(cohortd, class_name, method, parameters):
    path = one_of(cohortd, class_name)
    for client in clients(cohortd, "reader"):
        with pytest.raises(CimError) as refused:
            client.invoke(path, method, **parameters)
        assert refused.value.code in ("w:AccessDenied", 2), refused.value
    assert f"warning access-denied: {method}: " in cohortd.log()
    works(cohortd)


@pytest.mark.parametrize("class_name, method", [(SERVICES[0], "DefineCollection"), (SERVICES[0], "DestroyCollection"),
                                                (SERVICES[1], "ApplySnapshot")])
def test_an_operator_neither_defines_nor_goes_back(cohortd, class_name, method):
    with pytest.raises(CimError) as refused:
        WsmanClient(sender(cohortd, "operator")).invoke(one_of(cohortd, class_name), method)
    assert refused.value.code == "w:AccessDenied"
    works(cohortd)


@pytest.mark.parametrize("role", ["reader", "operator"])
def test_only_an_administrator_changes_instances(cohortd, role):
    collection = one_of(cohortd, "Msvm_VirtualSystemCollection")
    for client in clients(cohortd, role):
        with pytest.raises(CimError) as refused:
            client.modify(collection, ElementName="mine")
        assert refused.value.code in ("w:AccessDenied", 2), refused.value
    assert cohortd.log().count("warning access-denied: modify: ") >= 2
    works(cohortd)


@pytest.mark.parametrize("role", PASSWORDS)
def test_nobody_creates_or_deletes_instances(cohortd, role):
    collection = one_of(cohortd, "Msvm_VirtualSystemCollection")
    for client in clients(cohortd, role):
        for write in (lambda: client.create("Msvm_VirtualSystemCollection", CollectionID="x", ElementName="more"),
                      lambda: client.delete(collection)):
            with pytest.raises(CimError) as refused:
                write()
            assert refused.value.code in ("a:ActionNotSupported", 7), refused.value
    works(cohortd)


def test_an_enumeration_belongs_to_who_opened_it(cohortd):
    opened = WsmanClient(sender(cohortd, "administrator")).ask(
        ENUMERATION + "Enumerate", uri_of("Msvm_VirtualSystemCollection"), "<n:Enumerate/>")
    context = opened[0][0].text
    with pytest.raises(CimError) as refused:
        WsmanClient(sender(cohortd, "reader")).ask(
            ENUMERATION + "Pull", uri_of("Msvm_VirtualSystemCollection"),
            f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext></n:Pull>")
    assert refused.value.code == "n:InvalidEnumerationContext"


# Too much, and too slow

def test_too_long_a_request_is_cut_off(cohortd):
    assert cohortd.request("POST", "/wsman", b"x" * 5 * MIB, SOAP_TYPE, role="reader")[0] == 413
    assert cohortd.request("POST", "/wsman", b"", {**SOAP_TYPE, "X": "x" * 20000}, role="reader")[0] == 431
    assert cohortd.request("POST", "/" + "x" * 20000, b"", SOAP_TYPE, role="reader")[0] in (414, 431)
    works(cohortd)


def test_a_bomb_of_entities_or_depth_is_no_request(cohortd):
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    outside = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>'
    attributes = "".join(f" a{number}=''" for number in range(100_000))
    namespaces = "".join(f" xmlns:a{number}='u'" for number in range(100_000))
    long_name = f"<a xmlns='urn:{'x' * 6000}'>{'<a/>' * 50_000}</a>"
    cohortd.forget_peak()
    for body in (f"<!DOCTYPE x [{laughs}]><x>&l9;</x>", outside, "<a>" * 100000, "<a " + "b='c' " * 1000 + "/>",
                 f"<a{attributes}/>", f"<a{namespaces}/>", long_name):
        status, _, reply = cohortd.request("POST", "/wsman", body.encode(), SOAP_TYPE, role="reader")
        assert status == 500 and b"SchemaValidationError" in reply
        assert cohortd.request("POST", "/cimom", body.encode(), CIMXML, role="reader")[0] == 400
    if "ASAN_OPTIONS" not in os.environ:
        assert cohortd.peak_memory_kib() < 256 * 1024
    works(cohortd)


def test_slow_clients_are_let_go_while_others_work(cohortd):
    authorization = f"Authorization: {cohortd.authorization('reader')}\r\n"
    beginnings = (b"P", b"POST /wsman HTTP/1.1\r\nHost: h\r\n",
                  f"POST /wsman HTTP/1.1\r\nHost: h\r\n{authorization}Content-Length: 1000\r\n\r\nslow".encode())
    slow = [socket.create_connection(("127.0.0.1", cohortd.port), timeout=20) for _ in range(90)]
    for index, each in enumerate(slow):
        each.sendall(beginnings[index % 3])
    assert works(cohortd) < 5
    began = time.monotonic()
    for each in slow:
        with contextlib.suppress(ConnectionError):
            while each.recv(4096):
                pass
        each.close()
    assert time.monotonic() - began < 15  # receiving_seconds is 2
    assert works(cohortd) < 5


def test_a_thousand_idle_connections_are_in_nobodys_way(cohortd):
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(socket.create_connection(("127.0.0.1", cohortd.port), timeout=20))
        wait_until(lambda: cohortd.metric("cohort_connections") >= 1000, 60, "all are accepted")
        assert max(works(cohortd) for _ in range(20)) < 5
    works(cohortd)


# Rubbish

def golden_requests(collection):
    """Bodies of requests that are right, by the headers that they come with: as they are kept, and about a collection
    that is there."""
    found = []
    for protocol, headers_of in (("cimxml", cimxml_headers), ("wsman", lambda _: SOAP_TYPE)):
        for path in sorted((REPOSITORY / "tests/golden" / protocol).glob("*.request.xml")):
            body = path.read_bytes()
            real = body.replace(b"Msvm_SnapshotCollection", b"Msvm_VirtualSystemCollection")
            real = real.replace(b"c-1", collection.encode())
            found += [(headers_of(each), "/wsman" if protocol == "wsman" else "/cimom", each) for each in (body, real)]
    assert sum(path == "/wsman" for _, path, _ in found) > 40
    return found


def cimxml_headers(body):
    kind, method = re.search(rb'<(I?METHODCALL) NAME="(\w+)"', body).groups()
    target = re.search(rb'<INSTANCENAME CLASSNAME="(\w+)"', body) if kind == b"METHODCALL" else None
    return {**CIMXML, "CIMMethod": method.decode(), "CIMObject": V2 + (f":{target[1].decode()}" if target else "")}


def mutated(body, chance):
    """With some bytes changed, taken out, or doubled."""
    made = bytearray(body)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(made) or 1)
        length = chance.randrange(1, 40)
        kind = chance.randrange(4)
        if kind == 0 and made:
            made[at % len(made)] = chance.randrange(256)
        elif kind == 1:
            del made[at:at + length]
        elif kind == 2:
            made[at:at] = made[at:at + length]
        else:
            made[at:at] = bytes(chance.randrange(256) for _ in range(length))
    return bytes(made)


def throw(cohortd, count, chance):
    """That many requests; nine tenths of them from somebody who has been let in, over connections that are kept.
    Returns how many were answered with each status."""
    golden = golden_requests(one_of(cohortd, "Msvm_VirtualSystemCollection").key("CollectionID"))
    answered = collections.Counter()
    connection = None
    for number in range(count):
        if number % 10 == 9:
            raw(cohortd, bytes(chance.randrange(256) for _ in range(chance.randrange(300))))
            continue
        headers, path, body = golden[number % len(golden)]
        connection = connection or cohortd.connect()
        try:
            connection.request("POST", path, mutated(body, chance),
                               {**headers, "Authorization": cohortd.authorization("reader")})
            answer = connection.getresponse()
            answer.read()
            answered[answer.status] += 1
        except (ConnectionError, socket.timeout):
            connection = None
    return answered


def test_ten_thousand_broken_requests_break_nothing(cohortd):
    chance = random.Random(6)
    throw(cohortd, 2000, chance)  # until its memory has the size that it keeps
    before = cohortd.memory_kib()
    answered = throw(cohortd, 8000, chance)
    if "ASAN_OPTIONS" not in os.environ:  # that sanitizer keeps what was freed, and finds leaks itself
        assert cohortd.memory_kib() - before < 16 * 1024
    assert answered.keys() <= {200, 400, 413, 415, 500, 501}
    # Some were right all the same, some were wrong in the envelope, some in what was asked.
    assert min(answered[200], answered[400], answered[500]) > 40, answered
    works(cohortd)
