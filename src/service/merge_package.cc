#include "service/merge_package.h"

#include <algorithm>
#include <optional>

#include "base/kill_point.h"
#include "base/sha256.h"
#include "service/new_package.h"
#include "service/package_images.h"
#include "service/package_size.h"

namespace cohort::service {
namespace {

namespace fs = std::filesystem;

struct PreparedMerge {
  package::PackageChain chain;  // complete
  MergePlan plan;

  [[nodiscard]] const package::ChainLink& top() const { return chain.links.front(); }
};

Result<package::PackageChain> open_difference(const Path& directory) {
  COHORT_ASSIGN(auto chain, package::open_chain(directory));
  COHORT_TRY(package::check_complete(chain));
  if (chain.links.size() > 1) return chain;
  return fail(ErrorCode::kInvalidState, "\"{}\" stands on no other package: there is nothing to merge.",
              directory.string());
}

// Verification would find it there.
Result<void> check_apart(const Path& target, const package::PackageChain& chain) {
  std::error_code code;
  const Path folder = fs::canonical(target.parent_path(), code);
  if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be looked up.", target.string()))};
  for (const auto& link : chain.links) {
    const Path package = fs::canonical(link.folder.path(), code);
    if (code || !is_inside(folder, package)) continue;
    return fail(ErrorCode::kInvalidArgument, "\"{}\" lies within the package \"{}\": choose a folder beside it.",
                target.string(), package.string());
  }
  return {};
}

// Of all but the images, which are made anew.
std::uint64_t bytes_beside_images(const package::Manifest& manifest) {
  std::uint64_t bytes = kSpaceBesideDisks;
  for (const auto& machine : manifest.machines) {
    bytes += machine.configuration.size + (machine.nvram ? machine.nvram->size : 0);
    for (const auto& file : machine.tpm_state) bytes += file.size;
    for (const auto& disk : machine.disks) bytes += disk.block_hashes ? disk.block_hashes->size : 0;
  }
  return bytes;
}

Result<PreparedMerge> prepare(const MergeRequest& request, DiskCopier& copier, const std::stop_token& stop) {
  COHORT_ASSIGN(auto chain, open_difference(request.package));
  PreparedMerge prepared{std::move(chain), {}};
  MergePlan& plan = prepared.plan;
  COHORT_ASSIGN(plan.package, request.is_in_place() ? replaced_package_folder(request.package)
                                                    : new_package_folder(request.directory));
  COHORT_TRY(check_apart(plan.package, prepared.chain));
  plan.source = prepared.top().folder.path();
  plan.parents = package::lower_packages(prepared.chain);
  plan.estimated_bytes = bytes_beside_images(prepared.top().manifest());
  for (const auto& machine : prepared.top().manifest().machines) {
    for (const auto& disk : machine.disks) {
      COHORT_ASSIGN(const auto bytes, measure_alone(prepared.chain, machine.id, disk, copier, stop));
      plan.disks.push_back(
          {machine.name, disk.target, disk.file.file, disk.parent.has_value(), disk.virtual_size, bytes});
      plan.estimated_bytes += bytes;
    }
  }
  COHORT_ASSIGN(plan.free_bytes, free_bytes(plan.package.parent_path()));
  COHORT_TRY(check_space(plan.package, plan.free_bytes, plan.estimated_bytes));
  return prepared;
}

std::uint64_t disk_bytes_of(const MergePlan& plan) {
  std::uint64_t bytes = 0;
  for (const auto& disk : plan.disks) bytes += disk.estimated_bytes;
  return bytes;
}

// Writes the machines of the chain's first package into one that stands alone.
class Merging {
 public:
  Merging(const PreparedMerge& prepared, DiskCopier& copier, const package::Writer& writer, JobContext& job)
      : prepared_(prepared), copier_(copier), writer_(writer), job_(job) {}

  Result<void> add(package::MachineEntry& machine) {
    COHORT_TRY(add_as_it_is(machine.configuration));
    if (machine.nvram) COHORT_TRY(add_as_it_is(*machine.nvram));
    for (const auto& file : machine.tpm_state) COHORT_TRY(add_as_it_is(file));
    for (auto& disk : machine.disks) {
      job_.set_phase(fmt::format("{} disk {} of {}", disk.parent ? "merging" : "copying", disk.target, machine.name));
      COHORT_TRY(job_.check_cancelled());
      COHORT_TRY(add_disk(machine.id, disk));
      kill_point("merge_package.disk_made");
    }
    return {};
  }

 private:
  [[nodiscard]] const package::PackageFolder& source() const { return prepared_.top().folder; }

