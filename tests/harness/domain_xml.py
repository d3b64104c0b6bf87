"""The libvirt configuration of a test guest."""

import xml.etree.ElementTree as ET

from .accelerator import is_kvm_usable

_PREFIX_OF_BUS = {"virtio": "vd", "sata": "sd", "scsi": "sd"}


def _add(parent, tag, text=None, **attributes):
    element = ET.SubElement(parent, tag, {key.rstrip("_"): str(value) for key, value in attributes.items()})
    element.text = text
    return element


def _add_firmware(domain, firmware, machine, nvram):
    os_element = _add(domain, "os")
    _add(os_element, "type", "hvm", arch="x86_64", machine=machine)
    if firmware == "uefi":
        _add(os_element, "loader", "/usr/share/OVMF/OVMF_CODE_4M.fd", readonly="yes", type="pflash")
        _add(os_element, "nvram", str(nvram), template="/usr/share/OVMF/OVMF_VARS_4M.fd")
    features = _add(domain, "features")
    _add(features, "acpi")
    _add(features, "apic")


def _add_disks(devices, disks):
    """`disks` are pairs of a Disk and its path, the boot disk first."""
    used = {}
    for index, (disk, path) in enumerate(disks):
        prefix = _PREFIX_OF_BUS[disk.bus]
        letter = chr(ord("a") + used.setdefault(prefix, 0))
        used[prefix] += 1
        element = _add(devices, "disk", type="file", device="disk")
        _add(element, "driver", name="qemu", type=disk.top_format, **disk.driver)
        _add(element, "source", file=path)
        _add(element, "target", dev=prefix + letter, bus=disk.bus)
        if index == 0:
            _add(element, "boot", order=1)
    if any(disk.bus == "scsi" for disk, _ in disks):
        _add(devices, "controller", type="scsi", model="virtio-scsi")


def _add_network(devices, end):
    element = _add(devices, "interface", type="udp")
    source = _add(element, "source", address="127.0.0.1", port=end.peer_port)
    _add(source, "local", address="127.0.0.1", port=end.port)
    _add(element, "model", type="virtio")
    _add(element, "rom", enabled="no")


def domain_xml(name, disks, console, *, firmware, machine, memory_mib, tpm, net, nvram):
    """The XML of a guest that boots from its first disk, with a console in a file and an agent channel."""
    accelerated = is_kvm_usable()
    domain = ET.Element("domain", type="kvm" if accelerated else "qemu")
    _add(domain, "name", name)
    _add(domain, "memory", str(memory_mib), unit="MiB")
    _add(domain, "vcpu", "1")
    _add_firmware(domain, firmware, machine, nvram)
    _add(domain, "cpu", mode="host-passthrough" if accelerated else "maximum")
    _add(domain, "on_poweroff", "destroy")
    _add(domain, "on_reboot", "restart")
    _add(domain, "on_crash", "destroy")
    devices = _add(domain, "devices")
    _add_disks(devices, disks)
    _add(devices, "controller", type="usb", model="none")
    if net:
        _add_network(devices, net)
    serial = _add(devices, "serial", type="file")
    _add(serial, "source", path=console, append="on")
    _add(serial, "target", port=0)
    channel = _add(devices, "channel", type="unix")
    _add(channel, "target", type="virtio", name="org.qemu.guest_agent.0")
    if tpm:
        _add(_add(devices, "tpm", model="tpm-crb"), "backend", type="emulator", version="2.0")
    _add(devices, "memballoon", model="none")
    return ET.tostring(domain, encoding="unicode")
