"""Clients that negotiate who they are (Kerberos, NTLM) against cohortd, and seal their messages."""

import base64
import contextlib
import ctypes
import hashlib
import re
import socket
import ssl
import subprocess
import time

import gssapi
import pytest
from ntlm_auth.messages import AuthenticateMessage, ChallengeMessage
from ntlm_auth.ntlm import NtlmContext
from winrm.exceptions import InvalidCredentialsError
from winrm.transport import Transport

from harness.cim_clients import SOAP_TYPE, CimError, CimXmlClient, WsmanClient, envelope, sender, uri_of
from harness.cohortd import Cohortd
from harness.kerberos import REALM, Realm
from harness.negotiating import KERBEROS, KERBEROS_ALONE, OMICLI, PYPSRP, SealingClient, kerberos, ntlm

ELSEWHERE = "192.0.2.10"  # RFC 5737: nobody's
PASSWORD = "all of it"
SERVICE = "Msvm_CollectionManagementService"
IDENTIFY = ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><i:Identify xmlns:i='
            '"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>')


@pytest.fixture(scope="module")
def realm(lab):
    with Realm(lab.folder / "realm") as running:
        for name in ("ann", "otto", "nobody"):
            running.add_user(name, PASSWORD)
        yield running


@pytest.fixture(scope="module")
def elsewhere():
    """An address that is not loopback; what comes from it comes from elsewhere."""
    subprocess.run(["ip", "address", "add", f"{ELSEWHERE}/32", "dev", "lo"], check=True)
    yield ELSEWHERE
    subprocess.run(["ip", "address", "del", f"{ELSEWHERE}/32", "dev", "lo"], check=True)


@pytest.fixture(scope="module")
def cohortd(lab, realm, elsewhere):
    users = lab.folder / "ntlm"
    users.touch(mode=0o600)
    users.write_text(f"COHORT:nora:{PASSWORD}\nCOHORT:stranger:{PASSWORD}\n")
    settings = {"listen": ["plain_everywhere = encrypted"],
                "negotiate": ["mechanisms = kerberos, ntlm", f"keytab = {realm.keytab}", f"ntlm_users = {users}"],
                "limits": ["login_failures = 3", "login_wait_seconds = 2"]}
    with Cohortd(lab.folder / "cohortd", lab.state, uri="test:///default", settings=settings,
                 elsewhere=elsewhere) as running:
        for name, role in ((f"ann@{REALM}", "administrator"), (f"otto@{REALM}", "reader"), ("cohort\\Nora", "operator")):
            running.run("user", "add", name, "--role", role, "--by", "negotiate")
        running.reload()
        WsmanClient(sender(running, "administrator")).invoke(path_of_service(running), "DefineCollection", Name="kept",
                                                            Id="", Type=0)
        yield running
        assert running.stop() == 0


def path_of_service(cohortd):
    found, = CimXmlClient(cohortd, "reader").instances(SERVICE)
    return found.path


def contexts(realm, user="ann"):
    """Makers of contexts by what is negotiated."""
    return {"kerberos": lambda: kerberos(realm.ticket(user, PASSWORD)), "ntlm": lambda: ntlm("COHORT\\nora", PASSWORD)}


@contextlib.contextmanager
def connected(cohortd, context, ways=PYPSRP, host=ELSEWHERE, greets=True):
    client = SealingClient(host, cohortd.elsewhere_port if host == ELSEWHERE else cohortd.port, context, ways)
    try:
        if greets:
            assert client.greet()[-1] == 200
        yield client
    finally:
        client.close()


def collections(send):
    return [each["ElementName"] for each in WsmanClient(send).instances("Msvm_VirtualSystemCollection")]


# What is right

@pytest.mark.parametrize("ways", [PYPSRP, OMICLI], ids=["pypsrp", "omicli"])
@pytest.mark.parametrize("kind, steps", [("kerberos", [200]), ("ntlm", [401, 200])])
def test_messages_are_sealed_both_ways_over_plain_http(cohortd, realm, kind, steps, ways):
    with connected(cohortd, contexts(realm)[kind](), ways, greets=False) as client:
        assert client.greet() == [401] * ways.asks_first + steps
        assert collections(client.post) == ["kept"]
        # Faults, too, and what is long.
        with pytest.raises(CimError):
            WsmanClient(client.post).instances("No_Such")
        assert client.post(IDENTIFY + " " * 300_000)[0] == 200


@pytest.mark.parametrize("kind", ["kerberos", "ntlm"])
def test_what_is_sealed_in_utf_16_is_answered_in_it(cohortd, realm, kind):
    with connected(cohortd, contexts(realm)[kind]()) as client:
        assert collections(lambda text: client.post(text, "UTF-16")) == ["kept"]


