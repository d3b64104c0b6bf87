#include <memory>
#include <string>
#include <vector>

#include "cli/arguments/arguments.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class Import final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "import",
            .summary = "make machines from a package",
            .description =
                "Verifies the package, copies its disks, and defines its machines: all of them, or "
                "none. They get new UUIDs and MAC addresses, so that they can run beside the "
                "originals; names that are taken need --name-prefix or --name. With --keep-ids they "
                "come back as who they were, which is refused while one of them exists.\n\n"
                "The machines use the networks that their configuration names: look at it before you "
                "start copies beside the originals.\n\n"
                "A machine that asks for more of this host than its disks and a network, such as a "
                "device or a folder, is refused with all that it asks for and the kind of each. A "
                "package may come from a stranger: --trust a kind only if you know what it does.\n\n"
                "With --at TIME, DIR is a folder of packages, and the newest of TIME or before is imported, with all "
                "that it stands on. Packages that cannot be used, or lack disks, are passed over.",
            .examples = {{"cohort import /backup/shop-monday --name-prefix copy- --start",
                          "Makes copies beside the originals and starts them."},
                         {"cohort import /backup/shop-monday --keep-ids", "Brings lost machines back."},
                         {"cohort import /backup --at '2026-01-31 23:59' --name-prefix old-",
                          "The newest package in /backup of that time (UTC) or before."},
                         {"cohort import /backup/shop-monday --name db=db2 --name web=web2 --storage /srv/vm",
                          "New names, and a folder for the disks."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("DIR", directory_, "The package; with --at, a folder of packages.");
    arguments.option("--at", at_, "TIME",
                     "The newest package in DIR of this time or before, in UTC: 2026-01-31, '2026-01-31 23:59'.");
    arguments.option("--name-prefix", name_prefix_, "PREFIX", "Put this before every name.");
    arguments.repeated_option("--name", names_, "OLD=NEW",
                              "The new name of one machine, instead of one with the prefix; can be repeated.");
    arguments.flag("--keep-ids", is_keeping_ids_, "Keep UUIDs and MAC addresses.");
    arguments.option("--storage", storage_, "DIR", "Folder for the disks; default: the hypervisor's own.");
    arguments.repeated_option("--trust", trusted_, "KIND",
                              "Accept machines that ask for this of the host (host-device, host-path, network, "
                              "character-device and others; the refusal names it); can be repeated.");
    arguments.flag("--start", is_starting_, "Start the machines when all are defined.");
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto wanted, request(context));
    if (is_dry_run_) {
      COHORT_ASSIGN(const auto plan, context.session().plan_import(wanted));
      return planned(to_json(plan), report_import_plan(plan));
    }
    COHORT_ASSIGN(const auto report, context.run_job([&](const client::JobWatch& watch) {
      return context.session().import_package(wanted, watch);
    }));
    return notice(Json{{"import", to_json(report)}}, report_import(report));
  }

 private:
  [[nodiscard]] Result<service::ImportRequest> request(Context& context) const {
    service::ImportRequest request;
    COHORT_ASSIGN(request.directory, parse_folder(directory_));
    if (!at_.empty()) {
      COHORT_ASSIGN(const auto time, parse_time(at_));
      COHORT_ASSIGN(request.directory, context.session().package_at(request.directory, time));
    }
    COHORT_ASSIGN(request.names, parse_names(names_));
    if (!storage_.empty()) {
      COHORT_ASSIGN(request.storage, parse_folder(storage_));
    }
    request.name_prefix = name_prefix_;
    COHORT_ASSIGN(request.trusted, parse_trusted(trusted_));
    request.keep_ids = is_keeping_ids_;
    request.start = is_starting_;
    return request;
  }

  std::string directory_;
  std::string at_;
  std::string name_prefix_;
  std::vector<std::string> names_;
  std::string storage_;
  std::vector<std::string> trusted_;
  bool is_keeping_ids_ = false;
  bool is_starting_ = false;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_import() { return std::make_unique<Import>(); }

}  // namespace cohort::cli
