#include "cim/value_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdlib>
#include <limits>

#include "base/utf8.h"
#include "cim/object_path.h"
#include "cim/utf16.h"

namespace cohort::cim {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Failure not_of_type(Type type, std::string_view text) {
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is no {}.", text.substr(0, 100), to_string(type));
}

struct Digits {
  std::string_view text;
  int base;
  bool is_negative;
};

Digits split_number(std::string_view text) {
  const bool has_sign = text.starts_with('-') || text.starts_with('+');
  const bool is_negative = text.starts_with('-');
  if (has_sign) text.remove_prefix(1);
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  return is_hex ? Digits{text.substr(2), 16, is_negative} : Digits{text, 10, is_negative};
}

template <typename T>
Result<Element> parse_integer(Type type, std::string_view text) {
  const Digits digits = split_number(trimmed(text));
  std::uint64_t size = 0;
  const char* const end = digits.text.data() + digits.text.size();
  const auto [stopped, problem] = std::from_chars(digits.text.data(), end, size, digits.base);
  if (problem != std::errc() || stopped != end || digits.text.empty()) return not_of_type(type, text);
  const auto largest = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  const std::uint64_t limit = !digits.is_negative ? largest : std::is_signed_v<T> ? largest + 1 : 0;
  if (size > limit) return not_of_type(type, text);
  return Element(static_cast<T>(digits.is_negative ? 0 - size : size));
}

template <typename T>
Result<Element> parse_real(Type type, std::string_view text) {
  const std::string_view digits = trimmed(text);
  T value{};
  const char* const end = digits.data() + digits.size();
  const auto [stopped, problem] = std::from_chars(digits.data() + (digits.starts_with('+') ? 1 : 0), end, value);
  if (problem != std::errc() || stopped != end) return not_of_type(type, text);
  return Element(value);
}

Result<Element> parse_boolean(std::string_view text) {
  const std::string_view word = trimmed(text);
  if (same_name(word, "true") || word == "1") return Element(true);
  if (same_name(word, "false") || word == "0") return Element(false);
  return not_of_type(Type::kBoolean, text);
}

// One character of the Basic Multilingual Plane.
Result<Element> parse_char16(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  const bool is_one = !text.empty() && text.size() <= 3 && is_utf8(text);
  if (is_one && text.size() == 1) return Element(static_cast<char16_t>(byte(0)));
  if (is_one && text.size() == 2 && byte(0) >= 0xc0) {
    return Element(static_cast<char16_t>((byte(0) & 0x1fU) << 6U | (byte(1) & 0x3fU)));
  }
  if (is_one && text.size() == 3 && byte(0) >= 0xe0) {
    return Element(static_cast<char16_t>((byte(0) & 0x0fU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU)));
  }
  return not_of_type(Type::kChar16, text);
}

Result<Element> parse_datetime(std::string_view text) {
  COHORT_ASSIGN(Datetime time, Datetime::parse(trimmed(text)));
  return Element(std::move(time));
}

Result<Element> parse_reference(std::string_view text) {
  COHORT_ASSIGN(ObjectPath path, parse_object_path(trimmed(text)));
  return Element(Shared<ObjectPath>(std::move(path)));
}

struct TextOf {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(char16_t value) const { return utf8_of(value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const Datetime& value) const { return value.text(); }
  std::string operator()(const Shared<ObjectPath>& value) const { return to_text(*value); }
  std::string operator()(const Shared<Instance>&) const { return {}; }
  // With a point, also without a fraction (DSP0004, realValue): it would be read as an integer.
  template <std::floating_point Number>
  std::string operator()(Number value) const {
    std::string text = fmt::format("{}", value);
    if (std::isfinite(value) && text.find('.') == std::string::npos) {
      text.insert(std::min(text.find('e'), text.size()), ".0");
    }
    return text;
  }
  template <typename Number>
  std::string operator()(Number value) const {
    return fmt::format("{}", value);
  }
};

Result<Element> convert_element(const Element& element, Type type) {
  if (is_null(element) || type_of(element) == type) return element;
  if (type == Type::kInstance || type_of(element) == Type::kInstance) {
    return fail(ErrorCode::kInvalidArgument, "An instance cannot be made of, or become, a {}.",
                to_string(type_of(element) == Type::kInstance ? type : type_of(element)));
  }
  return parse_element(type, to_text(element));
}

}  // namespace

Result<Element> parse_element(Type type, std::string_view text) {
  switch (type) {
    case Type::kBoolean:
      return parse_boolean(text);
    case Type::kChar16:
      return parse_char16(text);
    case Type::kUint8:
      return parse_integer<std::uint8_t>(type, text);
    case Type::kSint8:
      return parse_integer<std::int8_t>(type, text);
    case Type::kUint16:
      return parse_integer<std::uint16_t>(type, text);
    case Type::kSint16:
      return parse_integer<std::int16_t>(type, text);
    case Type::kUint32:
      return parse_integer<std::uint32_t>(type, text);
    case Type::kSint32:
      return parse_integer<std::int32_t>(type, text);
    case Type::kUint64:
      return parse_integer<std::uint64_t>(type, text);
    case Type::kSint64:
      return parse_integer<std::int64_t>(type, text);
    case Type::kReal32:
      return parse_real<float>(type, text);
    case Type::kReal64:
      return parse_real<double>(type, text);
    case Type::kDatetime:
      return parse_datetime(text);
    case Type::kReference:
      return parse_reference(text);
    default:
      return Element(std::string(text));
  }
}

std::string to_text(const Element& element) { return std::visit(TextOf(), element); }

Result<Value> convert(const Value& value, Type type, bool is_array) {
  if (value.is_null()) return Value::null(type, is_array);
  if (value.is_array() && !is_array) {
    return fail(ErrorCode::kInvalidArgument, "An array stands where one {} is declared.", to_string(type));
  }
  if (!is_array) {
    COHORT_ASSIGN(Element element, convert_element(value.element(), type));
    return Value(std::move(element));
  }
  std::vector<Element> converted;
  const std::vector<Element> given = value.is_array() ? value.elements() : std::vector<Element>{value.element()};
  for (const Element& each : given) {
    COHORT_ASSIGN(Element element, convert_element(each, type));
    converted.push_back(std::move(element));
  }
  return Value::array(type, std::move(converted));
}

}  // namespace cohort::cim
