#include "hypervisor/guard_protocol.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace cohort::hypervisor {
namespace {

constexpr std::string_view kFailed = "failed ";

struct Words {
  std::string_view first;
  std::string_view rest;
};

Words split(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return {line, {}};
  return {line.substr(0, space), line.substr(space + 1)};
}

Failure bad_line(std::string_view line) {
  return fail(ErrorCode::kInvalidArgument, "The guard does not understand \"{}\".", line);
}

Result<Milliseconds> parse_deadline(std::string_view text) {
  std::int64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || count <= 0) return bad_line(text);
  return Milliseconds(count);
}

}  // namespace

std::string format_order(const GuardOrder& order) {
  const service::GuardedFence& fence = order.fence;
  std::string text = fmt::format("uri {}\ndeadline {}\n", order.uri, fence.deadline.count());
  for (const MachineId& machine : fence.machines) text += fmt::format("machine {}\n", machine.str());
  if (fence.saves_memory) text += fmt::format("{}\n", kSavesMemory);
  if (!fence.freezing.empty()) text += fmt::format("longest_freeze {}\n", fence.longest_freeze.count());
  for (const MachineId& machine : fence.freezing) text += fmt::format("freezing {}\n", machine.str());
  return text + "arm\n";
}

bool GuardOrderReader::is_complete() const {
  const bool is_bounded = order_.fence.freezing.empty() || order_.fence.longest_freeze.count() > 0;
  return order_.fence.deadline.count() > 0 && is_bounded;
}

Result<bool> GuardOrderReader::take(std::string_view line) {
  const auto [word, rest] = split(line);
  if (word == "uri") {
    order_.uri = rest;
  } else if (word == "deadline") {
    COHORT_ASSIGN(order_.fence.deadline, parse_deadline(rest));
  } else if (word == "longest_freeze") {
    COHORT_ASSIGN(order_.fence.longest_freeze, parse_deadline(rest));
  } else if (line == kSavesMemory) {
    order_.fence.saves_memory = true;
  } else if (word == "machine" || word == kFreezing) {
    COHORT_ASSIGN(const MachineId id, MachineId::parse(rest));
    (word == kFreezing ? order_.fence.freezing : order_.fence.machines).push_back(id);
  } else if (line != "arm" || !is_complete()) {
    return bad_line(line);
  }
  return word == "arm";
}

std::string format_failure(const Error& error) {
  std::string text = error.describe();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return fmt::format("{}{} {}\n", kFailed, to_string(error.code), text);
}

Error parse_failure(std::string_view line) {
  if (!line.starts_with(kFailed)) return make_error(ErrorCode::kInternal, "The guard answers \"{}\".", line);
  const auto [code, sentence] = split(line.substr(kFailed.size()));
  return make_error(error_code_from(code), "The guard cannot work: {}", sentence);
}

}  // namespace cohort::hypervisor