def test_the_scheme_kerberos_is_answered_in_its_own_words(cohortd, realm):
    context = kerberos(realm.ticket("ann", PASSWORD), mechanism=KERBEROS)
    with connected(cohortd, context, KERBEROS_ALONE) as client:
        assert collections(client.post) == ["kept"]


def test_the_name_gives_the_role_and_stands_in_the_log(cohortd, realm):
    service = path_of_service(cohortd)
    with connected(cohortd, kerberos(realm.ticket("ann", PASSWORD))) as client:
        assert WsmanClient(client.post).invoke(service, "DefineCollection", Name="x", Id="", Type=0)[0] == 0
    assert re.search(rf"notice changed: DefineCollection: .*user=ann@{REALM} address={ELSEWHERE}", cohortd.log())
    for context in (kerberos(realm.ticket("otto", PASSWORD)), ntlm("COHORT\\nora", PASSWORD)):
        with connected(cohortd, context) as client:
            with pytest.raises(CimError) as refused:
                WsmanClient(client.post).invoke(service, "DefineCollection", Name="y", Id="", Type=0)
            assert refused.value.code == "w:AccessDenied"
    WsmanClient(sender(cohortd, "administrator")).invoke(
        service, "DestroyCollection", Collection=next(each.path for each in CimXmlClient(
            cohortd, "reader").instances("Msvm_VirtualSystemCollection") if each["ElementName"] == "x"))


@pytest.fixture
def md4():
    """What NTLM for Python needs of OpenSSL, and Debian's does not give unasked."""
    crypto = ctypes.CDLL("libcrypto.so.3")
    crypto.OSSL_PROVIDER_load(None, b"legacy")
    crypto.OSSL_PROVIDER_load(None, b"default")


@pytest.mark.usefixtures("md4")
def test_python3_winrm_seals_with_ntlm(cohortd):
    transport = Transport(endpoint=f"http://{ELSEWHERE}:{cohortd.elsewhere_port}/wsman", username="COHORT\\nora",
                          password=PASSWORD, auth_method="ntlm", message_encryption="always")
    assert collections(lambda body: (200, transport.send_message(body))) == ["kept"]


@pytest.mark.usefixtures("md4")
@pytest.mark.parametrize("method", ["ntlm", "kerberos"])
def test_python3_winrm_negotiates_over_tls(cohortd, realm, monkeypatch, method):
    """With the channel's binding in what is negotiated; Debian's Kerberos for Python cannot seal."""
    monkeypatch.setenv("KRB5CCNAME", realm.ticket("ann", PASSWORD))
    transport = Transport(endpoint=f"https://localhost:{cohortd.tls_port}/wsman", username="COHORT\\nora",
                          password=PASSWORD, auth_method=method, ca_trust_path=str(cohortd.certificate), service="HTTP")
    assert collections(lambda body: (200, transport.send_message(body))) == ["kept"]


def test_what_is_negotiated_is_bound_to_the_tls_connection(cohortd, realm):
    der = ssl.PEM_cert_to_DER_cert(cohortd.certificate.read_text())
    right = b"tls-server-end-point:" + hashlib.sha256(der).digest()
    for binding, status in ((right, 200), (b"tls-server-end-point:" + bytes(32), 401)):
        bindings = gssapi.raw.ChannelBindings(application_data=binding)
        for context in (kerberos(realm.ticket("ann", PASSWORD), bindings=bindings),
                        ntlm("COHORT\\nora", PASSWORD, bindings=bindings)):
            client = SealingClient("localhost", cohortd.tls_port, context, PYPSRP,
                                   tls=ssl.create_default_context(cafile=cohortd.certificate))
            assert client.greet()[-1] == status
            client.close()


def test_nothing_has_to_be_sealed_on_loopback(cohortd, realm):
    with connected(cohortd, kerberos(realm.ticket("ann", PASSWORD)), host="127.0.0.1") as client:
        def send(body):
            status, _, reply = client.ask(body.encode(), SOAP_TYPE)
            return status, reply
        assert collections(send) == ["kept"]
        assert collections(client.post) == ["kept"]
        assert client.ask(IDENTIFY.encode(), SOAP_TYPE)[0] == 403  # once sealed, all that follows is


def test_a_role_that_is_taken_away_ends_what_was_negotiated(cohortd, realm):
    cohortd.run("user", "add", f"nobody@{REALM}", "--role", "reader", "--by", "negotiate")
    cohortd.reload()
    with connected(cohortd, kerberos(realm.ticket("nobody", PASSWORD))) as client:
        assert client.post(IDENTIFY)[0] == 200
        cohortd.run("user", "remove", f"nobody@{REALM}")
        cohortd.reload()
        assert client.ask(client.seal(IDENTIFY.encode()), client.sealed_type())[0] == 401


