#include <algorithm>

#include "base/utf8.h"
#include "package/manifest.h"

namespace cohort::package {
namespace {

constexpr std::size_t kMaxBytes = 1024;
constexpr std::size_t kMaxPartBytes = 255;
constexpr std::size_t kMaxParts = 8;

bool is_forbidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || c == '\\';
}

bool is_safe_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && part.size() <= kMaxPartBytes;
}

std::ptrdiff_t parts_of(std::string_view path) { return std::ranges::count(path, '/') + 1; }

}  // namespace

bool is_safe_path(std::string_view path) {
  if (path.size() > kMaxBytes || std::ranges::any_of(path, is_forbidden) || !is_utf8(path)) return false;
  for (std::size_t parts = 1; parts <= kMaxParts; ++parts) {
    const std::size_t slash = path.find('/');
    if (!is_safe_part(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
  return false;
}

bool is_parent_path(std::string_view path) {
  constexpr std::string_view kUp = "../";
  constexpr std::ptrdiff_t kMaxEach = 3;
  std::ptrdiff_t ups = 0;
  for (; path.starts_with(kUp); path.remove_prefix(kUp.size())) ++ups;
  return ups >= 1 && ups <= kMaxEach && is_safe_path(path) && parts_of(path) <= kMaxEach;
}

}  // namespace cohort::package
