// Reading JSON that comes from a stranger: every step is checked, and errors name the field.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace cohort::package {

// Fails with kCorrupt for what is no JSON text or is nested deeper than `max_depth`.
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text, std::size_t max_depth);

// A value and where it is, as in "machines[2].disks[0].size". The JSON must outlive it.
class JsonField {
 public:
  JsonField(const nlohmann::json& value, std::string path) : value_(&value), path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_null() const { return value_->is_null(); }

  // The member of an object; one that is absent reads as null.
  [[nodiscard]] Result<JsonField> member(const std::string& key) const;
  // Calls `read` for each element of an array, until one fails.
  [[nodiscard]] Result<void> for_each(const std::function<Result<void>(const JsonField&)>& read) const;

  [[nodiscard]] Result<bool> boolean() const;
  // Whole numbers from 0 to 2^63 - 1.
  [[nodiscard]] Result<std::uint64_t> number() const;
  // At most `max_bytes` long.
  [[nodiscard]] Result<std::string> text(std::size_t max_bytes) const;
  // A text that is not empty and has no control characters but tabs.
  [[nodiscard]] Result<std::string> name() const;
  [[nodiscard]] Result<WallTime> time() const;

  // kCorrupt: "<path> <what>."
  [[nodiscard]] Failure wrong(std::string_view what) const;

  // A text of the form that `parse` accepts.
  template <typename Parse>
  [[nodiscard]] auto parsed(const Parse& parse, std::string_view what) const -> decltype(parse(std::string())) {
    COHORT_ASSIGN(const std::string value, text(kMaxWord));
    auto result = parse(value);
    if (!result) return wrong(what);
    return result;
  }

  // A member of an object, read at once.
  template <typename Value>
  [[nodiscard]] Result<Value> read(const std::string& key, Result<Value> (JsonField::*as)() const) const {
    COHORT_ASSIGN(const JsonField field, member(key));
    return (field.*as)();
  }

 private:
  static constexpr std::size_t kMaxWord = 256;

  const nlohmann::json* value_;
  std::string path_;
};

}  // namespace cohort::package
