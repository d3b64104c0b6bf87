#include "package/verify_file.h"

#include "base/sha256.h"
#include "disk/check.h"
#include "disk/qcow2_header.h"

namespace cohort::package {
namespace {

Problem problem(const FileEntry& entry, ProblemKind kind, std::string message) {
  return {entry.file, kind, std::move(message)};
}

Problem cannot_read(const FileEntry& entry, const Error& error) {
  ProblemKind kind = ProblemKind::kUnreadable;
  if (error.code == ErrorCode::kNotFound) kind = ProblemKind::kMissing;
  if (error.code == ErrorCode::kInvalidState) kind = ProblemKind::kNotAFile;
  std::string message = kind == ProblemKind::kMissing ? "The file is not there." : error.describe();
  return problem(entry, kind, std::move(message));
}

std::optional<Problem> check_backing(const DiskEntry& disk, const disk::Qcow2Header& header) {
  const auto expected = disk.backing_file();
  if (header.backing_file == expected && (!expected || header.backing_format == disk.parent->format)) {
    return std::nullopt;
  }
  const std::string named = header.backing_file.value_or("nothing");
  const std::string wanted = expected ? fmt::format("name \"{}\" ({})", *expected, disk.parent->format) : "stand alone";
  return problem(disk.file, ProblemKind::kForeignFile,
                 fmt::format("The image names \"{}\" ({}) as its backing file; it must {}.", named,
                             header.backing_format.value_or("no format"), wanted));
}

// What the head of a qcow2 file must say before QEMU may open it.
std::optional<Problem> check_head(const DiskEntry& disk, const disk::Qcow2Header& header) {
  if (auto found = check_backing(disk, header)) return found;
  if (header.has_data_file) {
    return problem(disk.file, ProblemKind::kForeignFile, "The image keeps its data in another file.");
  }
  if (header.is_encrypted) return problem(disk.file, ProblemKind::kBadImage, "The image is encrypted.");
  if (header.virtual_size != disk.virtual_size) {
    return problem(disk.file, ProblemKind::kBadImage,
                   fmt::format("The image is of a disk of {} bytes; the manifest says {}.", header.virtual_size,
                               disk.virtual_size));
  }
  return std::nullopt;
}

// An image that cannot be read may be sound.
ProblemKind kind_of(const Error& image) {
  const bool is_bad = image.code == ErrorCode::kCorrupt || image.code == ErrorCode::kUnsupported;
  return is_bad ? ProblemKind::kBadImage : ProblemKind::kUnreadable;
}

// The checks of one file, step by step.
class FileCheck {
 public:
  FileCheck(const FileEntry& entry, std::stop_token stop) : entry_(entry), stop_(std::move(stop)) {}

  Result<void> check_hash(const UniqueFd& fd, const std::function<void(std::uint64_t)>& on_read);
  Result<void> check_disk(const UniqueFd& fd, const DiskEntry& disk);
  void add(ProblemKind kind, std::string message) {
    result_.problems.push_back(problem(entry_, kind, std::move(message)));
  }
  [[nodiscard]] CheckedFile result() && { return std::move(result_); }

 private:
  Result<void> check_qcow2(const UniqueFd& fd, const DiskEntry& disk);
  Result<void> add_failure(const Error& error, ProblemKind kind, const UniqueFd& fd);

  const FileEntry& entry_;
  std::stop_token stop_;
  CheckedFile result_;
};

// Only a cancel ends the whole verification.
Result<void> FileCheck::add_failure(const Error& error, ProblemKind kind, const UniqueFd& fd) {
  if (error.code == ErrorCode::kCancelled) return Failure{error};
  add(kind, with_own_name(error.cause.empty() ? error.message : fmt::format("{} ({})", error.message, error.cause), fd,
                          entry_.file));
  return {};
}

Result<void> FileCheck::check_hash(const UniqueFd& fd, const std::function<void(std::uint64_t)>& on_read) {
  if (entry_.sha256.empty()) {
    add(ProblemKind::kUnsealed,
        "The image was exported without a hash, so nobody can tell whether it is as it was: cohort verify --seal "
        "gives it one.");
    return {};
  }
  const auto hash = sha256_of_file(path_of(fd), stop_, [&](std::uint64_t bytes) {
    result_.bytes += bytes;
    on_read(bytes);
  });
  if (!hash) return add_failure(hash.error(), ProblemKind::kUnreadable, fd);
  if (*hash != entry_.sha256) {
    add(ProblemKind::kWrongHash, fmt::format("The SHA-256 is {}; the manifest says {}.", *hash, entry_.sha256));
  }
  return {};
}

Result<void> FileCheck::check_qcow2(const UniqueFd& fd, const DiskEntry& disk) {
  const auto header = disk::read_qcow2_header(fd.get(), entry_.file);
  if (!header) return add_failure(header.error(), kind_of(header.error()), fd);
  if (auto found = check_head(disk, *header)) {
    result_.problems.push_back(*std::move(found));
    return {};
  }
  const auto checked = disk::check_image(path_of(fd), disk.format, stop_);
  if (checked) return {};
  return add_failure(checked.error(), kind_of(checked.error()), fd);
}

Result<void> FileCheck::check_disk(const UniqueFd& fd, const DiskEntry& disk) {
  if (disk.format == "qcow2") return check_qcow2(fd, disk);
  if (disk.virtual_size != entry_.size) {
    add(ProblemKind::kBadImage,
        fmt::format("A raw image of {} bytes cannot be of a disk of {} bytes, as the manifest says.", entry_.size,
                    disk.virtual_size));
  }
  return {};
}

}  // namespace

Result<CheckedFile> verify_file(const PackageFolder& folder, const FileEntry& entry, const DiskEntry* disk,
                                std::stop_token stop, const std::function<void(std::uint64_t)>& on_read) {
  const auto fd = folder.open_file(entry.file);
  if (!fd) return CheckedFile{{cannot_read(entry, fd.error())}, 0};
  const auto size = size_of(*fd, entry.file);
  if (!size) return CheckedFile{{cannot_read(entry, size.error())}, 0};
  FileCheck check(entry, std::move(stop));
  if (*size != entry.size) {
    // The hash of a file of another length is another one; it could take forever to say so.
    check.add(ProblemKind::kWrongSize, fmt::format("The file has {} bytes; the manifest says {}.", *size, entry.size));
  } else {
    COHORT_TRY(check.check_hash(*fd, on_read));
  }
  if (disk != nullptr) COHORT_TRY(check.check_disk(*fd, *disk));
  return std::move(check).result();
}

Result<UniqueFd> open_entry(const PackageFolder& folder, const FileEntry& entry, const DiskEntry* disk) {
  const auto not_whole = [&](const Problem& found) {
    return fail(ErrorCode::kCorrupt, "The package \"{}\" is not whole: {}: {} `cohort verify` names all problems.",
                folder.path().string(), found.file, found.message);
  };
  auto fd = folder.open_file(entry.file);
  if (!fd) {
    const Problem found = cannot_read(entry, fd.error());
    return found.kind == ProblemKind::kUnreadable ? Failure{fd.error()} : not_whole(found);
  }
  if (disk == nullptr || disk->format != "qcow2") return fd;
  const auto header = disk::read_qcow2_header(fd->get(), entry.file);
  if (!header) return Failure{header.error()};
  if (const auto found = check_head(*disk, *header)) return not_whole(*found);
  return fd;
}

}  // namespace cohort::package
