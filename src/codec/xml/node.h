// XML that a stranger sent, read through libxml2: bounded, without network, document types and entities.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cohort::codec::xml {

inline constexpr std::size_t kMaxBytes = std::size_t{4} << 20U;
inline constexpr std::size_t kMaxDepth = 64;
inline constexpr std::size_t kMaxElements = 100000;
inline constexpr std::size_t kMaxAttributes = 64;  // of one element
inline constexpr std::size_t kMaxNamespaces = 32;  // that one element declares
inline constexpr std::size_t kMaxTagBytes = std::size_t{8} << 10U;
inline constexpr std::size_t kMaxNamespaceBytes = 512;  // of its name

struct Attribute {
  std::string name;  // without its prefix
  std::string value;
};

struct Node {
  std::string name;  // without its prefix
  std::string namespace_uri;
  std::vector<Attribute> attributes;
  std::vector<Node> children;
  std::string text;  // the text directly in the element, CDATA included

  [[nodiscard]] bool is(std::string_view uri, std::string_view local_name) const {
    return name == local_name && namespace_uri == uri;
  }
  // The first child of that name, in any namespace or in one; nullptr if there is none.
  [[nodiscard]] const Node* child(std::string_view local_name) const;
  [[nodiscard]] const Node* child(std::string_view uri, std::string_view local_name) const;
  // nullptr if there is none.
  [[nodiscard]] const std::string* attribute(std::string_view local_name) const;
  [[nodiscard]] std::string attribute_or(std::string_view local_name, std::string_view otherwise) const;
};

// The root element. UTF-8 and UTF-16 are read, the latter by its mark, by its look, or because `charset` says so; what
// the document itself says of its encoding is ignored, as HTTP's word goes first. Fails with kCorrupt for what is not
// well formed, has a document type, or is beyond a limit.
[[nodiscard]] Result<Node> parse(std::string_view bytes, std::string_view charset = {});

// Without the space around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace cohort::codec::xml
