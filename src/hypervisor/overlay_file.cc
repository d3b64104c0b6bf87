#include "hypervisor/overlay_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/big_endian.h"
#include "base/file.h"
#include "base/image_lock_bytes.h"
#include "base/process.h"
#include "hypervisor/qemu_img_error.h"

namespace cohort::hypervisor {
namespace {

// The start of a qcow2 header (QEMU's docs/interop/qcow2.txt).
constexpr std::string_view kMagic("QFI\xfb", 4);
constexpr std::size_t kVersionOffset = 4;         // 32 bits
constexpr std::size_t kTableLengthOffset = 36;    // l1_size, 32 bits: entries of 8 bytes
constexpr std::size_t kTableOffset = 40;          // l1_table_offset, 64 bits
constexpr std::size_t kSnapshotCountOffset = 60;  // nb_snapshots, 32 bits
constexpr std::size_t kIncompatibleOffset = 72;   // incompatible_features, 64 bits, from version 3 on
constexpr std::uint64_t kDirty = 1;               // of these: "refcounts may be inconsistent"
using HeaderStart = std::array<char, 80>;

Error errno_error(std::string_view what, const Path& path) {
  const int number = errno;
  return system_error(number, fmt::format("The overlay \"{}\" cannot be {}.", path.string(), what));
}

// Nothing if the file is empty. Zeros follow what is shorter than a header.
Result<std::optional<HeaderStart>> read_header_start(const Path& path) {
  COHORT_ASSIGN(const UniqueFd fd, open_readonly(path));
  HeaderStart start{};
  const ssize_t count = ::pread(fd.get(), start.data(), start.size(), 0);
  if (count < 0) return Failure{errno_error("read", path)};
  if (count == 0) return std::nullopt;
  return start;
}

std::string_view text_of(const HeaderStart& start) { return {start.data(), start.size()}; }

bool has_magic(const HeaderStart& start) { return text_of(start).starts_with(kMagic); }

// True if any part of the disk has a place in this file: an image that was never written to has an empty first table.
Result<bool> has_content(const Path& path, const HeaderStart& start) {
  COHORT_ASSIGN(const UniqueFd fd, open_readonly(path));
  auto offset = big_endian<std::uint64_t>(text_of(start), kTableOffset);
  const std::uint64_t end = offset + 8 * std::uint64_t{big_endian<std::uint32_t>(text_of(start), kTableLengthOffset)};
  std::array<char, 4096> part{};
  while (offset < end) {
    const std::size_t wanted = std::min<std::uint64_t>(part.size(), end - offset);
    const ssize_t count = ::pread(fd.get(), part.data(), wanted, static_cast<off_t>(offset));
    if (count < 0) return Failure{errno_error("read", path)};
    if (count == 0) return false;  // it ends before its table: nothing was ever entered there
    if (std::any_of(part.begin(), part.begin() + count, [](char byte) { return byte != 0; })) return true;
    offset += static_cast<std::uint64_t>(count);
  }
  return false;
}

// Whether a QEMU that kept its reference counts lazily has not ended in order.
Result<bool> is_unclean(const Layer& image) {
  if (image.format != "qcow2") return false;
  COHORT_ASSIGN(const auto start, read_header_start(image.path));
  if (!start || !has_magic(*start)) return false;
  const auto version = big_endian<std::uint32_t>(text_of(*start), kVersionOffset);
  return version >= 3 && (big_endian<std::uint64_t>(text_of(*start), kIncompatibleOffset) & kDirty) != 0;
}

// As the next start of the machine would. Once it is frozen nobody may, and qemu-img commits nothing into an image that
// stands on an unclean one.
Result<void> put_in_order(const Layer& image) {
  COHORT_ASSIGN(const bool needs_it, is_unclean(image));
  if (!needs_it) return {};
  COHORT_ASSIGN(const bool is_used, is_written_to(image.path));
  if (is_used) return {};  // its QEMU does it when the image is frozen
  COHORT_ASSIGN(const ProcessOutput output,
                run_process({"qemu-img", "check", "-q", "-r", "all", "-f", "qcow2", "--", image.path.string()}));
  COHORT_ASSIGN(const bool is_as_before, is_unclean(image));
  if (!is_as_before) return {};
  return Failure{qemu_img_error(
      fmt::format("The image \"{}\" was not closed in order, and cannot be repaired.", image.path.string()),
      output.err)};
}

// O_EXCL, so that qemu-img, which truncates what it finds, only ever meets our own empty file. The owner is that of the
// frozen file beside it: with dynamic_ownership off nobody else would let QEMU in. A file elsewhere is of a package: it
// may be a stranger's, who must not be able to write what QEMU opens.
Result<void> reserve(const DiskSnapshot& disk) {
  const UniqueFd fd(::open(disk.overlay.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.is_open()) return Failure{errno_error("created", disk.overlay)};
  if (disk.overlay.parent_path() != disk.frozen.path.parent_path()) return {};
  struct stat frozen {};
  if (::stat(disk.frozen.path.c_str(), &frozen) != 0) return Failure{errno_error("given an owner", disk.overlay)};
  // Without the right to give files away it stays ours, which then is right.
  static_cast<void>(::fchown(fd.get(), frozen.st_uid, frozen.st_gid) == 0);
  return {};
}

Result<void> format_overlay(const DiskSnapshot& disk) {
  COHORT_ASSIGN(const ProcessOutput output,
                run_process({"qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", disk.frozen.path.string(), "-F",
                             disk.frozen.format, "--", disk.overlay.string(), std::to_string(disk.virtual_size)}));
  if (output.exit_status != 0) {
    return Failure{
        qemu_img_error(fmt::format("The overlay \"{}\" cannot be created.", disk.overlay.string()), output.err)};
  }
  COHORT_TRY(sync_file(disk.overlay));
  return sync_directory(disk.overlay.parent_path());
}

}  // namespace

Result<void> create_overlay_file(const DiskSnapshot& disk) {
  if (!disk.overlay.is_absolute() || !disk.frozen.path.is_absolute()) {
    return fail(ErrorCode::kInvalidArgument, "The paths \"{}\" and \"{}\" must be absolute.", disk.overlay.string(),
                disk.frozen.path.string());
  }
  // What has a stamp is frozen already, and is not touched any more.
  if (!disk.stamp) COHORT_TRY(put_in_order(disk.frozen));
  COHORT_TRY(reserve(disk));
  auto formatted = format_overlay(disk);
  // The first failure is the one to report.
  if (!formatted) static_cast<void>(remove_file(disk.overlay));
  return formatted;
}

Result<void> check_no_internal_snapshot(const DiskSnapshot& disk) {
  COHORT_ASSIGN(const auto start, read_header_start(disk.overlay));
  if (!start || !has_magic(*start)) {
    return fail(ErrorCode::kInvalidState, "\"{}\" is not a qcow2 image, so it is not the overlay that was made.",
                disk.overlay.string());
  }
  const auto snapshots = big_endian<std::uint32_t>(text_of(*start), kSnapshotCountOffset);
  if (snapshots == 0) return {};
  return fail(ErrorCode::kInvalidState,
              "The overlay \"{}\" of {} holds {} internal snapshot(s) that a merge would lose. Delete them first "
              "(virsh snapshot-delete, or qemu-img snapshot -d).",
              disk.overlay.string(), disk.target, snapshots);
}

Result<bool> holds_more_than_frozen(const DiskSnapshot& disk, std::stop_token stop) {
  const auto start = read_header_start(disk.overlay);
  if (!start && start.error().code == ErrorCode::kNotFound) return false;
  COHORT_TRY(start);
  if (!*start || !has_magic(**start)) return false;
  COHORT_ASSIGN(const bool is_written, has_content(disk.overlay, **start));
  if (!is_written) return false;
  COHORT_ASSIGN(const ProcessOutput output,
                run_process({"qemu-img", "compare", "-q", "-U", "-f", "qcow2", "-F", disk.frozen.format, "--",
                             disk.overlay.string(), disk.frozen.path.string()},
                            std::move(stop)));
  if (output.exit_status == 0 || output.exit_status == 1) return output.exit_status == 1;
  return Failure{qemu_img_error(fmt::format("The overlay \"{}\" cannot be compared with \"{}\".", disk.overlay.string(),
                                            disk.frozen.path.string()),
                                output.err)};
}

Result<void> remove_overlay_file(const Path& overlay) {
  const auto start = read_header_start(overlay);
  if (!start && start.error().code == ErrorCode::kNotFound) return {};
  COHORT_TRY(start);
  if (*start && !has_magic(**start)) {
    return fail(ErrorCode::kInvalidState,
                "\"{}\" is not a qcow2 image, so it is not the overlay that was made: it is left as it is.",
                overlay.string());
  }
  COHORT_ASSIGN(const WriteBarrier barrier, WriteBarrier::raise(overlay));
  COHORT_TRY(remove_file(overlay));
  return sync_directory(overlay.parent_path());
}

Result<bool> is_written_to(const Path& image) {
  const UniqueFd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open() && errno == ENOENT) return false;
  if (!fd.is_open()) return Failure{errno_error("opened", image)};
  struct flock used = lock_of_byte(F_WRLCK, byte_of_holders(ImagePermission::kWrite));
  if (::fcntl(fd.get(), F_OFD_GETLK, &used) != 0) return Failure{errno_error("asked for its locks", image)};
  return used.l_type != F_UNLCK;
}

Result<void> check_nobody_writes(const Path& image, const std::string& target, const std::string& machine) {
  COHORT_ASSIGN(const bool is_written, is_written_to(image));
  if (!is_written) return {};
  return fail(
      ErrorCode::kInUse,
      "A program writes to \"{}\" of the disk {} of \"{}\", which is off as libvirt sees it. If it is this machine's "
      "QEMU, libvirt has lost it: ask it which files its disks stand on (query-block over the monitor.sock "
      "below /var/lib/libvirt/qemu), end it with SIGTERM, and define the machine on those files before you "
      "start it.",
      image.string(), target, machine);
}

Result<WriteBarrier> WriteBarrier::raise(const Path& image) {
  UniqueFd fd(::open(image.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.is_open()) return Failure{errno_error("opened", image)};
  struct flock not_shared = lock_of_byte(F_RDLCK, byte_of_forbidders(ImagePermission::kWrite));
  struct flock used = lock_of_byte(F_WRLCK, byte_of_holders(ImagePermission::kWrite));
  // First forbid, then look: the other order would let one slip through between.
  if (::fcntl(fd.get(), F_OFD_SETLK, &not_shared) != 0 || ::fcntl(fd.get(), F_OFD_GETLK, &used) != 0) {
    return Failure{errno_error("locked", image)};
  }
  if (used.l_type != F_UNLCK) {
    return fail(ErrorCode::kInUse, "The image \"{}\" is being written to by another program.", image.string());
  }
  return WriteBarrier(std::move(fd));
}

}  // namespace cohort::hypervisor
