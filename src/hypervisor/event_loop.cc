#include "hypervisor/event_loop.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <csignal>
#include <stop_token>
#include <thread>

namespace cohort::hypervisor {
namespace {

// libvirt prints errors to standard error unless it is given somebody to tell.
void ignore_error(void* /*data*/, virErrorPtr /*error*/) {}

void no_action(int /*timer*/, void* /*data*/) {}

// Signals are for threads that expect them.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

class EventLoop {
 public:
  EventLoop() {
    // libvirt writes to its sockets without MSG_NOSIGNAL: a libvirtd that has just closed one would end this process.
    std::signal(SIGPIPE, SIG_IGN);
    virInitialize();
    virSetErrorFunc(nullptr, ignore_error);
    virEventRegisterDefaultImpl();
    // A timer that never rests lets the loop see that it is to stop.
    virEventAddTimeout(kStopCheckMilliseconds, no_action, nullptr, nullptr);
    thread_ = std::jthread([](const std::stop_token& stop) {
      block_signals();
      while (!stop.stop_requested()) virEventRunDefaultImpl();
    });
  }

 private:
  static constexpr int kStopCheckMilliseconds = 100;
  std::jthread thread_;
};

}  // namespace

void ensure_event_loop() {
  // The one static object of this program: libvirt allows a single registration for a process.
  static const EventLoop loop;
}

}  // namespace cohort::hypervisor
