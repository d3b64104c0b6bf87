// A small package of real images, for tests.
#pragma once

#include <gtest/gtest.h>

#include "disk/test_images.h"
#include "package/test_manifest.h"
#include "package/writer.h"

namespace cohort::package {

// Of one machine, with its configuration, a qcow2 and a raw disk: their files are written, their sizes and hashes are
// not in the manifest yet.
inline void begin_package(Writer& writer, Manifest& manifest) {
  ASSERT_TRUE(writer.begin());
  manifest = full_manifest();
  manifest.machines.resize(1);
  auto& machine = manifest.machines[0];
  machine.configuration = *writer.add(machine.configuration.file, "<domain/>");
  disk::make_qcow2(*writer.place_for(machine.disks[0].file.file));
  machine.disks[0].virtual_size = 8U << 20U;
  ASSERT_TRUE(create_file(*writer.place_for(machine.disks[1].file.file), std::string(1U << 20U, 'x')));
}

}  // namespace cohort::package
