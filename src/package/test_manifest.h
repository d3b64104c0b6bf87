// A manifest with every field set, for tests.
#pragma once

#include "package/layout.h"
#include "package/manifest.h"

namespace cohort::package {

inline WallTime at_second(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

inline Manifest full_manifest() {
  Manifest manifest;
  manifest.created_by = "cohort 0.1.0";
  manifest.created = at_second(1'769'904'010);
  manifest.collection = *CollectionId::parse("11111111-2222-4333-8444-555555555555");
  manifest.collection_name = "Shop & more";
  manifest.snapshot = *SnapshotId::parse("66666666-7777-4888-8999-aaaaaaaaaaaa");
  manifest.snapshot_name = "before the update";
  manifest.instant = at_second(1'769'904'000) + Microseconds(123'456);
  manifest.fence = {Milliseconds(2000), Microseconds(31'250), manifest.instant,
                    manifest.instant + Microseconds(18'000)};

  MachineEntry database;
  database.id = *MachineId::parse("0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e");
  database.name = "Datenbank für \"alle\"";
  database.power = PowerState::kRunning;
  database.consistency = "file-system";
  database.consistency_reason = "Its agent shows no \"freeze hook\".";
  database.frozen = Microseconds(140'000);
  database.pause = Pause{manifest.instant, manifest.instant + Microseconds(18'000)};
  database.configuration = {configuration_file(database.id), 4321, std::string(64, 'a')};
  database.nvram = FileEntry{nvram_file(database.id), 540'672, std::string(64, 'b')};
  database.tpm_state = {{tpm_file(database.id, "tpm2-00.permall"), 5920, std::string(64, 'c')}};
  database.disks = {
      {"vda",
       "qcow2",
       2'147'483'648,
       {disk_file(database.name, "vda", "qcow2"), 1'310'720, std::string(64, 'd')},
       std::string(64, '9'),
       FileEntry{block_hashes_file(database.name, "vda"), 4321, std::string(64, '9')}},
      {"vdb", "raw", 1'048'576, {disk_file(database.name, "vdb", "raw"), 1'048'576, std::string(64, 'e')}, {}}};
  database.left_out = {{"sda", LeftOutReason::kCdrom, "/srv/iso/debian 12.iso"}};

  MachineEntry web;
  web.id = *MachineId::parse("1b1b1b1b-0b0b-4c0c-8d0d-0e0e0e0e0e0e");
  web.name = "web";
  web.consistency = "off";
  web.configuration = {configuration_file(web.id), 1234, std::string(64, 'f')};
  manifest.machines = {database, web};
  return manifest;
}

// Of the same machines, with one disk as the difference from a package beside it.
inline Manifest difference_manifest() {
  Manifest manifest = full_manifest();
  manifest.format_version = kSealedFormatVersion;
  manifest.parent =
      ParentPackage{"../monday", std::string(64, '7'), *SnapshotId::parse("55555555-7777-4888-8999-aaaaaaaaaaaa"),
                    "monday", at_second(1'769'800'000)};
  auto& disks = manifest.machines[0].disks;
  disks[0].parent = ParentDisk{"../monday/Virtual Hard Disks/db-vda.qcow2", "qcow2", std::string(64, '8')};
  disks[1].whole_because = "The base has no such disk.";
  return manifest;
}

}  // namespace cohort::package