  Result<void> add_as_it_is(const package::FileEntry& file) {
    COHORT_TRY(job_.check_cancelled());
    COHORT_ASSIGN(const auto content, read_verified(source(), file));
    return writer_.add(file.file, content).map([](const auto&) {});
  }

  Result<void> add_disk(const MachineId& machine, package::DiskEntry& disk) {
    COHORT_ASSIGN(const auto opened, open_layers(prepared_.chain, machine, disk));
    COHORT_ASSIGN(const Path target, writer_.place_for(disk.file.file));
    if (disk.block_hashes) COHORT_TRY(copy_list(*disk.block_hashes));
    auto made = disk.parent ? merge(opened, target, disk) : copy(opened, target, disk);
    disk.parent.reset();
    disk.whole_because.clear();
    if (made) return {};
    Error error = std::move(made).error();
    error.message = opened.with_own_names(error.message);
    return Failure{std::move(error)};
  }

  // What a content hash is of stays what it is.
  Result<void> copy_list(const package::FileEntry& list) {
    COHORT_ASSIGN(const UniqueFd fd, source().open_file(list.file));
    COHORT_ASSIGN(const Path target, writer_.place_for(list.file));
    auto copied = copier_.copy_file({package::path_of(fd), target, list.sha256}, job_.stop(), [](std::uint64_t) {});
    if (!copied) {
      copied.error().message =
          package::with_own_name(copied.error().message, fd, (source().path() / list.file).string());
    }
    return copied;
  }

  Result<void> copy(const OpenedLayers& opened, const Path& target, const package::DiskEntry& disk) {
    return copier_.copy_file({package::path_of(opened.fds.front()), target, disk.file.sha256}, job_.stop(),
                             on_progress());
  }

  Result<void> merge(const OpenedLayers& opened, const Path& target, package::DiskEntry& disk) {
    COHORT_ASSIGN(const auto made, copier_.copy_layers({opened.layers(), target, disk.format, disk.content_hash},
                                                       job_.stop(), on_progress()));
    disk.file.size = made.file_size;
    disk.file.sha256 = made.sha256;
    return {};
  }

  [[nodiscard]] std::function<void(std::uint64_t)> on_progress() {
    return [this, before = std::uint64_t{0}](std::uint64_t done) mutable {
      if (done > before) job_.add_done(done - before);
      before = std::max(before, done);
    };
  }

  const PreparedMerge& prepared_;
  DiskCopier& copier_;
  const package::Writer& writer_;
  JobContext& job_;
};

Result<void> write_package(Merging& merging, NewPackage& target, package::Manifest& manifest, JobContext& job) {
  for (auto& machine : manifest.machines) COHORT_TRY(merging.add(machine));
  manifest.parent.reset();
  manifest.format_version = manifest.needed_version();
  job.set_phase("completing the package");
  COHORT_TRY(job.check_cancelled());
  kill_point("merge_package.before_publish");
  return target.publish(manifest);
}

}  // namespace

Result<MergePlan> MergePackage::plan(const MergeRequest& request, const std::stop_token& stop) {
  return prepare(request, copier_, stop).map([](PreparedMerge&& prepared) { return std::move(prepared.plan); });
}

Result<MergeReport> MergePackage::run(const MergeRequest& request, JobContext& job) {
  job.set_phase("planning");
  COHORT_ASSIGN(auto prepared, prepare(request, copier_, job.stop()));
  COHORT_TRY(verify_opened(prepared.chain, job));
  job.set_done(0);
  job.set_total(disk_bytes_of(prepared.plan));
  NewPackage target(prepared.plan.package, prepared.plan.estimated_bytes, job,
                    request.is_in_place() ? package::Placing::kReplace : package::Placing::kNew);
  COHORT_TRY(target.begin());
  kill_point("merge_package.begun");
  package::Manifest manifest = prepared.top().manifest();
  manifest.created_by = "cohort " COHORT_VERSION;
  manifest.created = clock_.wall();
  if (request.is_in_place()) manifest.stands_for = Sha256::of(prepared.top().file.text);
  Merging merging(prepared, copier_, target.writer(), job);
  if (auto written = write_package(merging, target, manifest, job); !written) {
    return target.failed(std::move(written).error());
  }
  kill_point("merge_package.published");
  if (request.is_in_place()) COHORT_TRY(target.remove_replaced());
  COHORT_TRY(target.keep());
  job.set_result(prepared.plan.package.string());
  const PackageSize size = size_of_package(prepared.plan.package, manifest);
  return MergeReport{std::move(prepared.plan), std::move(manifest), size.files, size.bytes, size.disk_bytes};
}

}  // namespace cohort::service
