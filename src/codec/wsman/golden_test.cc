#include <gtest/gtest.h>

#include <algorithm>

#include "cim/object_path.h"
#include "codec/testing/golden.h"
#include "codec/wsman/message.h"

namespace cohort::codec::wsman {
namespace {

constexpr std::string_view kMessageId = "uuid:2";

const cim::Schema& schema() {
  static const cim::Schema built = *cim::Schema::built_in();
  return built;
}

tl::expected<Call, Refusal> read(std::string_view name) {
  return read_request(golden_request("wsman", name), "", schema());
}

template <typename T>
T operation_of(std::string_view name) {
  const auto call = read(name);
  EXPECT_TRUE(call) << name << ": " << call.error().fault.reason;
  return call ? std::get<T>(std::get<cim::Request>(call->operation).operation) : T{};
}

// What a list was asked for, in words: the objects of the replies have it for a name.
struct Told {
  std::string operator()(const cim::InstancesOf& all) const { return "instances of " + all.class_name; }
  std::string operator()(const cim::AssociatorsOf& of) const {
    return fmt::format("associators of {} by {}, as {}: {} as {}", cim::to_text(of.source), of.association_class,
                       of.role, of.result_class, of.result_role);
  }
  std::string operator()(const cim::ReferencesOf& of) const {
    return fmt::format("references to {} by \"{}\", as \"{}\"", cim::to_text(of.source), of.result_class, of.role);
  }
  std::string operator()(const cim::QueryFor& query) const { return query.text; }
};

// With a value of each kind, whatever the class declares.
cim::Instance snapshot(const std::string& id, const std::string& name) {
  cim::Instance one{
      "Msvm_SnapshotCollection", {}, *cim::parse_object_path("Msvm_SnapshotCollection.CollectionID=\"" + id + "\"")};
  cim::Instance fence{"Cohort_SnapshotFence", {}, {}};
  fence.set("InstanceID", cim::Value("f"));
  one.set("Caption", cim::Value::null(cim::Type::kString));
  one.set("CollectionID", cim::Value(id));
  one.set("ElementName", cim::Value(name));
  one.set("Names", cim::Value::array_of<std::string>({"a", "b & c"}));
  one.set("Empty", cim::Value(""));
  one.set("Numbers", cim::Value::array(cim::Type::kUint16, {}));
  one.set("Enabled", cim::Value(true));
  one.set("At", cim::Value(*cim::Datetime::parse("20260301130000.250000+060")));
  one.set("Took", cim::Value(*cim::Datetime::parse("00000001020304.000000:000")));
  one.set("Collection", cim::Value(*cim::parse_object_path("Msvm_VirtualSystemCollection.CollectionID=\"c\"")));
  one.set("Fence", cim::Value(std::move(fence)));
  return one;
}

std::string list_reply(const Call& call, const std::vector<cim::Instance>& objects, cim::Shape shape, bool is_end) {
  ListReply list(call.header);
  for (const cim::Instance& each : objects) EXPECT_TRUE(list.add(each, shape));
  if (call.expires) list.grant(*call.expires);
  return list.envelope(is_end, "uuid:context", kMessageId);
}

// Not optimised: none yet. Optimised: both.
std::string opened(const Call& call, const cim::OpenEnumeration& open) {
  const std::string name = std::visit(Told{}, open.what);
  const bool is_whole = open.max_objects > 1;
  const auto objects =
      is_whole ? std::vector{snapshot("c-1", name), snapshot("c-2", name)} : std::vector<cim::Instance>();
  return list_reply(call, objects, open.shape, is_whole);
}

// One of two, or both with the end.
std::string pulled(const Call& call, const cim::PullObjects& pull) {
  if (pull.context != "uuid:context") {
    return reply(call, cim::OperationFailed{cim::Status::kInvalidEnumerationContext, "There is no such context.", {}},
                 kMessageId);
  }
  std::vector<cim::Instance> objects{snapshot("c-1", "first")};
  if (pull.max_objects > 1) objects.push_back(snapshot("c-2", "second"));
  return list_reply(call, objects, cim::Shape::kInstances, pull.max_objects > 1);
}

// A job, and what was given.
cim::MethodResult invoked(const cim::InvokeMethod& invoke) {
  cim::MethodResult result{cim::Value(std::uint32_t{4096}),
                           {{"Job", cim::Value(*cim::parse_object_path("Msvm_ConcreteJob.InstanceID=\"j\""))}}};
  result.out.insert(result.out.end(), invoke.parameters.begin(), invoke.parameters.end());
  return result;
}

// Two, of whatever list.
std::string listed_classes(const Call& call) {
  const cim::ClassStore& store = *schema().find(cim::kVirtualizationNamespace);
  const cim::Classes all{{*store.find("CIM_Collection"), *store.find("Msvm_SnapshotCollection")}};
  return class_list_reply(call, all, store, kMessageId).value();
}

std::string answered(const Call& call) {
  if (call.class_list) return listed_classes(call);
  const cim::Operation& operation = std::get<cim::Request>(call.operation).operation;
  if (const auto* const open = std::get_if<cim::OpenEnumeration>(&operation)) return opened(call, *open);
  if (const auto* const pull = std::get_if<cim::PullObjects>(&operation)) return pulled(call, *pull);
  cim::Response response = cim::Done{};
  if (const auto* const get = std::get_if<cim::GetInstance>(&operation)) {
    const std::string id = *get->path.key("CollectionID")->get_if<std::string>();
    response = cim::Objects{{snapshot(id, "nightly")}, cim::Shape::kInstances, "", true};
  } else if (const auto* const invoke = std::get_if<cim::InvokeMethod>(&operation)) {
    response = invoked(*invoke);
  } else if (const auto* const get_class = std::get_if<cim::GetClass>(&operation)) {
    response = cim::Classes{{*schema().find(cim::kVirtualizationNamespace)->find(get_class->class_name)}};
  }
  return reply(call, response, kMessageId);
}

std::string reply_to(const std::string& name) {
  const auto call = read(name);
  if (!call) return fault_reply(call.error().header, call.error().fault, kMessageId);
  const bool is_identify = std::holds_alternative<Identify>(call->operation);
  return is_identify ? identify_reply({"Cohort", "1.0"}) : answered(*call);
}

TEST(WsManGolden, RepliesAreThoseOfTheGoldenFiles) { expect_golden_replies("wsman", 28, reply_to); }

TEST(WsManGolden, APutHasTheInstanceAsItShallBe) {
  const auto put = operation_of<cim::ModifyInstance>("put");
  EXPECT_EQ(cim::to_text(put.instance.path), "root/virtualization/v2:Msvm_SnapshotCollection.CollectionID=\"c-1\"");
  EXPECT_EQ(put.instance.at("ElementName"), cim::Value("nightly & weekly"));
  EXPECT_TRUE(put.instance.at("Caption").is_null());
}

TEST(WsManGolden, AReleaseNamesItsContext) {
  EXPECT_EQ(operation_of<cim::CloseEnumeration>("release").context, "uuid:context");
}

TEST(WsManGolden, ARequestInUtf16IsReadWithAllItsCharacters) {
  const auto get = operation_of<cim::GetInstance>("get_utf16");
  EXPECT_EQ(*get.path.key("CollectionID"), cim::Value("c-ä€"));
}

}  // namespace
}  // namespace cohort::codec::wsman
