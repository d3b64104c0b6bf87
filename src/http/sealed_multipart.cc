#include "http/sealed_multipart.h"

#include <fmt/format.h>
#include <strings.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "http/header_text.h"

namespace cohort::http {
namespace {

constexpr std::string_view kBoundary = "Encrypted Boundary";
constexpr std::string_view kSealedEnd = "--Encrypted Boundary--\r\n";
constexpr std::size_t kLongestBoundary = 70;  // RFC 2046 5.1.1
constexpr std::size_t kMostParts = 4096;
constexpr std::array<std::string_view, 2> kProtocols = {"application/HTTP-SPNEGO-session-encrypted",
                                                        "application/HTTP-Kerberos-session-encrypted"};
// The second is Windows' for what is cut into several parts.
constexpr std::array<std::string_view, 2> kTypes = {"multipart/encrypted", "multipart/x-multi-encrypted"};

bool is_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// Of `type; name="value"; …`.
std::string_view parameter(std::string_view text, std::string_view name) {
  static_cast<void>(take_until(text, ';'));
  while (!text.empty()) {
    std::string_view value = take_until(text, ';');
    if (is_same(take_until(value, '='), name)) return unquoted(trimmed(value));
  }
  return {};
}

Failure malformed(std::string_view why) {
  return fail(ErrorCode::kCorrupt, "The sealed body cannot be read: {}.", why);
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = sizeof value; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

// What the label of a part says of its content.
struct Original {
  std::string_view content_type;
  std::size_t length = 0;
};

// "type=application/soap+xml;charset=UTF-8;Length=1329"
std::optional<Original> read_original(std::string_view text) {
  constexpr std::string_view kType = "type=", kLength = ";length=";
  const auto semicolon = text.rfind(';');
  if (semicolon == std::string_view::npos || !is_same(text.substr(0, kType.size()), kType) ||
      !is_same(text.substr(semicolon, kLength.size()), kLength)) {
    return std::nullopt;
  }
  Original original{text.substr(kType.size(), semicolon - kType.size()), 0};
  const std::string_view number = text.substr(semicolon + kLength.size());
  const auto [end, error] = std::from_chars(number.begin(), number.end(), original.length);
  if (error != std::errc() || end != number.end()) return std::nullopt;
  return original;
}

class Reader {
 public:
  Reader(std::string_view protocol, std::string_view boundary, std::string_view body)
      : protocol_(protocol), delimiter_(fmt::format("--{}", boundary)), rest_(body) {}

  Result<SealedBody> read() {
    SealedBody sealed{{std::string(protocol_), false}, {}};
    if (!take(delimiter_)) return malformed("it does not begin with its boundary");
    while (take("\r\n") && !rest_.empty()) {
      COHORT_ASSIGN(const SealedPart part, read_part(sealed.form.has_tabs));
      sealed.parts.push_back(part);
      if (sealed.parts.size() > kMostParts) return malformed("it has too many parts");
    }
    // There are senders that end with a boundary like all others.
    if (take("--")) static_cast<void>(take("\r\n"));
    if (!rest_.empty() || sealed.parts.empty()) return malformed("it does not end with its boundary");
    return sealed;
  }

 private:
  // Up to, and with, the boundary behind it.
  Result<SealedPart> read_part(bool& has_tabs) {
    COHORT_ASSIGN(const Original original, read_label(has_tabs));
    const auto line = take_line();
    if (!line || !is_header(*line, "Content-Type", "application/octet-stream")) {
      return malformed("a part is no octet stream");
    }
    if (rest_.size() < sizeof(std::uint32_t)) return malformed("a part is cut off");
    const std::size_t header = little_endian(rest_);
    rest_.remove_prefix(sizeof(std::uint32_t));
    // What is sealed may contain anything, a boundary, too.
    if (header > rest_.size() || original.length > rest_.size() - header) return malformed("a part is cut off");
    const auto end = rest_.find(delimiter_, header + original.length);
    if (end == std::string_view::npos) return malformed("a part has no end");
    const SealedPart part{original.content_type, rest_.substr(0, end)};
    rest_.remove_prefix(end + delimiter_.size());
    return part;
  }

  // The first half of a part.
  Result<Original> read_label(bool& has_tabs) {
    const auto type = take_line(), content = take_line();
    if (!type || !content || !is_header(*type, "Content-Type", protocol_)) {
      return malformed("a part is not of the announced protocol");
    }
    has_tabs = type->starts_with('\t');
    std::string_view value = *content;
    const bool is_original = is_same(take_until(value, ':'), "OriginalContent");
    const auto original = is_original ? read_original(trimmed(value)) : std::nullopt;
    if (!original || !take(delimiter_) || !take("\r\n")) return malformed("a part does not say what it contains");
    return *original;
  }

  static bool is_header(std::string_view line, std::string_view name, std::string_view value) {
    return is_same(take_until(line, ':'), name) && is_same(trimmed(line), value);
  }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  std::optional<std::string_view> take_line() {
    const auto end = rest_.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    return line;
  }

  const std::string_view protocol_;
  const std::string delimiter_;
  std::string_view rest_;
};

}  // namespace

bool is_sealed(std::string_view content_type) {
  const std::string_view type = take_until(content_type, ';');
  return is_same(type, kTypes[0]) || is_same(type, kTypes[1]);
}

Result<SealedBody> read_sealed(std::string_view content_type, std::string_view body) {
  const std::string_view given = parameter(content_type, "boundary");
  const std::string_view boundary = given.empty() ? kBoundary : given;
  if (boundary.size() > kLongestBoundary) return malformed("its boundary is too long");
  for (const std::string_view protocol : kProtocols) {
    if (is_same(parameter(content_type, "protocol"), protocol)) return Reader(protocol, boundary, body).read();
  }
  return fail(ErrorCode::kUnsupported, "A body is sealed with \"{}\", which is not supported.",
              parameter(content_type, "protocol"));
}

std::string write_sealed_part(const SealedForm& form, std::string_view content_type, std::size_t length,
                              const Sealed& sealed) {
  const std::string_view tab = form.has_tabs ? "\t" : "";
  std::string part = fmt::format(
      "--{0}\r\n{1}Content-Type: {2}\r\n{1}OriginalContent: type={3};Length={4}\r\n"
      "--{0}\r\n{1}Content-Type: application/octet-stream\r\n",
      kBoundary, tab, form.protocol, content_type, length);
  for (unsigned shift = 0; shift < 32; shift += 8) part += static_cast<char>(sealed.header.size() >> shift & 0xFFU);
  return part.append(sealed.header).append(sealed.data);
}

std::string_view sealed_end() { return kSealedEnd; }

std::string sealed_content_type(const SealedForm& form) {
  return fmt::format("multipart/encrypted;protocol=\"{}\";boundary=\"{}\"", form.protocol, kBoundary);
}

}  // namespace cohort::http
