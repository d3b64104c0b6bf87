// What a machine consists of, as its configuration says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/ids.h"

namespace cohort {

enum class DriveKind { kDisk, kCdrom, kFloppy };

struct Drive {
  std::string target;  // "vda": unlike that of any other drive of the machine
  DriveKind kind = DriveKind::kDisk;
  std::string bus;     // "virtio", "scsi", "sata", "ide", "fdc", "usb", …
  std::string source;  // the file or device; for other sources what names them for people; empty: no medium
  bool is_readonly = false;
  bool is_shareable = false;
};

struct NetworkCard {
  std::string mac;         // "52:54:00:12:34:56": unlike that of any other card of the machine
  std::string model;       // "virtio"; may be empty
  std::string connection;  // the network, bridge or device that it is connected to; may be empty
  bool is_cable_in = true;
};

enum class BootDevice { kFloppy, kCdrom, kDisk, kNetwork };

struct MachineHardware {
  // More drives or cards than that are not told.
  static constexpr std::size_t kMaxDevices = 1000;
  // Bytes of each text: what is longer is cut.
  static constexpr std::size_t kMaxText = 4096;

  MachineId id;
  std::string name;
  std::string description;             // what its owner wrote
  std::string architecture;            // "x86_64"
  std::string machine_type;            // "pc-q35-7.2"
  std::uint64_t memory = 0;            // bytes: the most it can have
  std::uint64_t memory_at_start = 0;   // bytes
  std::uint32_t processors = 0;        // that it starts with
  std::uint32_t threads_per_core = 0;  // 0: not said
  bool has_huge_pages = false;
  bool has_uefi = false;
  bool has_secure_boot = false;
  std::vector<BootDevice> boot_order;
  std::vector<Drive> drives;
  std::vector<NetworkCard> cards;
};

}  // namespace cohort
