#include "disk/measure.h"

#include <charconv>

#include "disk/chain.h"
#include "disk/qemu_img.h"

namespace cohort::disk {
namespace {

Result<std::uint64_t> number_after(std::string_view text, std::string_view label) {
  std::uint64_t number = 0;
  const std::size_t begin = text.find(label);
  if (begin != std::string_view::npos) {
    const char* first = text.data() + begin + label.size();
    if (std::from_chars(first, text.data() + text.size(), number).ec == std::errc{}) return number;
  }
  return fail(ErrorCode::kInternal, "qemu-img measure did not answer as it should.");
}

// For raw, QEMU gives the whole virtual size. What is allocated is found by asking for qcow2, whose tables take a
// little more than the same data as raw. Without locks (-U): a backup is planned while the machines still write.
Result<std::uint64_t> measure_as_qcow2(const Chain& chain, const Path& source, const std::stop_token& stop) {
  COHORT_ASSIGN(const std::string answer,
                run_qemu_img({"measure", "-U", "--image-opts", "-O", "qcow2", image_options(chain)},
                             fmt::format("Measuring \"{}\"", source.string()), stop));
  return number_after(answer, "required size: ");
}

}  // namespace

Result<std::uint64_t> measure_image(const Path& source, const std::string& source_format,
                                    const std::string& target_format, const std::stop_token& stop) {
  if (target_format != "qcow2" && target_format != "raw") {
    return fail(ErrorCode::kUnsupported, "Images can be written as qcow2 or raw, not as \"{}\".", target_format);
  }
  COHORT_ASSIGN(const Chain chain, read_chain(source, source_format, stop));
  return measure_as_qcow2(chain, source, stop);
}

}  // namespace cohort::disk
