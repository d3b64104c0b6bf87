#include "provider/host_facts.h"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/id.h"
#include "base/utf8.h"

namespace cohort::provider {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{8} << 20;
constexpr std::uint64_t kKibi = 1024;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\"";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Without what no client could read: files of firmware hold what its maker wrote.
std::string text_of(const Path& file) {
  const auto content = read_file(file, kMaxBytes);
  if (!content || !is_utf8(*content)) return {};
  std::string text(trimmed(*content));
  std::erase_if(text, [](char c) { return c >= 0 && c < ' '; });
  return text;
}

template <typename T>
T number_in(std::string_view text) {
  text = trimmed(text);
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? number : T{0};
}

using Fields = std::map<std::string, std::string, std::less<>>;

const std::string& field(const Fields& fields, std::string_view name) {
  static const std::string kNone;
  const auto found = fields.find(name);
  return found == fields.end() ? kNone : found->second;
}

// Blocks of "name: value" lines, apart by empty lines.
std::vector<Fields> read_blocks(const Path& file, char separator) {
  std::vector<Fields> blocks(1);
  const auto content = read_file(file, kMaxBytes);
  std::istringstream lines(content ? *content : std::string());
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(separator);
    if (trimmed(line).empty()) {
      if (!blocks.back().empty()) blocks.emplace_back();
    } else if (at != std::string::npos) {
      blocks.back().insert_or_assign(std::string(trimmed(line.substr(0, at))),
                                     std::string(trimmed(line.substr(at + 1))));
    }
  }
  if (blocks.back().empty()) blocks.pop_back();
  return blocks;
}

Fields read_fields(const Path& file, char separator) {
  const auto blocks = read_blocks(file, separator);
  return blocks.empty() ? Fields{} : blocks.front();
}

std::string uuid_of(const Path& root) {
  for (const auto& file : {root / "sys/class/dmi/id/product_uuid", root / "etc/machine-id"}) {
    std::string text = text_of(file);
    if (text.size() == 32) {  // systemd writes it without hyphens
      for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, "-");
    }
    if (const auto uuid = Uuid::parse(text)) return uuid->str();
  }
  return {};
}

void read_firmware(const Path& root, HostFacts& facts) {
  const Path folder = root / "sys/class/dmi/id";
  facts.uuid = uuid_of(root);
  facts.maker = text_of(folder / "sys_vendor");
  facts.model = text_of(folder / "product_name");
  facts.model_version = text_of(folder / "product_version");
  facts.serial = text_of(folder / "product_serial");
}

void read_memory(const Path& root, HostFacts& facts) {
  const Fields fields = read_fields(root / "proc/meminfo", ':');
  const auto bytes = [&](std::string_view name) { return number_in<std::uint64_t>(field(fields, name)) * kKibi; };
  facts.memory = bytes("MemTotal");
  facts.free_memory = bytes("MemAvailable");
  facts.swap = bytes("SwapTotal");
  facts.free_swap = bytes("SwapFree");
}

void read_processors(const Path& root, HostFacts& facts) {
  std::map<std::string, HostProcessor> sockets;
  for (const Fields& thread : read_blocks(root / "proc/cpuinfo", ':')) {
    if (field(thread, "processor").empty()) continue;  // of the board, on some architectures
    HostProcessor& socket = sockets[field(thread, "physical id")];
    ++socket.threads;
    socket.model = field(thread, "model name");
    socket.maker = field(thread, "vendor_id");
    socket.megahertz = number_in<std::uint32_t>(field(thread, "cpu MHz"));
    socket.cores = number_in<std::uint32_t>(field(thread, "cpu cores"));
  }
  for (auto& [id, socket] : sockets) {
    if (socket.cores == 0) socket.cores = socket.threads;
    facts.processors.push_back(std::move(socket));
  }
}

std::optional<WallTime> boot_time(const Path& root) {
  const auto content = read_file(root / "proc/stat", kMaxBytes);
  const auto at = content ? content->find("\nbtime ") : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  const auto seconds = number_in<std::int64_t>(std::string_view(*content).substr(at + 7));
  return WallTime(std::chrono::seconds(seconds));
}

}  // namespace

HostFacts read_host_facts(const Path& root) {
  HostFacts facts;
  read_firmware(root, facts);
  facts.os_name = field(read_fields(root / "etc/os-release", '='), "PRETTY_NAME");
  read_memory(root, facts);
  read_processors(root, facts);
  facts.booted = boot_time(root);
  utsname names{};
  if (::uname(&names) == 0) {
    facts.kernel = names.release;
    facts.architecture = names.machine;
  }
  return facts;
}

}  // namespace cohort::provider
