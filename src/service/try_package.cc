#include "service/try_package.h"

#include <algorithm>
#include <array>

#include "base/kill_point.h"
#include "domain/named_value.h"
#include "package/held_file.h"
#include "service/machine_parts.h"
#include "service/package_images.h"
#include "service/try_plan.h"
#include "service/try_watch.h"

namespace cohort::service {
namespace {

constexpr std::array<NamedValue<TryNetwork>, 2> kTryNetworks{{
    {TryNetwork::kNone, "none"},
    {TryNetwork::kIsolated, "isolated"},
}};

// The disks of the package, open from before they are verified until the machines stand on them.
struct HeldLayer {
  const package::PackageFolder* folder;
  std::string format;
  package::HeldFile file;
};
using HeldDisk = std::vector<HeldLayer>;               // the top first
using HeldDisks = std::vector<std::vector<HeldDisk>>;  // by machine, by disk

Result<HeldDisk> hold_disk(const OpenedPackage& package, const MachineId& machine, const std::string& target) {
  HeldDisk held;
  for (const auto& layer : package::layers_of(package.chain, machine, target)) {
    COHORT_ASSIGN(auto file, package::HeldFile::open(*layer.folder, *layer.disk));
    held.push_back({layer.folder, layer.disk->format, std::move(file)});
  }
  return held;
}

Result<HeldDisks> hold_disks(const OpenedPackage& package) {
  HeldDisks held;
  for (const auto& machine : package.machines) {
    auto& disks = held.emplace_back();
    for (const auto& disk : machine.entry.disks) {
      COHORT_ASSIGN(auto layers, hold_disk(package, machine.entry.id, disk.target));
      disks.push_back(std::move(layers));
    }
  }
  return held;
}

Result<void> check_unchanged(const std::vector<HeldDisk>& disks) {
  for (const auto& disk : disks) {
    for (const auto& layer : disk) COHORT_TRY(layer.file.check_unchanged(*layer.folder));
  }
  return {};
}

std::vector<ThrowawayBacking> backing_of(const HeldDisk& held) {
  std::vector<ThrowawayBacking> backing;
  for (const auto& layer : held) {
    backing.push_back({{layer.folder->path() / layer.file.name(), layer.format}, layer.file.fd()});
  }
  return backing;
}

// Makes the machines of one try; they stand still then.
class Trying {
 public:
  Trying(const PreparedTry& prepared, const HeldDisks& held, Hypervisor& hypervisor, JobContext& job)
      : prepared_(prepared),
        held_(held),
        hypervisor_(hypervisor),
        job_(job),
        folder_(prepared.plan.scratch / ("cohort-try-" + job.id().str())) {}

  Result<void> make_network() {
    if (prepared_.plan.network == TryNetwork::kNone) return {};
    const auto id = NetworkId::generate();
    network_ = "cohort-try-" + job_.id().short_str();
    COHORT_TRY(job_.will_undo(UndoKind::kRemoveNetwork, id.str()));
    COHORT_TRY(hypervisor_.create_isolated_network(id, network_));
    kill_point("try.network_made");
    return {};
  }

  // Others put files into the folder of the try, too: virtlogd rotates the logs of ports.
  Result<void> make_folder() {
    COHORT_TRY(make_folder(prepared_.plan.scratch, UndoKind::kRemoveFolder));
    COHORT_TRY(make_folder(folder_, UndoKind::kRemoveTree));
    kill_point("try.folder_made");
    return {};
  }

  Result<TriedMachine> make(std::size_t index) {
    const PackagedMachine& packaged = prepared_.package.machines[index];
    TriedMachine tried = prepared_.plan.machines[index];
    tried.id = MachineId::generate();
    job_.set_phase(fmt::format("starting {}", tried.name));
    COHORT_TRY(job_.check_cancelled());
    MachineParts parts(prepared_.package, packaged, hypervisor_, job_);
    ThrowawayMachine machine;
    machine.definition.name = tried.name;
    machine.definition.new_id = tried.id;
    machine.network = network_;
    for (std::size_t i = 0; i < tried.disks.size(); ++i) {
      COHORT_TRY(add_disk(tried, i, packaged.entry.disks[i].virtual_size, parts, machine));
      machine.backing.push_back(backing_of(held_[index][i]));
    }
    COHORT_TRY(check_unchanged(held_[index]));
    COHORT_TRY(parts.will_remove_fresh_state(machine.definition, folder_));
    COHORT_TRY(parts.complete(machine.definition, folder_));
    COHORT_ASSIGN(tried.console, console_of(machine.definition));
    COHORT_TRY(start(machine, parts));
    return tried;
  }

