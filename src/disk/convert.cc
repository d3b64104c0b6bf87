#include "disk/convert.h"

#include <algorithm>
#include <charconv>

#include "disk/chain.h"
#include "disk/file_bytes.h"
#include "disk/hash_target.h"
#include "disk/new_file.h"
#include "disk/qcow2_header.h"
#include "disk/qemu_img.h"

namespace cohort::disk {
namespace {

// The part of the progress that is qemu-img's; the rest is hashing. Measured from a warm cache, when copying is
// fastest, they take about the same time.
constexpr double kConvertShare = 0.6;

// Out of order (-W), many requests at once (-m): several times as fast as in order; the target is hashed after. The
// target's cache mode is qemu-img's default "unsafe", which does not sync: that is done here, with its outcome seen.
std::vector<std::string> convert_arguments(const ConvertRequest& request, const Chain& chain) {
  std::vector<std::string> arguments{"convert", "-p", "-W", "-m", "8", "-O", request.target_format};
  if (request.rate_limit != 0) {
    arguments.insert(arguments.end(), {"-r", fmt::format("{}", request.rate_limit)});
  }
  arguments.insert(arguments.end(), {"--image-opts", image_options(chain), absolute_path(request.target).native()});
  return arguments;
}

// Puts the pieces of qemu-img's progress together again.
class ProgressReader {
 public:
  explicit ProgressReader(const std::function<void(double)>& on_fraction) : on_fraction_(on_fraction) {}
  void operator()(std::string_view piece) {
    tail_ += piece;
    const double fraction = parse_progress(tail_);
    if (fraction >= 0 && on_fraction_) on_fraction_(fraction * kConvertShare);
    constexpr std::size_t kLongestReport = 32;
    if (tail_.size() > kLongestReport) tail_.erase(0, tail_.size() - kLongestReport);
  }

 private:
  const std::function<void(double)>& on_fraction_;
  std::string tail_;
};

Result<std::string> hash_target(const Path& target, std::uint64_t size, const std::stop_token& stop,
                                const std::function<void(double)>& on_fraction) {
  std::uint64_t done = 0;
  return hash_and_sync(target, stop, [&](std::uint64_t bytes) {
    done += bytes;
    const double share = static_cast<double>(done) / static_cast<double>(std::max<std::uint64_t>(size, 1));
    if (on_fraction) on_fraction(kConvertShare + (1 - kConvertShare) * std::min(share, 1.0));
  });
}

Result<std::uint64_t> virtual_size_of(int fd, const ConvertRequest& request, std::uint64_t file_size) {
  if (request.target_format == "raw") return file_size;
  COHORT_ASSIGN(const Qcow2Header header, read_qcow2_header(fd, request.target.string()));
  return header.virtual_size;
}

}  // namespace

double parse_progress(std::string_view output) {
  const std::size_t end = output.rfind("/100%)");
  if (end == std::string_view::npos) return -1;
  const std::size_t begin = output.rfind('(', end);
  if (begin == std::string_view::npos) return -1;
  double percent = 0;
  const auto read = std::from_chars(output.data() + begin + 1, output.data() + end, percent);
  if (read.ec != std::errc{} || read.ptr != output.data() + end) return -1;
  return std::clamp(percent / 100, 0.0, 1.0);
}

Result<ConvertedImage> convert_image(const ConvertRequest& request, std::stop_token stop,
                                     const std::function<void(double)>& on_fraction) {
  if (request.target_format != "qcow2" && request.target_format != "raw") {
    return fail(ErrorCode::kUnsupported, "Images can be written as qcow2 or raw, not as \"{}\".",
                request.target_format);
  }
  COHORT_ASSIGN(const Chain chain, read_chain(request.source, request.source_format));
  // Made here, so that it is new and private from the beginning; qemu-img writes into the file that is there.
  COHORT_ASSIGN(NewFile target, NewFile::create(request.target));
  ProgressReader progress(on_fraction);
  COHORT_TRY(run_qemu_img(convert_arguments(request, chain), fmt::format("Copying \"{}\"", request.source.string()),
                          stop, [&](std::string_view piece) { progress(piece); }));
  ConvertedImage image;
  COHORT_ASSIGN(image.file_size, length_of(target.descriptor(), request.target.string()));
  COHORT_ASSIGN(image.virtual_size, virtual_size_of(target.descriptor(), request, image.file_size));
  COHORT_ASSIGN(image.sha256, hash_target(request.target, image.file_size, stop, on_fraction));
  target.keep();
  return image;
}

}  // namespace cohort::disk
