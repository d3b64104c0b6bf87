"""What guests, their owners and accidents do."""

import os

from harness import daemons
from points import check_image

DISKS_KEPT = 4


class GuestSteps:
    """Expects `world` and `chance`."""

    def write(self):
        machines = [machine for machine in self.world.machines if machine.can_write()]
        if not machines:
            return None
        machine = self.chance.choice(machines)
        target = self.chance.choice(list(machine.disks))
        return f"{machine} {target}: {', '.join(machine.write(target, self.chance.randint(1, 4), self.chance))}"

    def discard(self):
        machines = [machine for machine in self.world.machines if machine.can_write()]
        if not machines:
            return None
        machine = self.chance.choice(machines)
        target = self.chance.choice(list(machine.disks))
        return f"{machine} {target}: {machine.discard(target)}"

    def power(self):
        machine = self.chance.choice(self.world.machines)
        running = self.chance.choice(["pause", "cut_power"])
        action = {"off": "start", "paused": "resume", "running": running}[machine.power]
        getattr(machine, action)()
        return f"{machine}: {action}"

    def kill_guest(self):
        machines = [machine for machine in self.world.machines if machine.power == "running"]
        if not machines:
            return None
        machine = self.chance.choice(machines)
        machine.kill()
        return f"{machine}: QEMU killed"

    def add_disk(self):
        machine = self.chance.choice(self.world.machines)
        if machine.power == "paused" or len(machine.disks) >= DISKS_KEPT:
            return None
        disk = machine.add_disk()
        return f"{machine}: new disk {disk.target}, {disk.path.name}"

    def remove_disk(self):
        machine = self.chance.choice(self.world.machines)
        targets = [target for target, disk in machine.disks.items() if disk.bus == "scsi"]
        if machine.power == "paused" or not targets or len(machine.disks) == 1:
            return None
        target = self.chance.choice(targets)
        machine.remove_disk(target)
        return f"{machine}: disk {target} detached"

    def attach_again(self):
        machine = self.chance.choice(self.world.machines)
        disks = [disk for disk in machine.detached if disk.target not in machine.disks]
        if machine.power == "paused" or not disks:
            return None
        return self.attach_disk_again(machine, self.chance.choice(disks))

    def attach_disk_again(self, machine, disk):
        """But for one that nothing stands on any more but a point."""
        path = next(path for path in machine.detached[disk] if path.exists())
        if str(path) in self.world.frozen_files():
            self.world.given_up |= {str(path) for path in machine.detached.pop(disk)}
            return None
        machine.attach_again(disk, path)
        return f"{machine}: disk {disk.target} attached again, on {path.name}"

    def grow_disk(self):
        machine = self.chance.choice(self.world.machines)
        if machine.power == "paused":
            return None
        target = self.chance.choice(list(machine.disks))
        return f"{machine} {target}: has {machine.grow(target)} bytes now"

    def restart_libvirtd(self):
        daemons.kill("libvirtd")
        daemons.ensure()
        return "libvirtd killed and started"

    def check(self):
        """Of everything."""
        self.world.check_all()
        for machine, target, disk in self.world.disks():
            if machine.power == "off" and disk.format == "qcow2" and os.path.exists(disk.path) and not disk.lineage:
                check_image_of_killed(disk.path)
        return "everything looked at"


def check_image_of_killed(path):
    """A killed QEMU may leak clusters; damage is something else."""
    try:
        check_image(path)
    except AssertionError as error:
        assert "leaked" in str(error) and "corrupt" not in str(error).replace("0 corrupt", ""), error
