// Small packages that stand on each other, of real images, for tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/sha256.h"
#include "disk/test_images.h"
#include "package/layout.h"
#include "package/test_manifest.h"
#include "package/writer.h"

namespace cohort::package {

// Packages of one machine with one disk, in one folder.
class TestChain {
 public:
  [[nodiscard]] Path at(const std::string& name) const { return folder_.path() / name; }

  static Manifest base_manifest() {
    Manifest manifest = full_manifest();
    manifest.machines.resize(1);
    auto& machine = manifest.machines[0];
    machine.nvram.reset();
    machine.tpm_state.clear();
    machine.disks.resize(1);
    return manifest;
  }

  // What it is to be the difference from; nothing for a full package.
  void write(const std::string& name, const std::string& parent, const std::function<void(Manifest&)>& change = {}) {
    Writer writer(at(name));
    ASSERT_TRUE(writer.begin());
    Manifest manifest = base_manifest();
    manifest.snapshot = SnapshotId::generate();
    manifest.snapshot_name = name;
    auto& machine = manifest.machines[0];
    machine.configuration = *writer.add(machine.configuration.file, "<domain/>");
    DiskEntry& disk = machine.disks[0];
    disk.virtual_size = 8U << 20U;
    disk.block_hashes = *writer.add(block_hashes_file(machine.name, disk.target), "hashes of " + name);
    disk.content_hash = disk.block_hashes->sha256;
    if (!parent.empty()) add_parent(parent, manifest);
    if (change) change(manifest);
    make_image(*writer.place_for(disk.file.file), disk);
    disk.file.size = *size_of_file(writer.partial() / disk.file.file);
    disk.file.sha256 = *sha256_of_file(writer.partial() / disk.file.file);
    const auto published = writer.publish(manifest);
    ASSERT_TRUE(published) << published.error().describe();
  }

  void add_parent(const std::string& parent, Manifest& manifest) {
    const auto text = read_file(at(parent) / kManifestName, 1U << 20U).value();
    const Manifest below = parse_manifest(text).value();
    manifest.format_version = kSealedFormatVersion;
    manifest.parent =
        ParentPackage{"../" + parent, Sha256::of(text), below.snapshot, below.snapshot_name, below.instant};
    const DiskEntry& disk = below.machines[0].disks[0];
    manifest.machines[0].disks[0].parent =
        ParentDisk{"../" + parent + "/" + disk.file.file, disk.format, disk.content_hash};
  }

  static void make_image(const Path& path, const DiskEntry& disk) {
    const auto backing = disk.backing_file();
    if (!backing) {
      disk::make_qcow2(path);
      return;
    }
    disk::qemu_img({"create", "-q", "-f", "qcow2", "-u", "-b", *backing, "-F", disk.parent->format, path, "8M"});
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace cohort::package
