"""Clients that show a certificate instead of a password, against cohortd."""

import http.client
import re
import ssl
import subprocess

import pytest
from winrm.transport import Transport

from harness.cim_clients import SOAP_TYPE, CimError, CimXmlClient, WsmanClient
from harness.cohortd import Cohortd

SERVICE = "Msvm_CollectionManagementService"
MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
EXTENSIONS = "extendedKeyUsage=clientAuth\n"


class Authority:
    """Makes certificates with openssl's command."""

    def __init__(self, folder, name):
        folder.mkdir()
        self.folder = folder
        self.certificate, self._key = folder / "ca.pem", folder / "ca.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "10",
                      "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.certificate)
        (folder / "index").touch()
        (folder / "ca.conf").write_text(
            f"[ca]\ndefault_ca = it\n[it]\ndatabase = {folder}/index\ndefault_md = sha256\ndefault_crl_days = 5\n"
            "unique_subject = no\nrand_serial = yes\npolicy = any\n[any]\nCN = optional\nO = optional\n")

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)

    def issue(self, subject, extensions=EXTENSIONS, expires="20991231235959Z"):
        """Certificate and key in one file."""
        made = self.folder / re.sub(r"\W", "_", f"{subject}{len(extensions)}{expires}")
        extension_file, request = made.with_suffix(".ext"), made.with_suffix(".csr")
        extension_file.write_text(extensions)
        key, certificate = made.with_suffix(".key"), made.with_suffix(".crt")
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8",
                      "-subj", subject, "-keyout", key, "-out", request)
        self._openssl("ca", "-batch", "-config", self.folder / "ca.conf", "-cert", self.certificate, "-keyfile",
                      self._key, "-in", request, "-out", certificate, "-notext", "-outdir",
                      self.folder, "-extfile", extension_file, "-startdate", "20200101000000Z", "-enddate", expires,
                      "-utf8", "-preserveDN")
        both = made.with_suffix(".pem")
        both.write_text(certificate.read_text() + key.read_text())
        return both

    def revoke(self, *certificates):
        """Returns the list of all that were revoked."""
        for each in certificates:
            self._openssl("ca", "-config", self.folder / "ca.conf", "-cert", self.certificate, "-keyfile", self._key,
                          "-revoke", each.with_suffix(".crt"))
        made = self.folder / "crl.pem"
        self._openssl("ca", "-config", self.folder / "ca.conf", "-cert", self.certificate, "-keyfile", self._key,
                      "-gencrl", "-out", made)
        return made


@pytest.fixture(scope="module")
def authority(lab):
    return Authority(lab.folder / "authority", "Cohort's test authority")


@pytest.fixture(scope="module")
def cohortd(lab, authority):
    settings = {"tls": [f"client_authorities = {authority.certificate}", f"client_revoked = {authority.revoke()}"]}
    with Cohortd(lab.folder / "cohortd", lab.state, uri="test:///default", settings=settings) as running:
        for name, role in (("ann", "administrator"), ("mail@example.org", "reader"), ("upn@example.org", "operator"),
                           ("CN=subject,O=Example", "reader")):
            running.run("user", "add", name, "--role", role, "--by", "certificate")
        running.reload()
        yield running
        assert running.stop() == 0


def connect(cohortd, certificate):
    context = ssl.create_default_context(cafile=cohortd.certificate)
    if certificate:
        context.load_cert_chain(certificate)
    return http.client.HTTPSConnection("127.0.0.1", cohortd.tls_port, context=context, timeout=30)


def over(connection, headers=None):
    """A sender over one connection."""
    def send(body):
        connection.request("POST", "/wsman", body.encode(), {**SOAP_TYPE, **(headers or {})})
        answer = connection.getresponse()
        reply = answer.read()
        assert answer.status != 401, "not let in"
        return answer.status, reply
    return send


def define(send):
    client = WsmanClient(send)
    service, = client.instances(SERVICE)
    return client.invoke(service.path, "DefineCollection", Name="", Id="", Type=0)[0]


def is_let_in(cohortd, certificate):
    try:
        WsmanClient(over(connect(cohortd, certificate))).instances(SERVICE)
    except (AssertionError, OSError):
        return False
    return True


@pytest.mark.parametrize("headers", [{}, {"Authorization": MUTUAL}], ids=["alone", "as Windows"])
def test_the_common_name_gives_the_role(cohortd, authority, headers):
    began = len(cohortd.log())
    assert define(over(connect(cohortd, authority.issue("/O=Example/CN=ann")), headers)) not in (0, 4096)  # no name
    assert re.search("change-failed: DefineCollection: .*user=ann address=127.0.0.1", cohortd.log()[began:])