# What is offered

def test_what_is_offered_depends_on_who_can_listen(cohortd):
    def offered(host, port):
        with contextlib.closing(SealingClient(host, port, None, PYPSRP)) as client:
            status, headers, _ = client.ask()
            assert status == 401
            return [each.split()[0] for each in headers.get_all("WWW-Authenticate")]

    assert offered("127.0.0.1", cohortd.port) == ["Negotiate", "Kerberos", "Basic"]
    assert offered(ELSEWHERE, cohortd.elsewhere_port) == ["Negotiate", "Kerberos"]


def test_a_password_is_not_taken_where_others_can_read_it(cohortd):
    with contextlib.closing(SealingClient(ELSEWHERE, cohortd.elsewhere_port, None, PYPSRP)) as client:
        headers = {**SOAP_TYPE, "Authorization": cohortd.authorization("administrator")}
        assert client.ask(IDENTIFY.encode(), headers)[0] == 401


# What is wrong

@pytest.mark.usefixtures("md4")
def test_a_wrong_password_has_to_wait_after_three(cohortd):
    def greet(password):
        with contextlib.closing(SealingClient(ELSEWHERE, cohortd.elsewhere_port, ntlm("COHORT\\nora", password),
                                              OMICLI)) as client:
            return client.greet()

    for _ in range(3):
        assert greet("guess") == [401, 401]
    assert greet(PASSWORD) == [401, 401]
    assert "warning authentication-failed: nora was not let in. It has to wait" in cohortd.log()
    time.sleep(2.1)
    assert greet(PASSWORD) == [401, 200]
    with pytest.raises(InvalidCredentialsError):
        Transport(endpoint=f"http://{ELSEWHERE}:{cohortd.elsewhere_port}/wsman", username="COHORT\\nora",
                  password="guess", auth_method="ntlm", message_encryption="always").send_message(IDENTIFY)


def greet_as_nora(cohortd, password, behind):
    """With NTLM alone, and with more behind the zero at the end of the name, which is not looked at there; returns the
    status."""
    def authorization(token):
        return {"Authorization": f"Negotiate {base64.b64encode(token).decode()}"}

    with contextlib.closing(SealingClient(ELSEWHERE, cohortd.elsewhere_port, None, OMICLI)) as client:
        context = NtlmContext("nora", password, "COHORT")
        _, headers, _ = client.ask(headers=authorization(context.step()))
        challenge = ChallengeMessage(base64.b64decode(headers["WWW-Authenticate"].split()[1]))
        last = AuthenticateMessage("nora", password, "COHORT", None, challenge, context.ntlm_compatibility)
        last.user_name += ("\0" + behind).encode("utf-16-le")
        last.add_mic(context._negotiate_message, challenge)
        return client.ask(headers=authorization(last.get_data()))[0]


@pytest.mark.usefixtures("md4")
def test_one_who_guesses_has_to_wait_whatever_stands_behind_the_name(cohortd):
    assert greet_as_nora(cohortd, PASSWORD, "x") == 200
    began = len(cohortd.log())
    for behind in ("a", "b", "c" * 300):
        assert greet_as_nora(cohortd, "guess", behind) == 401
    assert greet_as_nora(cohortd, PASSWORD, "d" * 400) == 401
    assert "nora was not let in. It has to wait" in cohortd.log()[began:]
    time.sleep(2.1)
    assert greet_as_nora(cohortd, PASSWORD, "d" * 400) == 200


@pytest.mark.parametrize("kind", ["kerberos", "ntlm"])
def test_who_is_no_user_is_not_let_in(cohortd, realm, kind):
    context = {"kerberos": lambda: kerberos(realm.ticket("nobody", PASSWORD)),
               "ntlm": lambda: ntlm("COHORT\\stranger", PASSWORD)}[kind]()
    with connected(cohortd, context, greets=False) as client:
        assert client.greet()[-1] == 401
    assert "There is no such user." in cohortd.log()


def test_a_ticket_that_has_expired_lets_nobody_in_and_ends_what_it_began(cohortd, realm):
    cache = realm.ticket("ann", PASSWORD, lifetime="3s")
    with connected(cohortd, kerberos(cache)) as client:
        assert client.post(IDENTIFY)[0] == 200
        token, sealed = kerberos(cache).step(None), client.seal(IDENTIFY.encode())
        time.sleep(5)
        assert client.ask(sealed, client.sealed_type())[0] == 401
        status, _, _ = client.ask(headers={"Authorization": f"Negotiate {base64.b64encode(token).decode()}"})
        assert status == 401


