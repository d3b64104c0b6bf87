#include "package/verify.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <map>
#include <mutex>
#include <set>

#include "base/parallel.h"
#include "base/utf8.h"
#include "package/layout.h"
#include "package/manifest_file.h"
#include "package/package_chain.h"
#include "package/verify_file.h"
#include "package/writer.h"

namespace cohort::package {
namespace {

// Longer than the list of the largest manifest.
constexpr std::uint64_t kMaxHashList = 16U << 20U;
constexpr std::size_t kMaxListed = 100'000;
constexpr std::size_t kReaders = 2;

struct KindName {
  ProblemKind kind;
  std::string_view name;
};

constexpr std::array<KindName, 12> kKindNames{{
    {ProblemKind::kMissing, "missing"},
    {ProblemKind::kNotAFile, "not-a-file"},
    {ProblemKind::kWrongSize, "wrong-size"},
    {ProblemKind::kWrongHash, "wrong-hash"},
    {ProblemKind::kBadImage, "bad-image"},
    {ProblemKind::kForeignFile, "foreign-file"},
    {ProblemKind::kUnreadable, "unreadable"},
    {ProblemKind::kBadList, "bad-list"},
    {ProblemKind::kMissingParent, "missing-parent"},
    {ProblemKind::kWrongParent, "wrong-parent"},
    {ProblemKind::kUnsealed, "unsealed"},
    {ProblemKind::kUnlisted, "unlisted"},
}};

struct Work {
  const ChainLink* package;
  const FileEntry* file;
  const DiskEntry* disk;  // null for a file that is no disk
};

void add_work(const ChainLink& package, std::vector<Work>& work) {
  std::map<const FileEntry*, const DiskEntry*> disks;
  for (const auto& machine : package.manifest().machines) {
    for (const auto& disk : machine.disks) disks[&disk.file] = &disk;
  }
  for (const auto* file : package.manifest().files()) {
    const auto disk = disks.find(file);
    work.push_back({&package, file, disk == disks.end() ? nullptr : disk->second});
  }
}

// How the report calls a file of a package.
std::string name_of(const ChainLink& package, const std::string& file) {
  return package.name.empty() ? file : package.name + "/" + file;
}

// What is hashed. The sizes are a stranger's: their sum may not fit.
std::uint64_t total_bytes(const std::vector<Work>& work) {
  std::uint64_t total = 0;
  for (const auto& item : work) {
    if (item.file->sha256.empty()) continue;
    if (item.file->size > std::numeric_limits<std::uint64_t>::max() - total) return total;
    total += item.file->size;
  }
  return total;
}

class Verification {
 public:
  Verification(const PackageChain& chain, VerifyReport& report, std::stop_token stop, const VerifyProgress& progress)
      : chain_(chain), report_(report), stop_(std::move(stop)), progress_(progress) {}

  Result<void> check_files();
  void check_list(const ChainLink& package);
  Result<void> find_unlisted(const ChainLink& package);

 private:
  // Takes one piece of work after the other until there is none, or the first failure.
  Result<void> read_files(const std::vector<Work>& work, std::vector<CheckedFile>& checked);

