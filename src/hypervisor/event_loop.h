// libvirt's event loop: events and keepalive come through it.
#pragma once

namespace cohort::hypervisor {

// Starts the loop's thread, the first time; it ends with the process. To be called before the first connection is
// opened. From here on SIGPIPE is ignored in this process. libvirt keeps one loop for a process, whatever the number of
// connections.
void ensure_event_loop();

}  // namespace cohort::hypervisor
