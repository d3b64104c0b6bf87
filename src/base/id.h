// Identifiers: UUIDs that cannot be mixed up with each other or with strings.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cohort {

// A UUID (RFC 4122).
class Uuid {
 public:
  Uuid() = default;  // the nil UUID

  // A random (version 4) UUID from the kernel's generator.
  [[nodiscard]] static Uuid generate();
  // The same for the same text, and another one for any other (version 8: the beginning of its SHA-256).
  [[nodiscard]] static Uuid named(std::string_view text);
  // Accepts the 36-character form, in either case. Fails with kInvalidArgument.
  [[nodiscard]] static Result<Uuid> parse(std::string_view text);

  // 36 characters, lower case.
  [[nodiscard]] std::string str() const;
  // The first 8 characters: enough for people.
  [[nodiscard]] std::string short_str() const { return str().substr(0, 8); }
  [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }

  auto operator<=>(const Uuid&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

template <typename Tag>
class Id {
 public:
  Id() = default;
  explicit Id(Uuid uuid) : uuid_(uuid) {}

  [[nodiscard]] static Id generate() { return Id(Uuid::generate()); }
  [[nodiscard]] static Result<Id> parse(std::string_view text) {
    return Uuid::parse(text).map([](Uuid uuid) { return Id(uuid); });
  }

  [[nodiscard]] std::string str() const { return uuid_.str(); }
  [[nodiscard]] std::string short_str() const { return uuid_.short_str(); }
  [[nodiscard]] bool is_nil() const { return uuid_.is_nil(); }

  auto operator<=>(const Id&) const = default;

 private:
  Uuid uuid_;
};

}  // namespace cohort
