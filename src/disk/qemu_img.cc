#include "disk/qemu_img.h"

#include <array>

namespace cohort::disk {
namespace {

struct Meaning {
  std::string_view words;
  ErrorCode code;
  std::string_view advice;
};

// In order of weight: the first that occurs counts.
constexpr std::string_view kTooNew =
    "The image has a feature that this host's QEMU does not know either: upgrade QEMU, or convert the image with one "
    "that "
    "knows it (qemu-img convert).";
constexpr std::array<Meaning, 15> kMeanings{{
    {"No space left on device", ErrorCode::kNoSpace, "The file system of the target is full."},
    {"Disk quota exceeded", ErrorCode::kNoSpace, "The quota on the target's file system is used up."},
    {"File too large", ErrorCode::kNoSpace, "The target's file system does not allow files of this size."},
    {"Failed to get ", ErrorCode::kInUse, "Another program has an image open: wait until it is done."},
    {"Permission denied", ErrorCode::kPermission, "The operating system refused access."},
    {"Operation not permitted", ErrorCode::kPermission, "The operating system refused access."},
    {"Read-only file system", ErrorCode::kPermission, "The file system is read-only."},
    {"No such file or directory", ErrorCode::kNotFound, "A file is not there."},
    {"Unknown driver", ErrorCode::kUnsupported, "QEMU does not know the image's format."},
    {"Unsupported qcow2 feature", ErrorCode::kUnsupported, kTooNew},
    {"Unsupported qcow2 version", ErrorCode::kUnsupported, kTooNew},
    {"unknown compression type", ErrorCode::kUnsupported, kTooNew},
    {"Input/output error", ErrorCode::kIo, "Reading or writing failed: see the kernel's log for the cause."},
    {"not in qcow2 format", ErrorCode::kCorrupt, "The image is damaged."},
    {"is corrupt", ErrorCode::kCorrupt, "The image is damaged."},
}};

// "Is another process using the image [/x]?" names the file that is held.
std::string held_file(std::string_view words) {
  constexpr std::string_view kBegin = "Is another process using the image [";
  const std::size_t begin = words.find(kBegin);
  const std::size_t end = words.rfind("]?");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
  return std::string(words.substr(begin + kBegin.size(), end - begin - kBegin.size()));
}

std::string trimmed(std::string_view words) {
  std::string text(words.substr(0, 4096));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

std::string advice_for(const Meaning& meaning, std::string_view words) {
  const std::string file = meaning.code == ErrorCode::kInUse ? held_file(words) : "";
  if (file.empty()) return std::string(meaning.advice);
  return fmt::format("Another program writes to \"{}\": wait until it is done.", file);
}

}  // namespace

Error qemu_img_error(std::string_view words, const std::string& what) {
  for (const auto& meaning : kMeanings) {
    if (words.find(meaning.words) != std::string_view::npos) {
      return Error{meaning.code, fmt::format("{} failed. {}", what, advice_for(meaning, words)), trimmed(words), {}};
    }
  }
  return Error{ErrorCode::kIo, fmt::format("{} failed.", what), trimmed(words), {}};
}

Result<std::string> run_qemu_img(const std::vector<std::string>& arguments, const std::string& what,
                                 std::stop_token stop, const std::function<void(std::string_view)>& on_output) {
  std::vector<std::string> argv{"qemu-img"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  COHORT_ASSIGN(ProcessOutput output, run_process(argv, std::move(stop), on_output));
  if (output.exit_status == 0) return std::move(output.out);
  if (output.exit_status > 128) {
    return fail(ErrorCode::kIo, "{} failed: qemu-img was ended by signal {}.", what, output.exit_status - 128);
  }
  return Failure{qemu_img_error(output.err, what)};
}

}  // namespace cohort::disk