@pytest.mark.parametrize("subject, names, user", [
    ("/CN=nobody", "subjectAltName=email:mail@example.org\n", "mail@example.org"),
    ("/CN=nobody", "subjectAltName=email:else@example.org,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:upn@example.org\n",
     "upn@example.org"),
    ("/O=Example/CN=subject", "", "CN=subject,O=Example")], ids=["mail", "principal", "subject"])
def test_other_names_do_too_with_their_own_roles(cohortd, authority, subject, names, user):
    began = len(cohortd.log())
    with pytest.raises(CimError) as refused:
        define(over(connect(cohortd, authority.issue(subject, EXTENSIONS + names))))
    assert refused.value.code == "w:AccessDenied"
    assert f"[user={user} " in cohortd.log()[began:]


def test_python3_winrm_shows_its_certificate(cohortd, authority):
    certificate = authority.issue("/CN=ann")
    transport = Transport(endpoint=f"https://localhost:{cohortd.tls_port}/wsman", auth_method="certificate",
                          cert_pem=str(certificate), cert_key_pem=str(certificate),
                          ca_trust_path=str(cohortd.certificate))
    assert len(WsmanClient(lambda body: (200, transport.send_message(body))).instances(SERVICE)) == 1


def test_a_password_does_beside_it_and_comes_first(cohortd, authority):
    assert len(CimXmlClient(cohortd, "reader", tls=True).instances(SERVICE)) == 1
    basic = {"Authorization": cohortd.authorization("reader")}
    with pytest.raises(CimError) as refused:
        define(over(connect(cohortd, authority.issue("/CN=ann")), basic))
    assert refused.value.code == "w:AccessDenied"
    with pytest.raises(AssertionError, match="not let in"):
        define(over(connect(cohortd, authority.issue("/CN=ann")), {"Authorization": "Basic cmVhZGVyOngK"}))


def test_a_name_that_has_a_password_is_not_let_in_by_a_certificate(cohortd, authority):
    with pytest.raises(AssertionError, match="not let in"):
        define(over(connect(cohortd, authority.issue("/CN=administrator"))))
    assert "CN=administrator was not let in. No user has a name of this certificate." in cohortd.log()
    with pytest.raises(AssertionError, match="not let in"):
        define(over(connect(cohortd, None), {"Authorization": MUTUAL}))


def test_what_no_authority_vouches_for_ends_the_connection(cohortd, authority, tmp_path):
    stranger = Authority(tmp_path / "stranger", "Cohort's test authority")
    assert is_let_in(cohortd, authority.issue("/CN=ann"))
    for wrong in (stranger.issue("/CN=ann"), authority.issue("/CN=ann", expires="20210101000000Z"),
                  authority.issue("/CN=ann", "extendedKeyUsage=serverAuth\n")):
        with pytest.raises(OSError):
            define(over(connect(cohortd, wrong)))


def test_what_is_revoked_counts_no_longer_once_that_is_read(cohortd, authority):
    certificate = authority.issue("/CN=ann", EXTENSIONS + "subjectAltName=email:revoked@example.org\n")
    connection = connect(cohortd, certificate)
    assert len(WsmanClient(over(connection)).instances(SERVICE)) == 1
    authority.revoke(certificate)
    cohortd.reload()
    # Neither a new connection nor the one that was open, once its last request is answered.
    assert not is_let_in(cohortd, certificate)
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.auto_open = 0
        for _ in range(2):
            over(connection)("")
    assert is_let_in(cohortd, authority.issue("/CN=ann"))


def test_files_that_are_wrong_keep_it_from_starting(lab, authority, tmp_path):
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("rubbish")
    cut = tmp_path / "cut"
    cut.write_text(authority.certificate.read_text() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for lines, sentence in (([f"client_authorities = {rubbish}"], "does not hold certificates"),
                            ([f"client_authorities = {cut}"], "does not hold certificates"),
                            ([f"client_authorities = {tmp_path}/none"], "none"),
                            ([f"client_authorities = {authority.certificate}", f"client_revoked = {rubbish}"],
                             "does not hold revocation lists"),
                            ([f"client_revoked = {rubbish}"], "without client_authorities")):
        with pytest.raises(AssertionError, match=sentence):
            Cohortd(tmp_path / "cohortd", tmp_path / "state", uri="test:///default", settings={"tls": lines})
