// XML documents through libxml2: bounded, without network and entities.
//
// Names are compared without their namespace, as libvirt itself does when it walks a definition: what is an edit here
// must be one there.
#pragma once

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/utf8.h"

namespace cohort::hypervisor::xml {

inline constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
inline constexpr int kMaxDepth = 64;  // levels of elements
inline constexpr int kMaxAttributes = 2000;

struct StringDeleter {
  void operator()(xmlChar* text) const { xmlFree(text); }
};
using XmlString = std::unique_ptr<xmlChar, StringDeleter>;

inline const xmlChar* to_xml(const std::string& text) { return reinterpret_cast<const xmlChar*>(text.c_str()); }
inline std::string from_xml(const xmlChar* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

// True for text that XML 1.0 can carry on one line. (U+FFFE and U+FFFF are no characters of XML.)
inline bool is_writable(std::string_view text) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  return std::none_of(text.begin(), text.end(), is_control) && is_utf8(text) &&
         text.find("\xef\xbf\xbe") == std::string_view::npos && text.find("\xef\xbf\xbf") == std::string_view::npos;
}

inline std::string_view name_of(const xmlNode* node) { return reinterpret_cast<const char*>(node->name); }
inline bool is_element(const xmlNode* node) { return node->type == XML_ELEMENT_NODE; }
// The child elements, all or those of one name. A copy: they may be removed meanwhile.
inline std::vector<xmlNode*> children(const xmlNode* parent, std::string_view name = {}) {
  std::vector<xmlNode*> found;
  for (xmlNode* node = parent->children; node != nullptr; node = node->next) {
    if (is_element(node) && (name.empty() || name_of(node) == name)) {
      found.push_back(node);
    }
  }
  return found;
}

// The first child of that name, or nullptr.
inline xmlNode* child(const xmlNode* parent, std::string_view name) {
  for (xmlNode* node = parent == nullptr ? nullptr : parent->children; node != nullptr; node = node->next) {
    if (is_element(node) && name_of(node) == name) {
      return node;
    }
  }
  return nullptr;
}

// All elements at a path below `from`: select(root, {"devices", "disk"}).
inline std::vector<xmlNode*> select(xmlNode* from, const std::vector<std::string_view>& path) {
  std::vector<xmlNode*> found{from};
  for (const std::string_view step : path) {
    std::vector<xmlNode*> next;
    for (const xmlNode* node : found) {
      const std::vector<xmlNode*> below = children(node, step);
      next.insert(next.end(), below.begin(), below.end());
    }
    found = std::move(next);
  }
  return found;
}

inline std::optional<std::string> attribute(const xmlNode* node, const std::string& name) {
  const XmlString value(node == nullptr ? nullptr : xmlGetProp(node, to_xml(name)));
  return value ? std::optional(from_xml(value.get())) : std::nullopt;
}
inline std::string attribute_or(const xmlNode* node, const std::string& name, const std::string& otherwise) {
  return attribute(node, name).value_or(otherwise);
}
inline bool has_value(const xmlNode* node, const std::string& name, std::string_view value) {
  return attribute(node, name) == value;
}

inline void remove_attribute(xmlNode* node, std::string_view name) {
  for (xmlAttr* attr = node->properties; attr != nullptr;) {
    xmlAttr* const next = attr->next;
    if (from_xml(attr->name) == name) {
      xmlRemoveProp(attr);
    }
    attr = next;
  }
}
inline void set_attribute(xmlNode* node, const std::string& name, const std::string& value) {
  remove_attribute(node, name);
  xmlNewProp(node, to_xml(name), to_xml(value));
}

// The text of the element and of all below it, unchanged.
inline std::string text(const xmlNode* node) {
  const XmlString content(node == nullptr ? nullptr : xmlNodeGetContent(node));
  return from_xml(content.get());
}

inline void remove(xmlNode* node) {
  // The indentation before it goes with it.
  if (xmlNode* const before = node->prev; before != nullptr && xmlIsBlankNode(before) == 1) {
    xmlUnlinkNode(before);
    xmlFreeNode(before);
  }
  xmlUnlinkNode(node);
  xmlFreeNode(node);
}
inline void remove_children(xmlNode* parent, std::string_view name) {
  for (xmlNode* node : children(parent, name)) {
    remove(node);
  }
}
inline void set_text(xmlNode* node, const std::string& value) {
  while (node->children != nullptr) {
    xmlNode* const first = node->children;
    xmlUnlinkNode(first);
    xmlFreeNode(first);
  }
  if (!value.empty()) {
    xmlAddChild(node, xmlNewText(to_xml(value)));
  }
}
inline xmlNode* add_child(xmlNode* parent, const std::string& name) {
  return xmlNewChild(parent, nullptr, to_xml(name), nullptr);
}
inline xmlNode* child_or_new(xmlNode* parent, const std::string& name) {
  xmlNode* const found = child(parent, name);
  return found != nullptr ? found : add_child(parent, name);
}

class Document {
 public:
  // kCorrupt for what is not well-formed, has a DOCTYPE, is too large or too deep, or has another root element.
  [[nodiscard]] static Result<Document> parse(const std::string& text, std::string_view root_name) {
    if (text.size() > kMaxBytes) {
      return fail(ErrorCode::kCorrupt, "The machine configuration is larger than {} bytes.", kMaxBytes);
    }
    // Refused before parsing: an entity in an attribute is expanded by the parser itself. The encoding is fixed below,
    // so that these bytes are what the parser sees.
    if (text.find("<!DOCTYPE") != std::string::npos) {
      return fail(ErrorCode::kCorrupt, "The machine configuration has a DOCTYPE, which is not accepted.");
    }
    if (has_crowded_tag(text)) {
      return fail(ErrorCode::kCorrupt, "The machine configuration has an element with more than {} attributes.",
                  kMaxAttributes);
    }
    xmlInitParser();
    const std::unique_ptr<xmlParserCtxt, ContextDeleter> context(xmlNewParserCtxt());
    Document document(xmlCtxtReadMemory(context.get(), text.data(), static_cast<int>(text.size()), nullptr, "UTF-8",
                                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
    if (!document.doc_) {
      return Failure(syntax_error(xmlCtxtGetLastError(context.get())));
    }
    COHORT_TRY(document.check(root_name));
    return document;
  }

  [[nodiscard]] static Document create(const std::string& root_name) {
    Document document(xmlNewDoc(to_xml("1.0")));
    xmlDocSetRootElement(document.doc_.get(), xmlNewNode(nullptr, to_xml(root_name)));
    return document;
  }

  [[nodiscard]] xmlNode* root() const { return xmlDocGetRootElement(doc_.get()); }

  // The root element as text, in UTF-8.
  [[nodiscard]] std::string str() const {
    const std::unique_ptr<xmlBuffer, BufferDeleter> buffer(xmlBufferCreate());
    xmlNodeDump(buffer.get(), doc_.get(), root(), 0, 1);
    return from_xml(xmlBufferContent(buffer.get())) + "\n";
  }

 private:
  struct DocDeleter {
    void operator()(xmlDoc* doc) const { xmlFreeDoc(doc); }
  };
  struct ContextDeleter {
    void operator()(xmlParserCtxt* context) const { xmlFreeParserCtxt(context); }
  };
  struct BufferDeleter {
    void operator()(xmlBuffer* buffer) const { xmlBufferFree(buffer); }
  };

  explicit Document(xmlDoc* doc) : doc_(doc) {}

  // libxml2 2.9 compares each attribute with all others of its element. No tag reaches past the next '<'.
  static bool has_crowded_tag(const std::string& text) {
    int equal_signs = 0;
    for (const char c : text) {
      equal_signs = c == '<' ? 0 : equal_signs + (c == '=' ? 1 : 0);
      if (equal_signs > kMaxAttributes) {
        return true;
      }
    }
    return false;
  }

  static Error syntax_error(const xmlError* cause) {
    Error error = make_error(ErrorCode::kCorrupt, "The machine configuration is not well-formed XML.");
    if (cause != nullptr && cause->message != nullptr) {
      error.cause = fmt::format("line {}: {}", cause->line, cause->message);
      for (char& c : error.cause) {  // it may quote the document
        c = c >= ' ' && c <= '~' ? c : ' ';
      }
    }
    return error;
  }

  [[nodiscard]] Result<void> check(std::string_view root_name) const {
    if (xmlGetIntSubset(doc_.get()) != nullptr) {
      return fail(ErrorCode::kCorrupt, "The machine configuration has a DOCTYPE, which is not accepted.");
    }
    if (root() == nullptr || name_of(root()) != root_name) {
      return fail(ErrorCode::kCorrupt, "The machine configuration does not begin with <{}>.", root_name);
    }
    if (is_deeper_than(root(), kMaxDepth)) {
      return fail(ErrorCode::kCorrupt, "The machine configuration is nested deeper than {} levels.", kMaxDepth);
    }
    return {};
  }

  static bool is_deeper_than(const xmlNode* node, int levels) {
    if (levels == 0) {
      return true;
    }
    for (const xmlNode* below : children(node)) {
      if (is_deeper_than(below, levels - 1)) {
        return true;
      }
    }
    return false;
  }

  std::unique_ptr<xmlDoc, DocDeleter> doc_;
};

}  // namespace cohort::hypervisor::xml
