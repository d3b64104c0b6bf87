// What the machines of the shop live through when they are taken back to snapshots.
#pragma once

#include <string>

#include "service/testing/lab.h"

namespace cohort::service {

inline TakeSnapshotRequest standard(const std::string& name) {
  TakeSnapshotRequest request;
  request.collection = "shop";
  request.name = name;
  request.kind = SnapshotKind::kStandard;
  return request;
}

inline ApplyRequest to(const std::string& snapshot) { return {snapshot, false, {}, {}}; }

// What a machine of the shop is like, without the names of files.
inline std::string life_of(const Lab& lab, const std::string& name) {
  std::string life;
  const_cast<FakeHypervisor&>(lab.hypervisor).change(name, [&](FakeMachine& machine) {
    life = fmt::format("{} {} {} {}", name, to_string(machine.summary.power), machine.memory, machine.definition);
  });
  return fmt::format("{}: {}", life, lab.hypervisor.disk_content(name, "vda"));
}

inline std::string lives(const Lab& lab) {
  return fmt::format("{}\n{}\n{}\n{}\n", life_of(lab, "web"), life_of(lab, "database"), life_of(lab, "cache"),
                     life_of(lab, "archive"));
}

inline void live_on(Lab& lab, const std::string& what) {
  for (const char* name : {"web", "database", "archive"}) lab.hypervisor.write(name, "vda", 1, what);
  for (const char* name : {"web", "database"}) {
    lab.hypervisor.change(name, [&](FakeMachine& machine) {
      machine.memory = what + " in memory";
      machine.definition = what + " defined";
    });
  }
  lab.hypervisor.change("web", [&](FakeMachine& machine) { machine.state.nvram = what; });
}

}  // namespace cohort::service
