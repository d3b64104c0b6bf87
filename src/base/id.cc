#include "base/id.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "base/sha256.h"

namespace cohort {
namespace {

std::optional<std::uint8_t> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

constexpr bool has_dash_at(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

Uuid Uuid::generate() {
  Uuid uuid;
  while (getrandom(uuid.bytes_.data(), uuid.bytes_.size(), 0) != static_cast<ssize_t>(uuid.bytes_.size())) {
    if (errno != EINTR) {
      std::abort();  // without the kernel's generator identifiers could collide
    }
  }
  uuid.bytes_[6] = static_cast<std::uint8_t>((uuid.bytes_[6] & 0x0f) | 0x40);  // version 4
  uuid.bytes_[8] = static_cast<std::uint8_t>((uuid.bytes_[8] & 0x3f) | 0x80);  // RFC 4122 variant
  return uuid;
}

Uuid Uuid::named(std::string_view text) {
  const std::string hash = Sha256::of(text);
  Uuid uuid;
  for (std::size_t i = 0; i < 2 * uuid.bytes_.size(); ++i) {
    auto& byte = uuid.bytes_[i / 2];
    byte = static_cast<std::uint8_t>((byte << 4) | digit(hash[i]).value_or(0));
  }
  uuid.bytes_[6] = static_cast<std::uint8_t>((uuid.bytes_[6] & 0x0f) | 0x80);  // version 8
  uuid.bytes_[8] = static_cast<std::uint8_t>((uuid.bytes_[8] & 0x3f) | 0x80);  // RFC 4122 variant
  return uuid;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  const auto refuse = [&] { return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a UUID.", text); };
  if (text.size() != 36) return refuse();
  Uuid uuid;
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (has_dash_at(i)) {
      if (text[i] != '-') return refuse();
      continue;
    }
    const auto value = digit(text[i]);
    if (!value) return refuse();
    auto& byte = uuid.bytes_[count / 2];
    byte = static_cast<std::uint8_t>((byte << 4) | *value);
    ++count;
  }
  return uuid;
}

std::string Uuid::str() const {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes_) {
    if (has_dash_at(text.size())) text += '-';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0x0f];
  }
  return text;
}

}  // namespace cohort
