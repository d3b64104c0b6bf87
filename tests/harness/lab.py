"""The lab: a work folder, the guests in it, the program under test; whatever happens, all is removed."""

import atexit
import collections
import glob
import hashlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import threading
from pathlib import Path

import libvirt

from . import daemons, folders, images, processes
from .domain import UNDEFINE_ALL, Guest
from .domain_xml import domain_xml
from .images import Disk

NAME_PREFIX = "cohort-test-"
_open_labs = []

# One end of a point-to-point network: the UDP ports on 127.0.0.1, and the guests' addresses.
End = collections.namedtuple("End", "port peer_port ip peer")
Ran = collections.namedtuple("Ran", "rc out err json")


class CohortFailed(AssertionError):
    """The program ended with a status that the test did not expect; has `.ran`."""

    def __init__(self, command, ran):
        super().__init__(f"{shlex.join(command)}: status {ran.rc}\n{ran.out}{ran.err}")
        self.ran = ran


class Lab:
    """Makes guests and runs the program; close(), which the context manager calls, removes everything.

    Everything is: the domains it made or adopted, any cohort-test-* domain with a name in `prefixes` or
    with a file in the lab's folder, the processes that work on the folder, and the folder. An exception,
    SIGINT, SIGTERM and SIGHUP end in close() too.

    keep    leaves the folder's files for a look after a failure (as does COHORT_TEST_KEEP=1)
    """

    def __init__(self, keep=False):
        daemons.ensure()
        _close_on_signals()
        self._connection = None
        self._work = folders.WorkFolder()
        self._keep = keep or os.environ.get("COHORT_TEST_KEEP") == "1"
        self._names = set()
        self._programs = []
        self._links = 0
        self.prefixes = []
        self.folder = self._work.path
        self.state = self.folder / "state"
        self._closed = False
        _open_labs.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def connection(self):
        """The connection to qemu:///system; opened anew when libvirtd was restarted."""
        if self._connection is not None:
            try:
                self._connection.getLibVersion()
                return self._connection
            except libvirt.libvirtError:
                self._connection = None
        self._connection = libvirt.open(daemons.URI)
        return self._connection

    # Guests

    def guest(self, name="guest", disks=None, *, boot=None, single_disk=False, firmware="bios", tpm=False,
              role="idle", interval_ms=100, role_options=None, net=None, machine="q35", memory_mib=None,
              folder=None):
        """Makes the images of a guest and defines it, not started.

        name          its domain is cohort-test-<name>; may have spaces and any letters
        disks         data disks, one by default; labelled and mounted as data, data2, data3, ...
        boot          the boot disk (its size is fixed); of the first data disk's bus by default
        single_disk   boot and data are two partitions of disks[0]
        firmware      bios | uefi
        role          idle | writer | ping | pong
        role_options  more lines for /data/role: {"AGENT": "no", "FREEZE": "fail", "FREEZE_DELAY": 5}
        net           one of the two ends that link() returned
        folder        name of the folder for its files, inside the lab's
        """
        if not name.startswith(NAME_PREFIX):
            name = NAME_PREFIX + name
        disks = disks or [Disk()]
        boot = boot or Disk(bus=disks[0].bus)
        place = self.new_folder(folder or _folder_name(name))
        settings = {"NAME": "guest", "ROLE": role, "INTERVAL_MS": interval_ms,
                    "DISKS": 1 if single_disk else len(disks), **(role_options or {})}
        if net:
            settings.update(IP=net.ip, PEER=net.peer)
        made = _make_images(place, disks, boot, single_disk, settings)
        xml = domain_xml(name, list(made.values()), place / "console.log", firmware=firmware, machine=machine,
                         memory_mib=memory_mib or (256 if firmware == "uefi" else 128), tpm=tpm, net=net,
                         nvram=place / "nvram.fd")
        self._names.add(name)
        self.connection.defineXML(xml)
        paths = {label: path for label, (_, path) in made.items()}
        if single_disk:
            paths["boot"] = paths["data"]
        return Guest(self, name, paths, place)

    def link(self):
        """A network of its own for two guests: returns its two ends, for guest(net=...)."""
        self._links += 1
        one, two = _free_udp_ports(2)
        ips = [f"10.77.{self._links}.{host}" for host in (1, 2)]
        return End(one, two, ips[0], ips[1]), End(two, one, ips[1], ips[0])

    def pingpong(self, first="ping", second="pong", interval_ms=0, **options):
        """Two linked guests with the roles ping and pong.

        By default their data disks do not wait for the host's disk. That is several times faster, so a cut
        that is no instant shows sooner; a guest loses nothing by it unless the host itself stops.
        """
        options.setdefault("disks", [Disk(driver={"cache": "unsafe"})])
        one, two = self.link()
        return (self.guest(first, role="ping", net=one, interval_ms=interval_ms, **options),
                self.guest(second, role="pong", net=two, interval_ms=interval_ms, **options))

    def adopt(self, name):
        """Takes in a domain that the program made, such as an imported one; close() removes it."""
        if not name.startswith(NAME_PREFIX):
            raise ValueError(f"{name!r} does not begin with {NAME_PREFIX}; it may be somebody's")
        self._names.add(name)
        return Guest(self, name)

    def new_folder(self, name):
        """Makes a folder in the lab's that QEMU's user can walk through."""
        folder = self.folder / name
        folder.mkdir()
        folder.chmod(0o711)
        return folder

    # The program under test

    def cohort_command(self, *arguments, json=False):
        program = os.environ.get("COHORT", str(images.REPOSITORY / "build/dev/src/cli/cohort"))
        return [program, "--state", str(self.state), *(["--json"] if json else []), *map(str, arguments)]

    def cohort(self, *arguments, json=True, check=True, env=None, timeout=300, input=None):
        """Runs the program (COHORT, or the dev build's) with the lab's state; returns rc, out, err, json.

        json   adds --json and parses the output; None if it is not JSON
        check  raises CohortFailed unless the status is 0
        env    variables to add
        """
        command = self.cohort_command(*arguments, json=json)
        done = subprocess.run(command, text=True, errors="replace", stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, timeout=timeout,
                              **({"input": input} if input is not None else {"stdin": subprocess.DEVNULL}))
        ran = Ran(done.returncode, done.stdout, done.stderr, _parsed(done.stdout) if json else None)
        if check and ran.rc != 0:
            raise CohortFailed(command, ran)
        return ran

    def cohort_start(self, *arguments, json=False, env=None):
        """Starts the program and returns its Popen (text, pipes); close() ends it."""
        program = subprocess.Popen(self.cohort_command(*arguments, json=json), text=True, errors="replace",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env={**os.environ, **(env or {})})
        self._programs.append(program)
        return program

    # The end

    def owns(self, domain):
        """Whether close() removes the domain."""
        name = domain.name()
        if not name.startswith(NAME_PREFIX):
            return False
        prefixed = any(name.startswith(prefix) for prefix in self.prefixes)
        return name in self._names or prefixed or self.folder in folders.folders_in(domain.XMLDesc())

    def close(self):
        """Removes everything; may be called again."""
        if self._closed:
            return
        for program in self._programs:
            if program.poll() is None:
                program.kill()
            program.wait()
        processes.end_programs_of_folder(self.folder, "cohort")
        daemons.ensure()
        for domain in self.connection.listAllDomains():
            if _ignoring_errors(lambda domain=domain: self.owns(domain)):
                remove_domain(domain)
        for folder in (self.state / "tries").glob("cohort-try-*"):
            self._remove_network(folder.name[:len("cohort-try-") + 8])
        for prefix in self.prefixes:
            _remove_logs(prefix, "*")  # of machines that have vanished by themselves
        processes.end_programs_of_folder(self.folder)
        if not self._keep:
            self._work.remove()
        self._closed = True
        _open_labs.remove(self)

    def _remove_network(self, name):
        """Of a try whose process was killed, if it had one."""
        _ignoring_errors(lambda: self.connection.networkLookupByName(name).destroy())


