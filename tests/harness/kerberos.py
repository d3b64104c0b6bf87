"""A Kerberos realm of its own: a KDC on loopback, whose configuration, keys and tickets are in one folder."""

import os
import socket
import subprocess

from .waiting import wait_until

REALM = "COHORT.TEST"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Realm:
    """The context manager starts it, and sets the environment that clients and servers find it by.

    .keytab   the keys of HTTP/localhost
    """

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.keytab = folder / "keytab"
        self._process = None
        self._environment = {"KRB5_CONFIG": str(folder / "krb5.conf"), "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
                             "KRB5CCNAME": f"FILE:{folder}/none"}
        port = _free_port()
        # Clocks are one clock here: what is over is over at once.
        (folder / "krb5.conf").write_text(
            f"[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = no\ndns_lookup_realm = no\nrdns = no\n"
            f"dns_canonicalize_hostname = no\nclockskew = 1\n[realms]\n{REALM} = {{\nkdc = 127.0.0.1:{port}\n}}\n"
            f"[domain_realm]\nlocalhost = {REALM}\n")
        (folder / "kdc.conf").write_text(
            f"[kdcdefaults]\nkdc_listen = 127.0.0.1:{port}\nkdc_tcp_listen = 127.0.0.1:{port}\n"
            f"[realms]\n{REALM} = {{\ndatabase_name = {folder}/principal\nkey_stash_file = {folder}/stash\n"
            f"acl_file = {folder}/acl\nsupported_enctypes = aes256-cts:normal\n}}\n[logging]\nkdc = FILE:{folder}/log\n")

    def __enter__(self):
        self._before = {name: os.environ.get(name) for name in self._environment}
        os.environ.update(self._environment)
        self._run("kdb5_util", "create", "-s", "-P", "master", "-r", REALM)
        self.admin("addprinc", "-randkey", "HTTP/localhost")
        self.admin("ktadd", "-k", str(self.keytab), "HTTP/localhost")
        self._process = subprocess.Popen(["krb5kdc", "-n"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        wait_until(lambda: "commencing operation" in self._log(), 20, "the KDC answers", 0.02)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(20)
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    def _log(self):
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""

    @staticmethod
    def _run(*command, input=None):
        subprocess.run([f"/usr/sbin/{command[0]}" if command[0] != "kinit" else "/usr/bin/kinit", *command[1:]],
                       check=True, capture_output=True, text=True, input=input, timeout=60)

    def admin(self, *command):
        self._run("kadmin.local", "-r", REALM, *command)

    def add_user(self, name, password):
        self.admin("addprinc", "-pw", password, name)

    def ticket(self, name, password, lifetime="1h"):
        """Logs a user in; returns the name of its cache, for KRB5CCNAME."""
        cache = f"FILE:{self.folder}/{name}.{lifetime}"
        self._run("kinit", "-c", cache, "-l", lifetime, f"{name}@{REALM}", input=password + "\n")
        return cache
