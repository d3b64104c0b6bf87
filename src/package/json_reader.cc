#include "package/json_reader.h"

#include <algorithm>

namespace cohort::package {
namespace {

constexpr std::size_t kMaxName = 1024;

// Counts brackets outside of strings. The parser is not recursive, but what it makes takes memory per level.
bool is_deeper_than(std::string_view text, std::size_t max_depth) {
  std::size_t depth = 0;
  bool is_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_string) {
      if (c == '\\') ++i;
      if (c == '"') is_string = false;
    } else if (c == '"') {
      is_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, std::size_t max_depth) {
  if (is_deeper_than(text, max_depth)) {
    return fail(ErrorCode::kCorrupt, "The JSON text is nested deeper than {} levels.", max_depth);
  }
  auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return fail(ErrorCode::kCorrupt, "The text is not JSON.");
  return json;
}

Result<JsonField> JsonField::member(const std::string& key) const {
  static const nlohmann::json kNull;
  if (!value_->is_object()) return wrong("is not an object");
  const auto found = value_->find(key);
  return JsonField(found == value_->end() ? kNull : *found, path_.empty() ? key : path_ + "." + key);
}

Result<void> JsonField::for_each(const std::function<Result<void>(const JsonField&)>& read) const {
  if (!value_->is_array()) return wrong("is not a list");
  for (std::size_t i = 0; i < value_->size(); ++i) {
    COHORT_TRY(read(JsonField((*value_)[i], fmt::format("{}[{}]", path_, i))));
  }
  return {};
}

Result<bool> JsonField::boolean() const {
  if (!value_->is_boolean()) return wrong("is neither true nor false");
  return value_->get<bool>();
}

Result<std::uint64_t> JsonField::number() const {
  if (!value_->is_number_unsigned()) return wrong("is not a whole number");
  const auto number = value_->get<std::uint64_t>();
  if (number > INT64_MAX) return wrong("is too large a number");
  return number;
}

Result<std::string> JsonField::text(std::size_t max_bytes) const {
  if (!value_->is_string()) return wrong("is not a text");
  const auto& text = value_->get_ref<const std::string&>();
  if (text.size() > max_bytes) return wrong(fmt::format("is longer than {} bytes", max_bytes));
  return text;
}

Result<std::string> JsonField::name() const {
  COHORT_ASSIGN(std::string text, this->text(kMaxName));
  if (text.empty()) return wrong("is empty");
  if (std::ranges::any_of(text, is_control)) return wrong("has control characters");
  return text;
}

Result<WallTime> JsonField::time() const { return parsed(parse_utc, "is not a time"); }

Failure JsonField::wrong(std::string_view what) const {
  return fail(ErrorCode::kCorrupt, "{} {}.", path_.empty() ? "The text" : path_, what);
}

}  // namespace cohort::package