  const PackageChain& chain_;
  VerifyReport& report_;
  std::stop_token stop_;
  const VerifyProgress& progress_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex progress_mutex_;
};

Result<void> Verification::read_files(const std::vector<Work>& work, std::vector<CheckedFile>& checked) {
  const auto on_read = [&](std::uint64_t bytes) {
    const std::lock_guard lock(progress_mutex_);
    if (progress_.on_read) progress_.on_read(bytes);
  };
  for (std::size_t i = next_++; i < work.size(); i = next_++) {
    if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "The verification was cancelled.");
    COHORT_ASSIGN(checked[i], verify_file(work[i].package->folder, *work[i].file, work[i].disk, stop_, on_read));
    for (auto& problem : checked[i].problems) problem.file = name_of(*work[i].package, problem.file);
  }
  return {};
}

Result<void> Verification::check_files() {
  std::vector<Work> work;
  for (const auto& package : chain_.links) add_work(package, work);
  if (progress_.on_total) progress_.on_total(total_bytes(work));
  std::vector<CheckedFile> checked(work.size());
  for (auto& outcome : run_in_parallel(kReaders, [&](std::size_t) { return read_files(work, checked); })) {
    COHORT_TRY(std::move(outcome));
  }
  for (auto& file : checked) {
    report_.bytes += file.bytes;
    std::ranges::move(file.problems, std::back_inserter(report_.problems));
  }
  report_.files = work.size();
  return {};
}

// "line 3 is "…", not "…"" for the first line that differs.
std::string first_difference(std::string_view found, std::string_view expected) {
  for (std::size_t line = 1;; ++line) {
    const std::string_view a = found.substr(0, found.find('\n'));
    const std::string_view b = expected.substr(0, expected.find('\n'));
    if (a != b) return fmt::format("line {} is \"{}\", not \"{}\"", line, a.substr(0, 400), b);
    if (a.size() == found.size() || b.size() == expected.size()) return "its end is not as it should be";
    found.remove_prefix(a.size() + 1);
    expected.remove_prefix(b.size() + 1);
  }
}

void Verification::check_list(const ChainLink& package) {
  const std::string name = name_of(package, std::string(kHashListName));
  const std::string expected = format_hash_list(package.manifest(), package.file.text);
  const auto found = package.folder.read(std::string(kHashListName), kMaxHashList + expected.size());
  if (!found) {
    const bool is_bad = found.error().code == ErrorCode::kNotFound || found.error().code == ErrorCode::kInvalidState ||
                        found.error().code == ErrorCode::kCorrupt;
    report_.problems.push_back(
        {name, is_bad ? ProblemKind::kBadList : ProblemKind::kUnreadable, found.error().describe()});
  } else if (*found != expected) {
    report_.problems.push_back({name, ProblemKind::kBadList,
                                fmt::format("It differs from the manifest: {}.", first_difference(*found, expected))});
  }
}

// The name with what is no text replaced: it goes into reports and JSON.
std::string printable(const Path& path) {
  std::string text;
  const bool is_text = is_utf8(path.native());
  for (const char c : path.native()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = byte >= 0x20 && byte != 0x7f && (is_text || byte < 0x80);
    text += is_plain ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return text;
}

Result<void> Verification::find_unlisted(const ChainLink& package) {
  std::set<std::string> listed{std::string(kManifestName), std::string(kHashListName)};
  for (const auto* file : package.manifest().files()) listed.insert(file->file);
  COHORT_ASSIGN(const std::vector<Path> found, package.folder.list(kMaxListed));
  for (const auto& path : found) {
    if (!listed.contains(path.native())) {
      report_.notes.push_back(
          {name_of(package, printable(path)), ProblemKind::kUnlisted, "The manifest does not name it."});
    }
  }
  return {};
}

}  // namespace

std::string_view to_string(ProblemKind kind) {
  const auto* found = std::ranges::find(kKindNames, kind, &KindName::kind);
  return found == kKindNames.end() ? "unknown" : found->name;
}

ErrorCode VerifyReport::failure() const {
  const auto all_are = [this](ProblemKind kind) {
    return std::ranges::all_of(problems, [kind](const Problem& found) { return found.kind == kind; });
  };
  if (all_are(ProblemKind::kUnsealed)) return ErrorCode::kInvalidState;
  const auto tells_nothing = [](const Problem& found) {
    return found.kind == ProblemKind::kUnreadable || found.kind == ProblemKind::kUnsealed;
  };
  return std::ranges::all_of(problems, tells_nothing) ? ErrorCode::kIo : ErrorCode::kCorrupt;
}

std::string_view VerifyReport::verdict() const {
  if (is_whole()) return "is whole";
  if (failure() == ErrorCode::kInvalidState) return "is not sealed";
  return failure() == ErrorCode::kIo ? "cannot be read as a whole" : "is not whole";
}

Result<VerifyReport> verify(const Path& package, std::stop_token stop, const VerifyProgress& progress,
                            const VerifyOptions& options) {
  COHORT_ASSIGN(PackageChain chain, options.with_parents ? open_chain(package) : open_alone(package));
  VerifyReport report;
  report.package = package;
  report.manifest = chain.links.front().manifest();
  report.parents = lower_packages(chain);
  if (chain.broken) report.problems.push_back(*chain.broken);
  Verification verification(chain, report, std::move(stop), progress);
  for (const auto& link : chain.links) verification.check_list(link);
  COHORT_TRY(verification.check_files());
  for (const auto& link : chain.links) {
    COHORT_TRY(verification.find_unlisted(link));
  }
  return report;
}

}  // namespace cohort::package
