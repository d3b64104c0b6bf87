#include "base/sha256.h"
#include "package/layout.h"
#include "package/writer.h"

namespace cohort::package {
namespace {

// As coreutils' sha256sum writes it: a name with a backslash, newline or carriage return is escaped, and a backslash
// before the hash says so.
std::string line_for(std::string_view hash, std::string_view file) {
  std::string name;
  for (const char c : file) {
    if (c == '\\') {
      name += "\\\\";
    } else if (c == '\n') {
      name += "\\n";
    } else if (c == '\r') {
      name += "\\r";
    } else {
      name += c;
    }
  }
  return fmt::format("{}{}  {}\n", name == file ? "" : "\\", hash, name);
}

}  // namespace

std::string format_hash_list(const Manifest& manifest, std::string_view manifest_text) {
  std::string list = line_for(Sha256::of(manifest_text), kManifestName);
  for (const auto* entry : manifest.files()) {
    if (!entry->sha256.empty()) list += line_for(entry->sha256, entry->file);
  }
  return list;
}

}  // namespace cohort::package
