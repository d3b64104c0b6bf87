// What --json prints. The shapes are a promise: docs/json.md describes them, tests/golden/json holds an example of
// each.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "client/session.h"

namespace cohort::cli {

using Json = nlohmann::ordered_json;

// Indented text with a newline at its end. Never throws: what is not UTF-8 is replaced.
[[nodiscard]] std::string to_text(const Json& document);

[[nodiscard]] Json to_json(const Error& error);
[[nodiscard]] Json to_json(const client::RecoveryReport& report);

[[nodiscard]] Json to_json(const Collection& collection);
[[nodiscard]] Json to_json(const service::CollectionView& view);
[[nodiscard]] Json to_json(const MachineSummary& machine);
[[nodiscard]] Json to_json(const service::HostReport& report);
[[nodiscard]] Json to_json(const service::DoctorReport& report);

[[nodiscard]] Json to_json(const FenceRecord& fence);
[[nodiscard]] Json to_json(const Snapshot& snapshot);
[[nodiscard]] Json reference_point_to_json(const Snapshot& point);
// Of a snapshot that is not yet taken.
[[nodiscard]] Json plan_to_json(const Snapshot& snapshot);
[[nodiscard]] Json to_json(const service::ApplyPlan& plan, bool keeps_current);
[[nodiscard]] Json to_json(const service::AppliedSnapshot& applied);
[[nodiscard]] Json shared_to_json(const std::vector<service::SharedLayers>& shared);
[[nodiscard]] Json to_json(const service::DeletedSnapshot& deleted);
[[nodiscard]] Json to_json(const std::vector<service::PlannedMerge>& merges);
// Pieces that snapshots and manifests share.
[[nodiscard]] Json pause_to_json(const std::optional<Pause>& pause);
[[nodiscard]] Json microseconds_or_null(const std::optional<Microseconds>& length);
[[nodiscard]] Json left_out_to_json(const std::vector<LeftOutDisk>& disks);

[[nodiscard]] Json to_json(const service::ExportPlan& plan);
[[nodiscard]] Json to_json(const service::ExportReport& report);
[[nodiscard]] Json to_json(const service::BackupPlan& plan);
[[nodiscard]] Json to_json(const package::VerifyReport& report);
[[nodiscard]] Json to_json(const service::StoredPackage& stored);
[[nodiscard]] Json to_json(const service::PrunePlan& plan);
[[nodiscard]] Json to_json(const service::MergePlan& plan);
[[nodiscard]] Json to_json(const service::MergeReport& report);
// Pieces that verifications and packages in folders share.
[[nodiscard]] Json manifest_to_json(const package::Manifest& manifest);
[[nodiscard]] Json to_json(const package::LowerPackage& package);
[[nodiscard]] Json to_json(const service::ImportPlan& plan);
[[nodiscard]] Json to_json(const service::ImportReport& report);
[[nodiscard]] Json to_json(const service::TryPlan& plan);
[[nodiscard]] Json to_json(const service::TryReport& report);
// A piece that imports and tries share.
[[nodiscard]] Json disk_files_to_json(const std::vector<service::ImportedDisk>& files);

[[nodiscard]] Json to_json(const Job& job);

// A list, each element by to_json.
template <typename T>
[[nodiscard]] Json list_to_json(const std::vector<T>& elements) {
  Json list = Json::array();
  for (const auto& element : elements) {
    list.push_back(to_json(element));
  }
  return list;
}

}  // namespace cohort::cli