def test_a_token_lets_in_once(cohortd, realm):
    authorization = "Negotiate " + base64.b64encode(kerberos(realm.ticket("ann", PASSWORD)).step(None)).decode()
    statuses = []
    for _ in range(2):
        with contextlib.closing(SealingClient(ELSEWHERE, cohortd.elsewhere_port, None, PYPSRP)) as client:
            statuses.append(client.ask(headers={"Authorization": authorization})[0])
    assert statuses == [200, 401]


@pytest.mark.parametrize("kind", ["kerberos", "ntlm"])
def test_a_message_counts_once_and_unchanged(cohortd, realm, kind):
    method = envelope(f"{uri_of(SERVICE)}/DefineCollection", uri_of(SERVICE),
                      f'<p:DefineCollection_INPUT xmlns:p="{uri_of(SERVICE)}"/>').encode()
    began = len(cohortd.log())
    for spoil in (lambda body: body[:-60] + bytes([body[-60] ^ 1]) + body[-59:], None):
        with connected(cohortd, contexts(realm)[kind]()) as client:
            body = client.seal(method)
            if spoil is None:
                client.ask(body, client.sealed_type())  # and again, as somebody on the way could
            assert client.ask(spoil(body) if spoil else body, client.sealed_type())[0] == 400
            assert client.ask(client.seal(method), client.sealed_type())[0] == 401
    log = cohortd.log()[began:]
    assert log.count("operation=invoke_method") == 1, "a message that was spoilt, or came again, was carried out"
    assert log.count("authentication-failed") >= 2


def test_a_message_in_the_clear_is_refused_where_others_can_change_it(cohortd, realm):
    with connected(cohortd, kerberos(realm.ticket("ann", PASSWORD))) as client:
        assert client.ask(IDENTIFY.encode(), SOAP_TYPE)[0] == 403
        assert client.ask(b"", SOAP_TYPE)[0] == 403
        # Signed, but for everybody to read.
        signed = client.context.wrap(IDENTIFY.encode(), False).message
        body = client.seal(IDENTIFY.encode())
        beginning = body[:body.index(b"octet-stream\r\n") + len(b"octet-stream\r\n")]
        spoilt = beginning + (16).to_bytes(4, "little") + signed + b"--Encrypted Boundary--\r\n"
        assert client.ask(spoilt, client.sealed_type())[0] == 400


def test_tokens_that_are_none_or_too_long_are_refused(cohortd, realm):
    cache = realm.ticket("ann", PASSWORD)
    token = base64.b64encode(kerberos(cache).step(None)).decode()
    wrong = ["Negotiate", "Negotiate ", "Negotiate !", "Negotiate " + token[:-40], "Negotiate " + "A" * 12000,
             "Kerberos " + token[4:], "Negotiate " + base64.b64encode(b"NTLMSSP\0" + b"\3\0\0\0" + b"\xff" * 80).decode()]
    for authorization in wrong:
        with contextlib.closing(SealingClient(ELSEWHERE, cohortd.elsewhere_port, None, PYPSRP)) as client:
            assert client.ask(headers={"Authorization": authorization})[0] == 401, authorization
    with contextlib.closing(SealingClient(ELSEWHERE, cohortd.elsewhere_port, None, PYPSRP)) as client:
        assert client.ask(headers={"Authorization": "Negotiate " + "A" * 20000})[0] == 431


def test_a_negotiation_that_does_not_end_is_ended(cohortd):
    with contextlib.closing(SealingClient(ELSEWHERE, cohortd.elsewhere_port, None, OMICLI)) as client:
        statuses = []
        with contextlib.suppress(ConnectionError, socket.timeout):
            for _ in range(10):
                token = ntlm("COHORT\\nora", PASSWORD).step(None)
                _, headers, _ = client.ask(headers={"Authorization": f"Negotiate {base64.b64encode(token).decode()}"})
                statuses.append(headers["Connection"])
        assert "close" in statuses


# The configuration

def test_what_is_missing_is_named_at_the_start(lab, tmp_path):
    keytab, users = tmp_path / "keytab", tmp_path / "users"
    for lines, sentence in ((["mechanisms = kerberos", f"keytab = {keytab}"], "keytab\" cannot be read"),
                            (["mechanisms = ntlm", f"ntlm_users = {users}"], "users\" cannot be read"),
                            (["mechanisms = ntlm"], "needs ntlm_users"), (["mechanisms = basic"], "neither kerberos nor")):
        with pytest.raises(AssertionError, match=re.escape(sentence)):
            Cohortd(tmp_path / "cohortd", tmp_path / "state", uri="test:///default", settings={"negotiate": lines})
    users.touch(mode=0o644)
    with pytest.raises(AssertionError, match="is open to others"):
        Cohortd(tmp_path / "cohortd", tmp_path / "state", uri="test:///default",
                settings={"negotiate": ["mechanisms = ntlm", f"ntlm_users = {users}"]})
