#include "package/layout.h"

#include "base/sha256.h"
#include "base/utf8.h"

namespace cohort::package {
namespace {

// File systems take 255 bytes; some room is left for a suffix while copying.
constexpr std::size_t kMaxFileName = 240;

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7f && c != '/' && c != '\\';
}

// At most `size` bytes, whole characters only.
std::string_view cut(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  return text.substr(0, size);
}

// What can be a part of a file name, short enough. A changed name gets a part of the original's hash, so that two
// machines cannot meet in one file.
std::string file_name_of(std::string_view name, std::size_t size) {
  std::string plain;
  const bool is_text = is_utf8(name);
  for (const char c : name) plain += is_plain(c) && (is_text || static_cast<unsigned char>(c) < 0x80) ? c : '_';
  if (plain == name && plain.size() <= size) return plain;
  constexpr std::size_t kHashDigits = 8;
  return std::string(cut(plain, size - kHashDigits - 1)) + "~" + Sha256::of(name).substr(0, kHashDigits);
}

}  // namespace

std::string configuration_file(const MachineId& machine) {
  return fmt::format("{}/{}.xml", kMachinesFolder, machine.str());
}

std::string nvram_file(const MachineId& machine) { return fmt::format("{}/{}.nvram", kMachinesFolder, machine.str()); }

std::string tpm_file(const MachineId& machine, std::string_view name) {
  return fmt::format("{}/{}.tpm/{}", kMachinesFolder, machine.str(), name);
}

std::string disk_file(std::string_view machine_name, std::string_view target, std::string_view format) {
  const std::string suffix = fmt::format("-{}.{}", file_name_of(target, 32), file_name_of(format, 32));
  return fmt::format("{}/{}{}", kDisksFolder, file_name_of(machine_name, kMaxFileName - suffix.size()), suffix);
}

std::string block_hashes_file(std::string_view machine_name, std::string_view target) {
  return disk_file(machine_name, target, "hashes");
}

}  // namespace cohort::package
