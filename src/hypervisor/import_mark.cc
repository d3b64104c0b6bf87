#include "hypervisor/import_mark.h"

#include <vector>

#include "hypervisor/xml_document.h"

namespace cohort::hypervisor {
namespace {

// A name, not an address: nobody fetches it.
const std::string kNamespace = "urn:cohort:import:1";

std::vector<xmlNode*> marks_in(const xml::Document& document) {
  std::vector<xmlNode*> marks = xml::select(document.root(), {"metadata", ""});
  std::erase_if(marks,
                [](const xmlNode* node) { return node->ns == nullptr || xml::from_xml(node->ns->href) != kNamespace; });
  return marks;
}

void add_mark(xmlNode* domain, const std::string& mark) {
  xmlNode* const element = xml::add_child(xml::child_or_new(domain, "metadata"), "import");
  xmlSetNs(element, xmlNewNs(element, xml::to_xml(kNamespace), xml::to_xml("cohort")));
  xml::set_text(element, mark);
}

}  // namespace

Result<std::string> with_import_mark(const std::string& definition, const std::string& mark) {
  COHORT_ASSIGN(const auto document, xml::Document::parse(definition, "domain"));
  for (xmlNode* old : marks_in(document)) xml::remove(old);
  if (!mark.empty()) add_mark(document.root(), mark);
  return document.str();
}

Result<std::string> import_mark_in(const std::string& definition) {
  COHORT_ASSIGN(const auto document, xml::Document::parse(definition, "domain"));
  const auto marks = marks_in(document);
  return marks.empty() ? std::string() : xml::text(marks.front());
}

}  // namespace cohort::hypervisor