def _parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def _folder_name(name):
    """A short plain name, distinct for distinct domain names."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name.removeprefix(NAME_PREFIX)).strip("-")[:20]
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:4]}"


def _free_udp_ports(count):
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _make_images(place, disks, boot, single_disk, settings):
    """Makes the images; returns (Disk, path) by label, the boot disk first."""
    role = "".join(f"{key}={shlex.quote(str(value))}\n" for key, value in settings.items())
    flavour = "generic" if any(disk.bus == "sata" for disk in [boot, *disks]) else "cloud"
    made = {}
    raw = place / "making.raw"
    if not single_disk:
        images.copy_sparse(images.boot_image(flavour), raw)
        made["boot"] = (boot, place / f"{boot.name or 'boot'}.{boot.top_format}")
        images.finish(raw, *made["boot"])
    for index, disk in enumerate(disks[:1] if single_disk else disks):
        label = "data" if index == 0 else f"data{index + 1}"
        images.make_ext4(raw, disk.size, label, {"role": role} if index == 0 else {})
        if single_disk:
            data = raw.rename(place / "making.ext4")
            images.make_single_disk(images.boot_image(flavour), data, raw)
            data.unlink()
        made[label] = (disk, place / f"{disk.name or label}.{disk.top_format}")
        images.finish(raw, *made[label])
    return made


def _ignoring_errors(action):
    """For removing: what is gone already need not be removed."""
    try:
        return action()
    except libvirt.libvirtError:
        return None


def remove_domain(domain):
    """Destroys and undefines a domain with all that libvirt keeps for it."""
    _ignoring_errors(domain.destroy)
    if _ignoring_errors(domain.isPersistent):
        domain.undefineFlags(UNDEFINE_ALL)
    _remove_logs(domain.name())


def _remove_logs(name, more=""):
    """Those of a machine, or with `more`, a pattern, of all whose names begin so."""
    pattern = glob.escape(name) + more
    for folder, ending in (("/var/log/libvirt/qemu", ".log*"), ("/var/log/swtpm/libvirt/qemu", "-swtpm.log")):
        for log in Path(folder).glob(pattern + ending):
            log.unlink(missing_ok=True)


def cleanup_leftovers():
    """Removes the cohort-test-* domains, processes and folders of runs that crashed.

    What belongs to a lab whose process still runs is left alone, and so is a cohort-test-* domain without
    files in any lab's folder as long as some lab is open: it may be that lab's.
    """
    daemons.ensure()
    found = folders.all_folders()
    live = {folder for folder in found if folders.is_live(folder)}
    connection = libvirt.open(daemons.URI)
    for domain in connection.listAllDomains():
        if not domain.name().startswith(NAME_PREFIX):
            continue
        used = folders.folders_in(_ignoring_errors(domain.XMLDesc) or "")
        if not used & live and (used or not live):
            remove_domain(domain)
    for folder in found:
        if folder not in live:
            processes.end_programs_of_folder(folder)
            folders.remove(folder)
    folders.remove_control_groups(live)


def _close_all():
    for lab in list(_open_labs):
        lab.close()


def _close_on_signals():
    """Lets the signals that end a process unwind it, so that every lab is closed."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number, _frame):
    signal.signal(number, signal.SIG_IGN)  # a second one must not cut the cleaning short
    raise KeyboardInterrupt(f"signal {number}")


atexit.register(_close_all)
