#include "hypervisor/image_chain.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "base/process.h"

namespace cohort::hypervisor {
namespace {

using Json = nlohmann::json;

std::string text_or_empty(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Layer> parse_layer(const Json& image) {
  if (!image.is_object()) return fail(ErrorCode::kCorrupt, "qemu-img describes an image in an unknown way.");
  std::string name = text_or_empty(image, "filename");
  if (name.starts_with("file:")) name.erase(0, 5);
  if (!name.starts_with('/')) {
    return fail(ErrorCode::kUnsupported, "The image \"{}\" is not a local file with an absolute path.", name);
  }
  return Layer{name, text_or_empty(image, "format")};
}

bool is_encrypted(const Json& image) {
  const auto found = image.find("encrypted");
  return text_or_empty(image, "format") == "luks" ||
         (found != image.end() && found->is_boolean() && found->get<bool>());
}

}  // namespace

Result<ImageChain> read_image_chain(const Layer& top) {
  COHORT_ASSIGN(const ProcessOutput output, run_process({"qemu-img", "info", "-U", "--backing-chain", "--output=json",
                                                         "-f", top.format, "--", top.path.string()}));
  if (output.exit_status != 0) {
    return Failure{Error{ErrorCode::kIo,
                         fmt::format("The image \"{}\" or one of its backing files cannot be read.", top.path.string()),
                         output.err,
                         {}}};
  }
  return parse_image_chain(output.out);
}

Result<ImageChain> parse_image_chain(std::string_view json) {
  const Json images = Json::parse(json, nullptr, false);
  if (!images.is_array() || images.empty()) {
    return fail(ErrorCode::kCorrupt, "qemu-img describes a chain of images in an unknown way.");
  }
  ImageChain chain;
  for (const Json& image : images) {
    COHORT_ASSIGN(Layer layer, parse_layer(image));
    chain.layers.push_back(std::move(layer));
    chain.is_encrypted = chain.is_encrypted || is_encrypted(image);
  }
  const auto size = images.front().find("virtual-size");
  if (size == images.front().end() || !size->is_number_unsigned()) {
    return fail(ErrorCode::kCorrupt, "qemu-img does not tell the size of \"{}\".", chain.layers.front().path.string());
  }
  chain.virtual_size = size->get<std::uint64_t>();
  return chain;
}

bool is_same_file(const Path& a, const Path& b) {
  std::error_code ignored;
  return a == b || std::filesystem::equivalent(a, b, ignored);
}

bool is_in(const Chain& chain, const Path& file) {
  return std::any_of(chain.begin(), chain.end(), [&](const Layer& layer) { return is_same_file(layer.path, file); });
}

Place place_of(const DiskSnapshot& disk, const Chain& chain) {
  const auto overlay = std::find_if(chain.begin(), chain.end(),
                                    [&](const Layer& layer) { return is_same_file(layer.path, disk.overlay); });
  if (overlay == chain.end()) {
    return {is_in(chain, disk.frozen.path) ? Standing::kWithout : Standing::kOtherwise, 0};
  }
  const auto below = std::next(overlay);
  if (below == chain.end() || !is_same_file(below->path, disk.frozen.path)) return {};
  return {Standing::kOnFrozen, static_cast<std::size_t>(overlay - chain.begin())};
}

}  // namespace cohort::hypervisor
