// An envelope of WS-Management; whatever it is, there is an answer to it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/wsman/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cohort;
  static const cim::Schema schema = *cim::Schema::built_in();
  const auto call = codec::wsman::read_request({reinterpret_cast<const char*>(data), size}, "", schema);
  if (!call) {
    static_cast<void>(codec::wsman::fault_reply(call.error().header, call.error().fault, "uuid:1"));
  } else {
    static_cast<void>(codec::wsman::reply(*call, cim::Done{}, "uuid:1"));
    codec::wsman::ListReply list(call->header);
    for (const auto shape : {cim::Shape::kInstances, cim::Shape::kPaths, cim::Shape::kInstancesWithPaths}) {
      static_cast<void>(list.add(cim::Instance{}, shape));
    }
    static_cast<void>(list.envelope(false, "c", "uuid:1"));
    const cim::ClassStore& store = *schema.find(cim::kVirtualizationNamespace);
    const cim::Classes classes{{*store.find("CIM_Job"), *store.find("Msvm_SnapshotCollection")}};
    if (call->class_list) static_cast<void>(codec::wsman::class_list_reply(*call, classes, store, "uuid:1"));
  }
  return 0;
}
