#include "cim/object_path.h"

#include <algorithm>
#include <optional>

#include "cim/value_text.h"

namespace cohort::cim {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 10U;

bool is_slash(char c) { return c == '\\' || c == '/'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<ObjectPath> parse() {
    if (text_.size() > kMaxBytes) return wrong("a path is shorter");
    COHORT_TRY(host());
    COHORT_TRY(namespace_name());
    COHORT_TRY(class_name());
    COHORT_TRY(keys());
    return std::move(path_);
  }

 private:
  Failure wrong(std::string_view expected) const {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is no object path: {} expected at character {}.",
                text_.substr(0, 200), expected, at_ + 1);
  }

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char next() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    const bool is_there = !at_end() && text_[at_] == c;
    if (is_there) ++at_;
    return is_there;
  }
  std::string_view take_until(std::string_view ends) {
    const std::size_t end = std::min(text_.find_first_of(ends, at_), text_.size());
    const std::string_view taken = text_.substr(at_, end - at_);
    at_ = end;
    return taken;
  }

  Result<void> host() {
    if (text_.size() < 2 || !is_slash(text_[0]) || !is_slash(text_[1])) return {};
    at_ = 2;
    path_.host = take_until("\\/\"'");
    if (path_.host.empty() || !is_slash(next())) return wrong("a host and a slash");
    ++at_;
    return {};
  }

  // A colon before the first quote, dot and equals sign ends a namespace.
  Result<void> namespace_name() {
    const std::size_t end = text_.find_first_of(":\"'.=", at_);
    if (end == std::string_view::npos || text_[end] != ':') {
      return path_.host.empty() ? Result<void>() : wrong("a namespace and a colon");
    }
    if (is_slash(next())) ++at_;  // "/root/cimv2:…" is written, too
    path_.namespace_name = text_.substr(at_, end - at_);
    std::replace(path_.namespace_name.begin(), path_.namespace_name.end(), '\\', '/');
    if (!is_namespace_name(path_.namespace_name)) return wrong("a namespace");
    at_ = end + 1;
    return {};
  }

  Result<void> class_name() {
    path_.class_name = take_until(".=");
    if (!is_name(path_.class_name)) return wrong("the name of a class");
    return {};
  }

  Result<void> keys() {
    if (at_end()) return {};
    if (take('=')) return only_key();
    ++at_;  // the dot
    do {
      if (path_.keys.size() == kMaxKeys) return wrong("fewer keys");
      std::string name(take_until("=,"));
      if (!is_name(name) || !take('=')) return wrong("the name of a key and \"=\"");
      if (path_.key(name) != nullptr) return wrong("another key");
      COHORT_ASSIGN(Value value, key_value());
      path_.keys.push_back({std::move(name), std::move(value)});
    } while (take(','));
    return at_end() ? Result<void>() : wrong("\",\" or the end");
  }

  Result<void> only_key() {
    if (text_.substr(at_) == "@") {
      path_.is_singleton = true;
      return {};
    }
    COHORT_ASSIGN(Value value, key_value());
    path_.keys.push_back({"", std::move(value)});
    return at_end() ? Result<void>() : wrong("the end");
  }

  Result<Value> key_value() {
    if (next() == '"' || next() == '\'') return quoted();
    const std::string_view word = take_until(",");
    for (const Type type : {Type::kSint64, Type::kUint64, Type::kReal64, Type::kDatetime}) {
      if (auto element = parse_element(type, word)) return Value(*std::move(element));
    }
    if (same_name(word, "true") || same_name(word, "false")) return Value(same_name(word, "true"));
    return wrong("a value (text needs quotes) before");
  }

  Result<Value> quoted() {
    const char quote = text_[at_++];
    std::string value;
    while (!at_end() && next() != quote) {
      const bool is_escaped = next() == '\\' && at_ + 1 < text_.size();
      if (is_escaped) ++at_;
      value += text_[at_++];
    }
    if (!take(quote)) return wrong("a closing quote");
    return Value(std::move(value));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  ObjectPath path_;
};

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string key_text(const Value& value) {
  const bool is_bare = is_numeric(value.type()) || value.type() == Type::kBoolean;
  if (value.type() == Type::kBoolean) return value.element() == Element(true) ? "TRUE" : "FALSE";
  return is_bare ? to_text(value.element()) : quoted(to_text(value.element()));
}

std::string model_path(const ObjectPath& path) {
  if (path.is_singleton) return path.class_name + "=@";
  std::string result = path.class_name;
  char separator = '.';
  for (const NamedValue& key : path.keys) {
    result += key.name.empty() ? "" : separator + key.name;
    result += '=' + key_text(key.value);
    separator = ',';
  }
  return result;
}

}  // namespace

Result<ObjectPath> parse_object_path(std::string_view text) { return Parser(text).parse(); }

std::string to_local_text(const ObjectPath& path) {
  return (path.namespace_name.empty() ? "" : path.namespace_name + ":") + model_path(path);
}

std::string to_text(const ObjectPath& path) {
  if (path.host.empty()) return to_local_text(path);
  std::string space = path.namespace_name;
  std::replace(space.begin(), space.end(), '/', '\\');
  return "\\\\" + path.host + "\\" + space + ":" + model_path(path);
}

}  // namespace cohort::cim
