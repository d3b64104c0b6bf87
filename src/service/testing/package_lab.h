// The operations on packages, over fakes; packages themselves are real folders.
#pragma once

#include <string>

#include "service/backup.h"
#include "service/import_package.h"
#include "service/testing/fake_disk_copier.h"
#include "service/testing/lab.h"
#include "service/try_package.h"

namespace cohort::service {

// "nightly", a snapshot of the shop, is there to be exported; web has NVRAM and TPM state.
class PackageLab : public Lab {
 public:
  PackageLab();

  [[nodiscard]] Path target() const { return folder.path() / "package"; }
  // Raw disks: those of the fake copier are what they claim to be.
  [[nodiscard]] ExportRequest export_request() const;
  [[nodiscard]] BackupRequest backup_request() const;
  // Imports the package at target() into the folder "imported".
  [[nodiscard]] ImportRequest import_request() const;
  [[nodiscard]] Path storage() const { return folder.path() / "imported"; }

  // As jobs.
  Result<ExportReport> run_export(const ExportRequest& request, const JobWatch& watch = {});
  Result<ExportReport> run_backup(const BackupRequest& request, const JobWatch& watch = {});
  Result<TryReport> run_try(const TryRequest& request, const JobWatch& watch = {}, const OnRunning& on_running = {});
  Result<ImportReport> run_import(const ImportRequest& request, const JobWatch& watch = {});

  // The names in a folder, sorted.
  [[nodiscard]] static std::vector<std::string> names_in(const Path& folder);

  FakeDiskCopier copier{control};
  ExportSnapshot exporter{store, copier, clock};
  ImportPackage importer{hypervisor, copier};
  TryPackage trial{hypervisor, store, undo, clock};
  Backup backup{take, exporter, remove, store, clock};
};

}  // namespace cohort::service
