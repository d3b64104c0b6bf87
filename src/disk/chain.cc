#include "disk/chain.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/big_endian.h"
#include "disk/file_bytes.h"
#include "disk/qcow2_bounds.h"

namespace cohort::disk {
namespace {

// More than anyone has; a chain that is longer goes in a circle.
constexpr std::size_t kMaxLayers = 200;

bool is_format_name(std::string_view format) {
  return !format.empty() && std::ranges::all_of(format, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Result<bool> is_block_device(int fd, const Path& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    const int number = errno;
    return Failure{system_error(number, fmt::format("\"{}\" cannot be looked at.", path.string()))};
  }
  if (S_ISBLK(info.st_mode)) return true;
  if (S_ISREG(info.st_mode)) return false;
  return fail(ErrorCode::kUnsupported, "\"{}\" is neither a file nor a block device.", path.string());
}

// What to do with a qcow2 image whose features are not known here.
enum class Unknown { kRefused, kLeftToQemu };

Failure encrypted(const Path& path) {
  return fail(ErrorCode::kUnsupported, "\"{}\" is an encrypted image; these cannot be copied.", path.string());
}

Failure marked_corrupt(const Path& path) {
  return fail(ErrorCode::kCorrupt, "\"{}\" is marked as corrupt by QEMU: repair it with qemu-img check -r.",
              path.string());
}

Result<void> check_header(int fd, const Qcow2Header& header, const Path& path, const std::stop_token& stop) {
  if (header.is_encrypted) return encrypted(path);
  if (header.is_marked_corrupt) return marked_corrupt(path);
  return check_qcow2_bounds(fd, header, path.string(), stop);
}

// Where the header is not known here, QEMU reads the image, and would follow what it names by itself: with formats that
// it guesses, and without our locks.
Result<void> check_unknown_header(int fd, const Path& path) {
  constexpr std::size_t kBackingOffset = 8;
  constexpr std::size_t kFeatures = 72;
  constexpr std::uint64_t kMarkedCorrupt = 2;
  COHORT_ASSIGN(const std::string head, read_at(fd, 0, kFeatures + sizeof(std::uint64_t), path.string()));
  const bool is_whole = head.size() == kFeatures + sizeof(std::uint64_t);
  if (!is_whole) return fail(ErrorCode::kCorrupt, "\"{}\" ends within its header.", path.string());
  if ((big_endian<std::uint64_t>(head, kFeatures) & kMarkedCorrupt) != 0) return marked_corrupt(path);
  if (big_endian<std::uint64_t>(head, kBackingOffset) == 0) return {};
  return fail(ErrorCode::kUnsupported,
              "\"{}\" has qcow2 features that are not known here, and stands on another image: convert it with "
              "qemu-img convert.",
              path.string());
}

Result<ChainLayer> read_layer(const Path& path, const std::string& format, const std::stop_token& stop,
                              Unknown unknown) {
  if (!is_format_name(format)) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not the name of an image format.", format);
  }
  COHORT_ASSIGN(const UniqueFd fd, open_image(path));
  ChainLayer layer{path, format, false, std::nullopt};
  COHORT_ASSIGN(layer.is_block_device, is_block_device(fd.get(), path));
  if (format == "luks") return encrypted(path);
  if (format != "qcow2") return layer;
  auto header = read_qcow2_header(fd.get(), path.string());
  const bool is_unknown = !header && header.error().code == ErrorCode::kUnsupported;
  if (is_unknown && unknown == Unknown::kLeftToQemu) {
    COHORT_TRY(check_unknown_header(fd.get(), path));
    return layer;
  }
  COHORT_ASSIGN(layer.header, std::move(header));
  COHORT_TRY(check_header(fd.get(), *layer.header, path, stop));
  return layer;
}

// QEMU looks for a relative name in the folder that it was started in, so that it may be one file today and another one
// tomorrow.
Result<void> check_data_file(const ChainLayer& layer) {
  if (!layer.header || !layer.header->data_file) return {};
  const std::string& name = *layer.header->data_file;
  if (has_protocol(name) || Path(name).is_absolute()) return {};
  return fail(ErrorCode::kInvalidState,
              "\"{}\" names its external data file \"{}\" without its folder: record the whole path with "
              "qemu-img amend -o data_file=…, in that folder.",
              layer.path.string(), name);
}

Result<ChainLayer> read_named_layer(const Path& path, const std::string& format, const std::stop_token& stop) {
  COHORT_ASSIGN(ChainLayer layer, read_layer(path, format, stop, Unknown::kLeftToQemu));
  COHORT_TRY(check_data_file(layer));
  return layer;
}

Result<std::string> guess_format(const Path& path) {
  COHORT_ASSIGN(const UniqueFd fd, open_image(path));
  COHORT_TRY(is_block_device(fd.get(), path));
  COHORT_ASSIGN(const std::string head, read_at(fd.get(), 0, 4, path.string()));
  if (!is_qcow2_magic(head)) return "raw";
  COHORT_ASSIGN(const Qcow2Header header, read_qcow2_header(fd.get(), path.string()));
  if (!header.backing_file && !header.has_data_file) return "qcow2";
  return fail(ErrorCode::kInvalidState,
              "\"{}\" is a backing file of unrecorded format that names further files: record its format with "
              "qemu-img rebase -u -F.",
              path.string());
}

Result<ChainLayer> read_backing(const ChainLayer& layer, const std::stop_token& stop) {
  const Path path = layer.path.parent_path() / Path(*layer.header->backing_file);
  if (layer.header->backing_format) return read_named_layer(path, *layer.header->backing_format, stop);
  COHORT_ASSIGN(const std::string format, guess_format(path));
  return read_named_layer(path, format, stop);
}

// QemuOpts end a value at a comma, unless it is doubled.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) result.append(c == ',' ? 2 : 1, c);
  return result;
}

}  // namespace

