#include "cim/mof_reader.h"

#include <algorithm>
#include <charconv>

#include "cim/name.h"
#include "cim/value_text.h"

namespace cohort::cim {
namespace {

using Kind = MofToken::Kind;

constexpr std::size_t kMaxLiterals = 100'000;  // of a text: each takes far more memory than its two bytes
constexpr std::size_t kMaxProperties = 1000;   // of an instance: each is compared with those before it

// "101b" is binary, "017" octal, "0x1f" hexadecimal.
Result<Element> whole_number(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  std::string_view digits = text.substr(is_negative || text.starts_with('+') ? 1 : 0);
  const bool is_binary = digits.ends_with('b') || digits.ends_with('B');
  const bool is_octal = !is_binary && digits.size() > 1 && digits.front() == '0' &&
                        digits.find_first_not_of("01234567") == std::string_view::npos;
  if (is_binary && !digits.starts_with("0x") && !digits.starts_with("0X")) digits.remove_suffix(1);
  if (!is_binary && !is_octal) {
    auto number = parse_element(Type::kSint64, text);
    return number ? number : parse_element(Type::kUint64, text);
  }
  std::uint64_t size = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped, problem] = std::from_chars(digits.data(), end, size, is_binary ? 2 : 8);
  if (problem != std::errc() || stopped != end || size > INT64_MAX) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is no number.", text);
  }
  return Element(is_negative ? -static_cast<std::int64_t>(size) : static_cast<std::int64_t>(size));
}

bool is_hex(std::string_view text) {
  return text.find("0x") != std::string_view::npos || text.find("0X") != std::string_view::npos;
}

// A list takes the type of its first element that is not NULL; whole numbers may be of both kinds.
Type type_of_list(const std::vector<Element>& elements) {
  for (const Element& each : elements) {
    if (!is_null(each)) return type_of(each);
  }
  return Type::kNone;
}

}  // namespace

bool MofReader::is_symbol(char symbol) const { return token_.kind == Kind::kSymbol && token_.text.front() == symbol; }
bool MofReader::is_word(std::string_view word) const {
  return token_.kind == Kind::kWord && same_name(token_.text, word);
}

Result<void> MofReader::advance() {
  COHORT_ASSIGN(token_, lexer_.next());
  return {};
}

Result<bool> MofReader::take(char symbol) {
  if (!is_symbol(symbol)) return false;
  COHORT_TRY(advance());
  return true;
}

Result<bool> MofReader::take_word(std::string_view word) {
  if (!is_word(word)) return false;
  COHORT_TRY(advance());
  return true;
}

Result<void> MofReader::expect(char symbol) {
  if (!is_symbol(symbol)) return wrong(fmt::format("\"{}\" expected", symbol));
  return advance();
}

Result<std::string> MofReader::expect_name(std::string_view what) {
  if (token_.kind != Kind::kWord || !is_name(token_.text)) return wrong(fmt::format("{} expected", what));
  std::string name = token_.text;
  COHORT_TRY(advance());
  return name;
}

Result<Value> MofReader::value() {
  if (is_symbol('{')) return list();
  COHORT_ASSIGN(Element element, literal());
  return is_null(element) ? Value() : Value(std::move(element));
}

Result<Value> MofReader::list() {
  const std::size_t begin = token_.offset;
  COHORT_TRY(expect('{'));
  std::vector<Element> elements;
  while (!is_symbol('}')) {
    COHORT_ASSIGN(Element element, literal());
    elements.push_back(std::move(element));
    COHORT_ASSIGN(const bool has_more, take(','));
    if (!has_more) break;
  }
  COHORT_TRY(expect('}'));
  const Type type = type_of_list(elements);
  if (std::any_of(elements.begin(), elements.end(),
                  [&](const Element& each) { return !is_null(each) && type_of(each) != type; })) {
    return wrong_at(begin, "the values of this list are of several types");
  }
  return Value::array(type, std::move(elements));
}

Result<Element> MofReader::literal() {
  if (++literals_ > kMaxLiterals) return wrong("there are too many values");
  if (token_.kind == Kind::kString) return string_literal();
  if (token_.kind == Kind::kNumber) return number_literal();
  if (token_.kind == Kind::kChar) {
    auto character = parse_element(Type::kChar16, token_.text);
    if (!character) return wrong("one character expected between the quotes");
    COHORT_TRY(advance());
    return character;
  }
  for (const auto& [word, element] :
       {std::pair("true", Element(true)), {"false", Element(false)}, {"null", Element()}}) {
    COHORT_ASSIGN(const bool is_it, take_word(word));
    if (is_it) return element;
  }
  if (!is_word("instance")) return wrong("a value expected");
  COHORT_ASSIGN(Instance nested, instance());
  return Element(Shared<Instance>(std::move(nested)));
}

// Strings that stand side by side are one.
Result<Element> MofReader::string_literal() {
  std::string text;
  while (token_.kind == Kind::kString) {
    text += token_.text;
    COHORT_TRY(advance());
  }
  return Element(std::move(text));
}

Result<Element> MofReader::number_literal() {
  const bool is_real = !is_hex(token_.text) && token_.text.find_first_of(".eE") != std::string::npos;
  auto number = is_real ? parse_element(Type::kReal64, token_.text) : whole_number(token_.text);
  if (!number) return wrong("a number expected");
  COHORT_TRY(advance());
  return number;
}

Result<NamedValue> MofReader::property_value() {
  NamedValue property;
  COHORT_ASSIGN(property.name, expect_name("the name of a property"));
  COHORT_TRY(expect('='));
  COHORT_ASSIGN(property.value, value());
  COHORT_TRY(expect(';'));
  return property;
}

Result<Instance> MofReader::instance() {
  if (++depth_ > kMaxNesting) return wrong("instances are nested too deep");
  COHORT_ASSIGN(const bool has_instance, take_word("instance"));
  COHORT_ASSIGN(const bool has_of, take_word("of"));
  if (!has_instance || !has_of) return wrong("\"instance of\" expected");
  Instance read;
  COHORT_ASSIGN(read.class_name, expect_name("the name of a class"));
  COHORT_TRY(expect('{'));
  while (!is_symbol('}')) {
    const std::size_t begin = token_.offset;
    COHORT_ASSIGN(NamedValue property, property_value());
    if (read.find(property.name) != nullptr) return wrong_at(begin, "this property is there twice");
    if (read.properties.size() == kMaxProperties) return wrong_at(begin, "the instance has too many properties");
    read.properties.push_back(std::move(property));
  }
  --depth_;
  COHORT_TRY(advance());
  return read;
}

}  // namespace cohort::cim
