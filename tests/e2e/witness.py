"""Hears QEMU's own STOP and RESUME events, with QEMU's times, independently of the program under test."""

import collections
import threading

import libvirt
import libvirt_qemu

from harness import daemons, wait_until

Event = collections.namedtuple("Event", "what at")  # at: seconds since 1970, QEMU's wall clock

_loop = None


def _run_loop():
    while True:
        libvirt.virEventRunDefaultImpl()


def _ensure_loop():
    """libvirt's event loop, one for the process; connections opened before it do not hear events."""
    global _loop
    if _loop is None:
        libvirt.virEventRegisterDefaultImpl()
        # A timer keeps the loop turning while no connection has anything to say.
        libvirt.virEventAddTimeout(500, lambda _timer, _data: None, None)
        _loop = threading.Thread(target=_run_loop, daemon=True)
        _loop.start()


class Witness:
    """Within `with`, the events of all machines."""

    def __enter__(self):
        _ensure_loop()
        self._events = collections.defaultdict(list)
        self._connection = libvirt.open(daemons.URI)
        self._registered = libvirt_qemu.qemuMonitorEventRegister(
            self._connection, None, "^(STOP|RESUME)$", self._hear, None,
            libvirt_qemu.VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX)
        return self

    def __exit__(self, *_):
        libvirt_qemu.qemuMonitorEventDeregister(self._connection, self._registered)
        self._connection.close()

    def _hear(self, _connection, domain, what, seconds, micros, _details, _data):
        self._events[domain.UUIDString()].append(Event(what, seconds + micros / 1e6))

    def of(self, guest):
        """The events of a guest so far."""
        return list(self._events[guest.uuid])

    def pauses(self, guest):
        """The pauses that have begun and ended so far: (stopped, resumed)."""
        found, stopped = [], None
        for event in self.of(guest):
            if event.what == "STOP":
                stopped = event.at
            elif stopped is not None:
                found.append((stopped, event.at))
                stopped = None
        return found

    def wait_pause(self, guest, timeout=120):
        """Waits for the first pause to end; returns when it began and ended."""
        return wait_until(lambda: self.pauses(guest), timeout,
                          lambda: f"{guest.name} stops and resumes: {self.of(guest)}")[0]
