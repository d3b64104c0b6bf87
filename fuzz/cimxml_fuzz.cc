// A CIM-XML request; whatever it is, there is an answer to it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "codec/cimxml/embedded_instance.h"
#include "codec/cimxml/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cohort;
  static const cim::Schema schema = *cim::Schema::built_in();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto call = codec::cimxml::read_request(text, "", schema)) {
    codec::cimxml::ReplyStream reply(*call, cim::OperationFailed{}, "host");
    while (reply.next()) {
    }
  }
  const cim::ClassStore& store = *schema.find(cim::kVirtualizationNamespace);
  if (const auto read = codec::cimxml::read_embedded_instance(text, store)) {
    if (!codec::cimxml::read_embedded_instance(codec::cimxml::embedded_text(*read), store)) std::abort();
  }
  return 0;
}
