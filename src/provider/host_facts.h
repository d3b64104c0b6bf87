// What clients ask of the host before they look at its machines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"

namespace cohort::provider {

// A socket.
struct HostProcessor {
  std::string model;
  std::string maker;
  std::uint32_t megahertz = 0;  // 0: not known
  std::uint32_t cores = 0;
  std::uint32_t threads = 0;
};

// Texts are empty, and numbers 0, where the host does not tell.
struct HostFacts {
  std::string uuid;  // of its firmware; else of its operating system
  std::string maker, model, model_version, serial;
  std::string os_name;       // "Debian GNU/Linux 12 (bookworm)"
  std::string kernel;        // "6.1.0-18-amd64"
  std::string architecture;  // "x86_64"
  std::uint64_t memory = 0;  // bytes
  std::uint64_t free_memory = 0;
  std::uint64_t swap = 0;
  std::uint64_t free_swap = 0;
  std::optional<WallTime> booted;
  std::vector<HostProcessor> processors;
};

// From /proc, /sys and /etc below `root`.
[[nodiscard]] HostFacts read_host_facts(const Path& root = "/");

}  // namespace cohort::provider
