#include "service/testing/package_lab.h"

#include <algorithm>

namespace cohort::service {

PackageLab::PackageLab() {
  add_shop();
  hypervisor.change("web", [](FakeMachine& web) {
    web.state.nvram = "variables";
    web.state.tpm = {{"tpm2/permall", "seed"}};
  });
  static_cast<void>(take_of_shop("nightly").value());
  static_cast<void>(make_directories(storage()));
  control.clear();
}

ExportRequest PackageLab::export_request() const {
  ExportRequest request;
  request.snapshot = "nightly";
  request.directory = target();
  request.format = "raw";
  return request;
}

BackupRequest PackageLab::backup_request() const {
  BackupRequest request;
  request.take = snapshot_of("shop");
  request.target = export_request();
  return request;
}

ImportRequest PackageLab::import_request() const {
  ImportRequest request;
  request.directory = target();
  request.name_prefix = "copy of ";
  request.storage = storage();
  return request;
}

Result<ExportReport> PackageLab::run_export(const ExportRequest& request, const JobWatch& watch) {
  return engine.run<ExportReport>(JobType::kExport, request.snapshot, watch,
                                  [&](JobContext& job) { return exporter.run(request, job); });
}

Result<ExportReport> PackageLab::run_backup(const BackupRequest& request, const JobWatch& watch) {
  return engine.run<ExportReport>(JobType::kBackup, request.take.collection, watch,
                                  [&](JobContext& job) { return backup.run(request, job); });
}

Result<ImportReport> PackageLab::run_import(const ImportRequest& request, const JobWatch& watch) {
  return engine.run<ImportReport>(JobType::kImport, request.directory.string(), watch,
                                  [&](JobContext& job) { return importer.run(request, job); });
}

Result<TryReport> PackageLab::run_try(const TryRequest& request, const JobWatch& watch, const OnRunning& on_running) {
  return engine.run<TryReport>(JobType::kTry, request.directory.string(), watch,
                               [&](JobContext& job) { return trial.run(request, job, on_running); });
}

std::vector<std::string> PackageLab::names_in(const Path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace cohort::service