 private:
  // QEMU's user may pass through to the files that it is told of, and look at nothing.
  Result<void> make_folder(const Path& folder, UndoKind undo) {
    std::error_code code;
    if (std::filesystem::exists(folder, code)) return {};
    COHORT_TRY(job_.will_undo(undo, folder.string()));
    COHORT_TRY(make_directories(folder));
    std::filesystem::permissions(folder, std::filesystem::perms(0711), code);  // whatever the umask is
    if (!code) return {};
    return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be opened up.", folder.string()))};
  }

  Result<void> add_disk(const TriedMachine& tried, std::size_t index, std::uint64_t size, MachineParts& parts,
                        ThrowawayMachine& machine) {
    const ImportedDisk& disk = tried.disks[index];
    const Path overlay = folder_ / fmt::format("{}-{}.qcow2", tried.name, disk.target);
    COHORT_TRY(parts.will_remove(overlay));
    COHORT_TRY(hypervisor_.create_overlay({disk.target, disk.file, overlay, size}));
    kill_point("try.overlay_made");
    machine.definition.disks.push_back({disk.target, {overlay, "qcow2"}});
    return {};
  }

  Result<std::optional<Path>> console_of(const DefineMachineRequest& definition) {
    COHORT_ASSIGN(const auto files, hypervisor_.port_files(definition));
    return files.empty() ? std::optional<Path>() : std::optional(files.front());
  }

  // That it may be stopped is recorded first: whatever has this job's mark was started by it.
  Result<void> start(const ThrowawayMachine& machine, MachineParts& parts) {
    const MachineId& id = machine.definition.new_id.value();
    COHORT_ASSIGN(const auto step, parts.will_undefine(id));
    COHORT_TRY(job_.will_undo(UndoKind::kStopMachine, id.str()));
    kill_point("try.before_start");
    if (const auto started = hypervisor_.start_throwaway(machine); !started) {
      return parts.refuse(started.error(), step);
    }
    kill_point("try.started");
    return {};
  }

  const PreparedTry& prepared_;
  const HeldDisks& held_;
  Hypervisor& hypervisor_;
  JobContext& job_;
  Path folder_;  // for what the machines write
  std::string network_;
};

std::vector<MachineId> ids_of(const TryReport& report) {
  std::vector<MachineId> ids;
  for (const auto& machine : report.machines) ids.push_back(machine.id);
  return ids;
}

}  // namespace

std::string_view to_string(TryNetwork network) { return name_of(kTryNetworks, network); }
Result<TryNetwork> try_network_from(std::string_view name) {
  if (const auto network = value_of(kTryNetworks, name, "network")) return *network;
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is no network of a try: give none or isolated.", name);
}

bool TryReport::has_crashed() const {
  return std::ranges::any_of(machines, [](const TriedMachine& each) { return each.end == MachineEnd::kCrashed; });
}

Result<TryPlan> TryPackage::plan(const TryRequest& request) {
  return prepare_try(request, store_.tries_folder(), hypervisor_).map([](PreparedTry&& prepared) {
    return std::move(prepared.plan);
  });
}

Result<TryReport> TryPackage::run(const TryRequest& request, JobContext& job, const OnRunning& on_running) {
  job.set_phase("planning");
  COHORT_ASSIGN(const auto prepared, prepare_try(request, store_.tries_folder(), hypervisor_));
  COHORT_ASSIGN(const auto held, hold_disks(prepared.package));
  Trying trying(prepared, held, hypervisor_, job);
  COHORT_TRY(trying.make_network());
  COHORT_TRY(verify_opened(prepared.package.chain, job));
  job.set_total(0);
  COHORT_TRY(trying.make_folder());
  TryReport report{{}, request.network, Milliseconds(0)};
  for (std::size_t i = 0; i < prepared.plan.machines.size(); ++i) {
    COHORT_ASSIGN(auto machine, trying.make(i));
    report.machines.push_back(std::move(machine));
  }
  for (const auto& disks : held) COHORT_TRY(check_unchanged(disks));
  COHORT_ASSIGN(const auto ends, hypervisor_.watch_ends(ids_of(report)));
  COHORT_TRY(job.check_cancelled());
  for (const auto& machine : report.machines) COHORT_TRY(hypervisor_.resume(machine.id));
  kill_point("try.running");
  TryWatch watch(request, report, *ends, hypervisor_, clock_, job);
  if (on_running) on_running(report);
  COHORT_TRY(watch.run());
  COHORT_TRY(take_back(job));
  return report;
}

Result<void> TryPackage::take_back(JobContext& job) {
  job.set_phase("removing the machines");
  const UndoReport undone = undo_.run(job.id(), job);
  kill_point("try.removed");
  if (undone.failures.empty()) return {};
  return fail(ErrorCode::kHypervisor, "The machines ran as asked; then something of them could not be removed: {}",
              fmt::join(undone.failures, " "));
}

}  // namespace cohort::service
