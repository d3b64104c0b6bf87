#include "disk/check.h"

#include "disk/chain.h"
#include "disk/qemu_img.h"

namespace cohort::disk {
namespace {

// The exit statuses of qemu-img check (its manual page).
constexpr int kClean = 0;
constexpr int kFailed = 1;
constexpr int kCorruptions = 2;
constexpr int kLeaks = 3;

// What it says of each fault and in sum, without the lines on how full the image is.
std::string first_lines(const ProcessOutput& output) {
  constexpr std::size_t kEnough = 1000;
  std::string words = output.err + output.out;
  if (words.size() > kEnough) words.resize(kEnough);
  while (!words.empty() && words.back() == '\n') words.pop_back();
  for (char& c : words) {
    if (c == '\n') c = ' ';
  }
  return words;
}

// The storage failed, not the image. What qemu-img says of other failures to open one is mostly about its content.
bool is_unread(const ProcessOutput& output) { return output.err.find("Input/output error") != std::string::npos; }

std::string json_text(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20;
    if (c == '"' || c == '\\') json += '\\';
    json += is_control ? fmt::format("\\u{:04x}", static_cast<int>(c)) : std::string(1, c);
  }
  return json + "\"";
}

// No other way to say that a backing file is not to be opened is free of warnings.
std::string name_without_backing(const Path& image, const std::string& format) {
  return fmt::format(R"(json:{{"driver":"{}","file":{{"driver":"file","filename":{}}},"backing":null}})", format,
                     json_text(absolute_path(image).native()));
}

}  // namespace

Result<void> check_image(const Path& image, const std::string& format, std::stop_token stop) {
  if (format != "qcow2") return {};
  COHORT_ASSIGN(const ProcessOutput output,
                run_process({"qemu-img", "check", name_without_backing(image, format)}, std::move(stop)));
  std::string_view verdict = "cannot be read as an image";
  switch (output.exit_status) {
    case kClean:
      return {};
    case kFailed:
      if (Error error = qemu_img_error(output.err, fmt::format("Checking \"{}\"", image.string()));
          error.code != ErrorCode::kCorrupt && (error.code != ErrorCode::kIo || is_unread(output))) {
        return Failure{std::move(error)};
      }
      break;
    case kCorruptions:
      verdict = "is damaged";
      break;
    case kLeaks:
      verdict = "has clusters that nothing refers to";
      break;
    default:
      break;
  }
  return Failure{Error{
      ErrorCode::kCorrupt, fmt::format("The image \"{}\" {}.", image.string(), verdict), first_lines(output), {}}};
}

}  // namespace cohort::disk
