#include "codec/xml/node.h"

#include <libxml/parser.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "codec/xml/utf16.h"

namespace cohort::codec::xml {
namespace {

constexpr std::string_view kComment = "<!--", kCdata = "<![CDATA[", kInstruction = "<?";

std::string text_of(const xmlChar* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

// Builds the tree from libxml2's events. The first thing that is wrong stops the parser.
class Builder {
 public:
  xmlParserCtxtPtr context = nullptr;

  void stop(std::string reason) {
    if (problem_.empty()) problem_ = std::move(reason);
    xmlStopParser(context);
  }

  void begin(Node node) {
    if (!problem_.empty()) return;
    if (open_.size() >= kMaxDepth) return stop("is nested too deep");
    if (++elements_ > kMaxElements) return stop("has too many elements");
    open_.push_back(std::move(node));
  }

  void end() {
    if (!problem_.empty() || open_.empty()) return;
    Node done = std::move(open_.back());
    open_.pop_back();
    (open_.empty() ? roots_ : open_.back().children).push_back(std::move(done));
  }

  void text(std::string_view text) {
    if (problem_.empty() && !open_.empty()) open_.back().text += text;
  }

  Result<Node> result(bool is_well_formed) {
    if (problem_.empty() && (!is_well_formed || roots_.size() != 1)) problem_ = "is not well formed";
    if (problem_.empty()) return std::move(roots_.front());
    return fail(ErrorCode::kCorrupt, "The XML {}.", problem_);
  }

 private:
  std::vector<Node> open_;
  std::vector<Node> roots_;
  std::size_t elements_ = 0;
  std::string problem_;
};

Builder& builder(void* data) { return *static_cast<Builder*>(data); }

// libxml2 gives five pointers for each attribute: local name, prefix, namespace, begin and end of the value. Each node
// has its namespace's name, which is written once for all of them: hence its limit. A prefix is looked for among all
// that are declared around it.
void on_begin(void* data, const xmlChar* name, const xmlChar* /*prefix*/, const xmlChar* uri, int namespaces,
              const xmlChar** /*namespace list*/, int attributes, int /*defaulted*/, const xmlChar** list) {
  if (static_cast<std::size_t>(attributes) > kMaxAttributes)
    return builder(data).stop("has an element with too many attributes");
  if (static_cast<std::size_t>(namespaces) > kMaxNamespaces) {
    return builder(data).stop("has an element that declares too many namespaces");
  }
  Node node;
  node.name = text_of(name);
  node.namespace_uri = text_of(uri);
  if (node.namespace_uri.size() > kMaxNamespaceBytes) {
    return builder(data).stop("has a namespace whose name is too long");
  }
  for (int i = 0; i < attributes; ++i) {
    const xmlChar** const each = list + std::ptrdiff_t{5} * i;
    const auto* const begin = reinterpret_cast<const char*>(each[3]);
    const auto* const end = reinterpret_cast<const char*>(each[4]);
    node.attributes.push_back({text_of(each[0]), std::string(begin, end)});
  }
  builder(data).begin(std::move(node));
}

void on_end(void* data, const xmlChar*, const xmlChar*, const xmlChar*) { builder(data).end(); }
void on_text(void* data, const xmlChar* text, int length) {
  builder(data).text({reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)});
}
void on_document_type(void* data, const xmlChar*, const xmlChar*, const xmlChar*) {
  builder(data).stop("has a document type, which is not accepted");
}
void on_error(void* data, const xmlError* error) {
  if (error->level < XML_ERR_ERROR) return;
  builder(data).stop("is not well formed (line " + std::to_string(error->line) + ")");
}
// The signature of the callback changed between versions of libxml2.
void on_structured_error(void* data, xmlError* error) { on_error(data, error); }

xmlSAXHandler handler() {
  xmlSAXHandler sax{};
  sax.initialized = XML_SAX2_MAGIC;
  sax.startElementNs = on_begin;
  sax.endElementNs = on_end;
  sax.characters = on_text;
  sax.ignorableWhitespace = on_text;
  sax.cdataBlock = on_text;
  sax.internalSubset = on_document_type;
  sax.serror = on_structured_error;
  return sax;
}

// How long what begins with '<' is: a tag ends with the first '>' that is in no attribute's value. All, if it has no
// end.
std::size_t length_of_markup(std::string_view text) {
  const auto to_end = [&](std::string_view opening, std::string_view closing) {
    const std::size_t end = text.find(closing, opening.size());
    return end == std::string_view::npos ? text.size() : end + closing.size();
  };
  if (text.starts_with(kComment)) return to_end(kComment, "-->");
  if (text.starts_with(kCdata)) return to_end(kCdata, "]]>");
  if (text.starts_with(kInstruction)) return to_end(kInstruction, "?>");
  char quote = '\0';
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && c == '>') return i + 1;
    if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = '\0';
    }
  }
  return text.size();
}

// libxml2 compares each attribute and each namespace of a tag with all before it, and reads it to its end before
// anybody is asked: many thousands would take it minutes.
bool has_long_tag(std::string_view text) {
  for (std::size_t begin = text.find('<'); begin != std::string_view::npos; begin = text.find('<')) {
    text.remove_prefix(begin);
    const std::size_t length = length_of_markup(text);
    const bool is_tag = !text.starts_with(kComment) && !text.starts_with(kCdata) && !text.starts_with(kInstruction);
    if (is_tag && length > kMaxTagBytes) return true;
    text.remove_prefix(length);
  }
  return false;
}

struct ContextDeleter {
  void operator()(xmlParserCtxtPtr context) const {
    if (context->myDoc != nullptr) xmlFreeDoc(context->myDoc);
    xmlFreeParserCtxt(context);
  }
};

}  // namespace

const Node* Node::child(std::string_view local_name) const {
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const Node& each) { return each.name == local_name; });
  return found == children.end() ? nullptr : &*found;
}

const Node* Node::child(std::string_view uri, std::string_view local_name) const {
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const Node& each) { return each.is(uri, local_name); });
  return found == children.end() ? nullptr : &*found;
}

const std::string* Node::attribute(std::string_view local_name) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& each) { return each.name == local_name; });
  return found == attributes.end() ? nullptr : &found->value;
}

std::string Node::attribute_or(std::string_view local_name, std::string_view otherwise) const {
  const std::string* const found = attribute(local_name);
  return found == nullptr ? std::string(otherwise) : *found;
}

Result<Node> parse(std::string_view bytes, std::string_view charset) {
  if (bytes.size() > kMaxBytes) return fail(ErrorCode::kCorrupt, "The XML is larger than {} bytes.", kMaxBytes);
  COHORT_ASSIGN(const std::string text, to_utf8(bytes, charset));
  if (has_long_tag(text)) return fail(ErrorCode::kCorrupt, "The XML has a tag of more than {} bytes.", kMaxTagBytes);
  Builder built;
  xmlSAXHandler sax = handler();
  const std::unique_ptr<xmlParserCtxt, ContextDeleter> context(
      xmlCreatePushParserCtxt(&sax, &built, nullptr, 0, nullptr));
  if (!context) return fail(ErrorCode::kInternal, "There is no memory for an XML parser.");
  built.context = context.get();
  // NOENT is for the five entities of XML alone, which attributes would keep as references; there can be no others,
  // since a document type ends the parsing where it begins.
  xmlCtxtUseOptions(context.get(), XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT);
  const int problem = xmlParseChunk(context.get(), text.data(), static_cast<int>(text.size()), 1);
  return built.result(problem == 0 && context->wellFormed == 1);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace cohort::codec::xml
