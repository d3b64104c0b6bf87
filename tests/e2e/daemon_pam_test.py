"""Users of the system, whose passwords PAM knows, against cohortd: with users and services of the test's own."""

import base64
import subprocess
import time

import pytest

from harness import wait_until
from harness.cim_clients import SOAP_TYPE
from harness.cohortd import Cohortd
from harness.processes import children_of

IDENTIFY = ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><i:Identify xmlns:i='
            '"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>').encode()
# user: days since 1970 when the account ends
USERS = {"pia": "", "expired": "1", "unlisted": "", "hashed": "", "slow": "", "asked": "", "guessed": ""}
PASSWORD = "pass:word ü"
# Some users get there what hangs, or a module that has a question of its own (and takes any answer).
SERVICE = """\
auth  [success=1 default=ignore]  pam_succeed_if.so quiet user != slow
auth  optional                    pam_exec.so quiet /bin/sleep 60
auth  requisite                   pam_unix.so nodelay
auth  [success=1 default=ignore]  pam_succeed_if.so quiet user != asked
auth  required                    pam_ftp.so users=asked
account required                  pam_unix.so
"""


@pytest.fixture(scope="module")
def within(lab):
    """A command that runs another where /etc/passwd, /etc/shadow and /etc/pam.d are the test's."""
    folder = lab.folder / "etc"
    (folder / "pam.d").mkdir(parents=True)
    (folder / "pam.d/cohort-test").write_text(SERVICE)
    (folder / "pam.d/other").write_text("auth required pam_deny.so\naccount required pam_deny.so\n")
    hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, text=True, check=True,
                            capture_output=True).stdout.strip()
    with open("/etc/passwd", encoding="utf-8") as real:
        (folder / "passwd").write_text(real.read() + "".join(
            f"{name}:x:{40000 + number}:65534::/nonexistent:/usr/sbin/nologin\n" for number, name in enumerate(USERS)))
    (folder / "shadow").touch(mode=0o600)
    (folder / "shadow").write_text("".join(f"{name}:{hashed}:20000:0:99999:7::{end}:\n" for name, end in USERS.items()))
    script = f'for each in pam.d passwd shadow; do mount --bind "{folder}/$each" "/etc/$each"; done; exec "$@"'
    return ["unshare", "--mount", "bash", "-c", script, "within"]


@pytest.fixture(scope="module")
def cohortd(lab, within):
    settings = {"users": ["pam = cohort-test"], "limits": ["login_failures = 8", "login_wait_seconds = 2"]}
    with Cohortd(lab.folder / "cohortd", lab.state, uri="test:///default", settings=settings, within=within) as running:
        for name in USERS:
            if name == "hashed":
                running.run("user", "add", name, "--role", "reader", input="another\n")
            elif name != "unlisted":
                running.run("user", "add", name, "--role", "operator", "--by", "pam")
        running.run("user", "add", "ghost", "--role", "operator", "--by", "pam")
        running.stop()
        running.start()
        yield running
        assert running.stop() == 0


def status(cohortd, name, password=PASSWORD):
    authorization = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
    return cohortd.request("POST", "/wsman", IDENTIFY, {**SOAP_TYPE, "Authorization": authorization})[0]


def test_the_systems_password_lets_in_who_is_listed(cohortd):
    assert status(cohortd, "pia") == 200
    assert status(cohortd, "reader", "look-only") == 200  # the others as before
    assert not children_of(cohortd.pid)


@pytest.mark.parametrize("name, password", [
    ("pia", "guess"), ("pia", ""), ("pia", PASSWORD + "x"), ("pia", PASSWORD + "\0x"), ("pia", "x" * 9000),
    ("expired", PASSWORD), ("unlisted", PASSWORD), ("hashed", PASSWORD), ("ghost", PASSWORD), ("root", PASSWORD),
    ("asked", PASSWORD)], ids=lambda value: value[:12].replace("\0", "0"))
def test_nobody_else_is_let_in(cohortd, name, password):
    assert status(cohortd, name, password) == 401
    if name == "pia":
        assert status(cohortd, name) == 200


def test_who_guesses_has_to_wait(cohortd):
    for _ in range(8):
        assert status(cohortd, "guessed", "guess") == 401
    assert status(cohortd, "guessed") == 401
    time.sleep(2.1)
    assert status(cohortd, "guessed") == 200


def test_what_hangs_is_killed_and_holds_up_nobody(cohortd):
    began = time.monotonic()
    with subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", f"slow:{PASSWORD}",
                           "-H", "Content-Type: application/soap+xml", "--data-binary", IDENTIFY,
                           f"http://127.0.0.1:{cohortd.port}/wsman"], stdout=subprocess.PIPE, text=True) as slow:
        wait_until(lambda: children_of(cohortd.pid), 10, "PAM is asked", 0.02)
        assert status(cohortd, "pia", PASSWORD) == 200
        assert status(cohortd, "reader", "look-only") == 200
        assert time.monotonic() - began < 10
        assert slow.communicate(timeout=60)[0] == "401"
    assert 14 < time.monotonic() - began < 30
    assert not children_of(cohortd.pid)


def test_without_a_service_nobody_is_asked(lab, cohortd, within, tmp_path):
    (tmp_path / "cohortd").mkdir()
    (tmp_path / "cohortd/passwords").touch(mode=0o600)
    with Cohortd(tmp_path / "cohortd", tmp_path / "state", uri="test:///default", within=within) as without:
        without.run("user", "add", "pia", "--role", "reader", "--by", "pam")
        without.stop()
        without.start()
        assert status(without, "pia") == 401