bool has_protocol(std::string_view name) {
  const std::size_t colon = name.find_first_of(":/");
  return colon != std::string_view::npos && name[colon] == ':';
}

Path absolute_path(const Path& path) {
  std::error_code code;
  Path result = std::filesystem::absolute(path, code);
  return code ? path : result;
}

Result<Chain> read_chain(const Path& top, const std::string& format, const std::stop_token& stop) {
  Chain chain;
  COHORT_ASSIGN(ChainLayer layer, read_named_layer(absolute_path(top), format, stop));
  chain.layers.push_back(std::move(layer));
  while (chain.layers.back().header && chain.layers.back().header->backing_file) {
    if (has_protocol(*chain.layers.back().header->backing_file)) {
      chain.goes_on = true;
      return chain;
    }
    if (chain.layers.size() == kMaxLayers) {
      return fail(ErrorCode::kCorrupt, "\"{}\" has more than {} backing files, or they go in a circle.", top.string(),
                  kMaxLayers);
    }
    auto backing = read_backing(chain.layers.back(), stop);
    if (!backing) {
      return Failure{std::move(backing).error().with_context(
          fmt::format("following the backing file of \"{}\"", chain.layers.back().path.string()))};
    }
    chain.layers.push_back(*std::move(backing));
  }
  return chain;
}

Result<Chain> listed_chain(const ListedImages& images, const std::stop_token& stop) {
  Chain chain;
  for (const auto& [path, format] : images) {
    COHORT_ASSIGN(ChainLayer layer, read_layer(absolute_path(path), format, stop, Unknown::kRefused));
    if (layer.header && layer.header->has_data_file) {
      return fail(ErrorCode::kCorrupt, "\"{}\" keeps its data in another file.", path.string());
    }
    chain.layers.push_back(std::move(layer));
  }
  return chain;
}

std::string image_options(const Chain& chain) {
  std::string options;
  std::string prefix;
  for (const auto& layer : chain.layers) {
    if (!options.empty()) options += ',';
    options += fmt::format("{0}driver={1},{0}file.driver={2},{0}file.filename={3}", prefix, layer.format,
                           layer.is_block_device ? "host_device" : "file", escaped(layer.path.native()));
    prefix += "backing.";
  }
  return options;
}

}  // namespace cohort::disk
