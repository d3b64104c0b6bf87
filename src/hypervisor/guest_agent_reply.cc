#include "hypervisor/guest_agent_reply.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace cohort::hypervisor {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Failure not_understood(const std::string& reply) {
  constexpr std::size_t kShown = 200;
  return fail(ErrorCode::kUnsupported, "The guest agent answers what is not understood: {}", reply.substr(0, kShown));
}

// What is under "return"; null if that is missing.
nlohmann::json returned(const std::string& reply) {
  const auto json = nlohmann::json::parse(reply, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("return") ? json["return"] : nlohmann::json();
}

std::optional<std::string> text_under(const nlohmann::json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return std::nullopt;
  return object[key].get<std::string>();
}

// Up to the padding, or the first character that does not belong there.
std::string decode_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = kBase64.find(c);
    if (value == std::string_view::npos) break;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
  }
  return bytes;
}

}  // namespace

Result<bool> frozen_in(const std::string& reply) {
  const auto status = returned(reply);
  if (status == "frozen") return true;
  if (status == "thawed") return false;
  return not_understood(reply);
}

Result<std::int64_t> number_in(const std::string& reply) {
  const auto number = returned(reply);
  if (!number.is_number_integer()) return not_understood(reply);
  return number.get<std::int64_t>();
}

Result<std::string> content_in(const std::string& reply) {
  const auto text = text_under(returned(reply), "buf-b64");
  if (!text) return not_understood(reply);
  return decode_base64(*text);
}

bool is_windows(const std::string& reply) { return text_under(returned(reply), "id") == "mswindows"; }

bool names_freeze_hook(const std::string& command_line) {
  std::string_view rest = command_line;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find('\0'));
    if (word.starts_with("-F") || word.starts_with("--fsfreeze-hook")) return true;
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return false;
}

}  // namespace cohort::hypervisor
