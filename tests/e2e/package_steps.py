"""What the tests of packages, jobs and the state have in common."""

import contextlib
import hashlib
import json
import os
import subprocess
from pathlib import Path

import libvirt

from harness import Disk, inspect, processes, wait_until
from harness.images import run
from world import PATIENT

MIB = 1024 * 1024

# Slow enough that a copy of a guest's disks is under way until the test ends it.
SLOW = ("--rate-limit", "64K")

EXIT_CODES = {"internal": 1, "invalid_argument": 2, "not_found": 3, "already_exists": 4, "invalid_state": 5,
              "in_use": 6, "unsupported": 7, "timeout": 8, "permission": 9, "no_space": 10, "io": 11, "corrupt": 12,
              "hypervisor": 13, "cancelled": 130}


def refused(lab, code, *arguments, **options):
    """Runs a command that must fail with this code, and the status that belongs to it; returns the message."""
    ran = lab.cohort(*arguments, check=False, **options)
    assert ran.json and "error" in ran.json, f"{arguments}: status {ran.rc}: {ran.out}{ran.err}"
    error = ran.json["error"]
    assert (error["code"], ran.rc) == (code, EXIT_CODES[code]), error
    assert error["message"].strip()
    return error["message"]


class AllThereIs:
    """A machine with three disks and one with UEFI variables and a TPM, both running, and their package."""

    def __init__(self, lab, package):
        disks = [Disk(), Disk("raw"), Disk(size=32 * MIB, backing=True)]
        self.three = lab.guest("three disks", disks=disks, role="writer", net=lab.link()[0])
        self.firm = lab.guest("firm", firmware="uefi", tpm=True)
        for guest in (self.three, self.firm):
            guest.start()
        for guest in (self.three, self.firm):
            guest.wait_ready(timeout=400)
        self.three.wait_token(above=5, timeout=200)
        lab.cohort("collection", "create", "all there is", self.three.name, self.firm.name)
        self.package = lab.folder / package
        lab.cohort("backup", "--full", "all there is", self.package, *PATIENT)


# What is in a folder

def content(folder):
    """Each file below the folder with the hash of its content, each folder and link with what it is."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"link to {os.readlink(path)}"
        elif path.is_dir():
            found[name] = "folder"
        else:
            found[name] = sha256(path)
    return found


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def names_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def manifest(package):
    return json.loads((package / "cohort.json").read_text())


def machine_in(package, name):
    return next(machine for machine in manifest(package)["machines"] if machine["name"] == name)


def disk_in(package, name, target):
    """The image of a machine's disk."""
    disks = machine_in(package, name)["disks"]
    return package / next(disk["file"] for disk in disks if disk["target"] == target)


def files_of(machine):
    """The entries of a machine's files, in the order of the list of hashes."""
    disks = [file for disk in machine["disks"] for file in (disk, disk.get("block_hashes"))]
    return [file for file in [machine["configuration"], machine["nvram"], *machine["tpm_state"], *disks] if file]


def rehash(package):
    """Makes the manifest and the list of hashes fit the files that are there, as a forger would."""
    document = manifest(package)
    for machine in document["machines"]:
        for file in files_of(machine):
            if (package / file["file"]).is_file():
                file["size"] = (package / file["file"]).stat().st_size
                file["sha256"] = sha256(package / file["file"])
    write_manifest(package, document)


def write_manifest(package, document):
    """Writes a manifest, and its hash and those that it names into the list."""
    (package / "cohort.json").write_text(json.dumps(document))
    lines = [f"{sha256(package / 'cohort.json')}  cohort.json"]
    for machine in document["machines"]:
        for file in files_of(machine):
            lines.append(f"{file['sha256']}  {file['file']}")
    (package / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def sha256sum_agrees(package):
    done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=package, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return True


def image_information(path):
    return json.loads(run("qemu-img", "info", "-U", "--output=json", path))


def shows_the_same(one, one_format, other, other_format):
    """Whether a guest would read the same from both images."""
    done = subprocess.run(["qemu-img", "compare", "-U", "-f", one_format, "-F", other_format, one, other], text=True,
                          capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0


# What is on the machines

def machines_and_states(lab):
    """Every domain of the host that belongs to this lab, with whether it runs."""
    found = {}
    for domain in lab.connection.listAllDomains():
        # Those of others may go while they are looked at.
        with contextlib.suppress(libvirt.libvirtError):
            if lab.owns(domain):
                found[domain.name()] = bool(domain.isActive())
    return found


def goes_on(guest):
    """Waits until the guest has written something that it had not written when this was called."""
    return guest.wait_token(above=max(guest.tokens_seen(), default=0), timeout=180)


def tokens_of_package(package, name, targets):
    return [inspect.tokens(disk_in(package, name, target)) for target in targets]


# What runs

def running_job(lab, type):
    """Waits until a second process sees that the running job copies; returns the job."""
    def found():
        for job in lab.cohort("job", "list").json["jobs"]:
            if job["type"] == type and job["state"] == "running" and job["progress"]["done_bytes"] > 0:
                return job
        return None
    return wait_until(found, 200, f"a job {type} copies")


def no_helpers_run(lab):
    """Nothing that the program started is at work on the lab's files."""
    return not processes.of_folder(lab.folder, ("qemu-img", "cohort"))


def ended(program, timeout=200):
    """Waits for a program that cohort_start() began; returns its status, output and errors."""
    out, err = program.communicate(timeout=timeout)
    return program.returncode, out, err


@contextlib.contextmanager
def small_filesystem(folder, mebibytes, read_only=False):
    """A file system of its own in the folder, which is made; gone at the end whatever happened."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0711", "cohort-test", folder], check=True)
    try:
        if read_only:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
