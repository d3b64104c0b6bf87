"""Runs cohortd over a lab's state, with users and ports of its own."""

import base64
import http.client
import os
import re
import signal
import ssl
import subprocess

from . import images
from .waiting import wait_until

# The foreign clients take neither spaces nor percent signs.
PASSWORDS = {"reader": "look-only", "operator": "pass:word ö", "administrator": "all-of-it"}
_LISTENING = re.compile(r"listening: (https?)://([0-9.]+):(\d+)")


class Cohortd:
    """A running cohortd; users are called as their roles (PASSWORDS). stop() or the context manager ends it.

    folder    for its configuration, users and log; the state is `state`
    roots     folders below which it may export
    settings  more lines for the configuration, by section: {"limits": ["workers = 2"]}
    elsewhere another address for plain HTTP; its port is .elsewhere_port
    within    words of a command that runs the program
    """

    def __init__(self, folder, state, *, roots=(), uri="qemu:///system", settings=None, elsewhere=None,
                 within=()):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.state = state
        self.configuration = folder / "cohortd.conf"
        self.log_path = folder / "log"
        self.elsewhere = elsewhere
        self._within = within
        plain = "127.0.0.1:0" + (f", {elsewhere}:0" if elsewhere else "")
        sections = {"listen": [f"http = {plain}", "https = 127.0.0.1:0", "status = 127.0.0.1:0"],
                    "users": [f"passwords = {folder}/passwords"], "hypervisor": [f"uri = {uri}"],
                    "state": [f"folder = {state}"], "exports": [f"root = {root}" for root in roots]}
        for section, lines in (settings or {}).items():
            sections.setdefault(section, []).extend(lines)
        self.configuration.write_text("".join(f"[{section}]\n" + "".join(f"{line}\n" for line in lines)
                                              for section, lines in sections.items()))
        if not (folder / "passwords").exists():  # hashes are slow on purpose
            for role, password in PASSWORDS.items():
                self.run("user", "add", role, "--role", role, input=password + "\n")
        self.passwords = dict(PASSWORDS)
        self._process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # The program

    @staticmethod
    def program():
        return os.environ.get("COHORTD", str(images.REPOSITORY / "build/dev/src/daemon/cohortd"))

    def run(self, *arguments, check=True, input=""):
        """Runs the program with the daemon's configuration and waits for its end."""
        return subprocess.run([self.program(), "--config", self.configuration, *arguments], input=input, text=True,
                              capture_output=True, check=check, timeout=60)

    def start(self):
        """Returns when it answers."""
        with open(self.log_path, "ab") as log:
            began = log.tell()
            self._process = subprocess.Popen([*self._within, self.program(), "--config", self.configuration],
                                             stdin=subprocess.DEVNULL, stderr=log)
        wait_until(lambda: self._has_started(began), 60, lambda: f"cohortd answers: {self.log()}", 0.02)
        ports = {}
        for kind, address, port in _LISTENING.findall(self.log(began)):
            ports.setdefault(address if address == self.elsewhere else kind, []).append(int(port))
        self.port, self.status_port = ports["http"]
        self.elsewhere_port, = ports.get(self.elsewhere, [None])
        self.tls_port, = ports["https"]

    def _has_started(self, began):
        assert self._process.poll() is None, self.log(began)
        return "notice started" in self.log(began)

    @property
    def pid(self):
        return self._process.pid

    def signal(self, number):
        self._process.send_signal(number)

    def reload(self, timeout=30):
        """SIGHUP, and until it has read everything again."""
        before = self.log().count("notice reloaded")
        self.signal(signal.SIGHUP)
        wait_until(lambda: self.log().count("notice reloaded") > before, timeout, "all is read again", 0.02)

    def stop(self, timeout=120):
        """As a service manager does; returns the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def log(self, began=0):
        return self.log_path.read_bytes()[began:].decode(errors="replace")

    def memory_kib(self):
        """What it has in memory."""
        return self._memory("VmRSS")

    def peak_memory_kib(self):
        """The most that it has had in memory since forget_peak()."""
        return self._memory("VmHWM")

    def forget_peak(self):
        images.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _memory(self, kind):
        status = (images.Path(f"/proc/{self.pid}/status")).read_text()
        return int(re.search(rf"^{kind}:\s+(\d+)", status, re.MULTILINE).group(1))

    # Requests

    @property
    def certificate(self):
        return self.state / "tls/certificate.pem"

    def add_user(self, name, role, password):
        """Known to the daemon after SIGHUP."""
        self.run("user", "add", name, "--role", role, input=password + "\n")
        self.passwords[name] = password

    def authorization(self, user):
        return "Basic " + base64.b64encode(f"{user}:{self.passwords[user]}".encode()).decode()

    def connect(self, tls=False, timeout=60):
        if not tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        context = ssl.create_default_context(cafile=self.certificate)
        return http.client.HTTPSConnection("127.0.0.1", self.tls_port, context=context, timeout=timeout)

    def request(self, method, path, body=b"", headers=None, *, role=None, tls=False):
        """Returns status, headers, body."""
        connection = self.connect(tls)
        try:
            authorization = {"Authorization": self.authorization(role)} if role else {}
            connection.request(method, path, body, {**authorization, **(headers or {})})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def status(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.status_port, timeout=30)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metric(self, name, **labels):
        """The value of a sample; None if there is none."""
        wanted = "{" + ",".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}" if labels else ""
        for line in self.status("/metrics")[1].splitlines():
            if line.startswith(name + wanted + " "):
                return float(line.rsplit(" ", 1)[1])
        return None
