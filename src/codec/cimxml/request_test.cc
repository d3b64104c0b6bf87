#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cim/object_path.h"
#include "codec/cimxml/message.h"
#include "codec/testing/golden.h"
#include "codec/testing/settings_dialects.h"
#include "codec/xml/writer.h"

namespace cohort::codec::cimxml {
namespace {

using testing::HasSubstr;

const cim::Schema& schema() {
  static const cim::Schema built = *cim::Schema::built_in();
  return built;
}

Call call_of(std::string_view name) {
  auto call = read_request(golden_request("cimxml", name), "utf-8", schema());
  EXPECT_TRUE(call) << name << ": " << call.error().sentence;
  return call ? *std::move(call) : Call{};
}

template <typename T>
T operation_of(std::string_view name) {
  const Call call = call_of(name);
  const auto* const request = std::get_if<cim::Request>(&call.request);
  EXPECT_NE(request, nullptr) << std::get<cim::OperationFailed>(call.request).description;
  return request == nullptr ? T{} : std::get<T>(request->operation);
}

std::string reply(const Call& call, cim::Response response) {
  ReplyStream stream(call, std::move(response), "host");
  std::string text;
  while (const auto chunk = stream.next()) text += *chunk;
  return text;
}

// Two snapshots of a collection.
cim::Objects two_snapshots() {
  cim::Objects objects;
  for (const auto* const id : {"c-1", "c-2"}) {
    cim::Instance one{"Msvm_SnapshotCollection",
                      {},
                      *cim::parse_object_path("Msvm_SnapshotCollection.CollectionID=\"" + std::string(id) + "\"")};
    one.set("CollectionID", cim::Value(id));
    one.set("ElementName", cim::Value("a <b>"));
    one.set("Caption", cim::Value::null(cim::Type::kString));
    objects.instances.push_back(std::move(one));
  }
  objects.is_end_of_sequence = false;
  objects.context = "ctx";
  return objects;
}

// What the schema has.
std::optional<cim::Response> declared(const cim::Operation& operation) {
  const cim::ClassStore& store = *schema().find(cim::kVirtualizationNamespace);
  if (const auto* const get = std::get_if<cim::GetClass>(&operation)) {
    return cim::Classes{{*store.find(get->class_name)}};
  }
  if (std::holds_alternative<cim::EnumerateClasses>(operation)) {
    return cim::Classes{{*store.find("Msvm_SnapshotCollection"), *store.find("CIM_CollectionOfMSEs")}};
  }
  if (std::holds_alternative<cim::EnumerateClassNames>(operation)) return cim::ClassNames{{"A", "B"}};
  if (const auto* const get = std::get_if<cim::GetQualifier>(&operation)) {
    return cim::QualifierTypes{{*store.find_qualifier_type(get->name)}};
  }
  if (std::holds_alternative<cim::EnumerateQualifiers>(operation)) {
    return cim::QualifierTypes{{*store.find_qualifier_type("Key"), *store.find_qualifier_type("ValueMap")}};
  }
  return std::nullopt;
}

cim::Response response_to(const Call& call) {
  if (const auto* const failed = std::get_if<cim::OperationFailed>(&call.request)) return *failed;
  const cim::Operation& operation = std::get<cim::Request>(call.request).operation;
  if (const auto found = declared(operation)) return *found;
  if (const auto* const create = std::get_if<cim::CreateInstance>(&operation)) {
    cim::ObjectPath path{"", "", create->instance.class_name, {}, false};
    path.keys.push_back({"CollectionID", create->instance.at("CollectionID")});
    return cim::CreatedInstance{std::move(path)};
  }
  if (std::holds_alternative<cim::InvokeMethod>(operation)) {
    return cim::MethodResult{
        cim::Value(std::uint32_t{4096}),
        {{"Job",
          cim::Value(*cim::parse_object_path(R"(\\host\root\virtualization\v2:Msvm_ConcreteJob.InstanceID="j")"))}}};
  }
  const bool is_done = std::holds_alternative<cim::CloseEnumeration>(operation) ||
                       std::holds_alternative<cim::DeleteInstance>(operation) ||
                       std::holds_alternative<cim::ModifyInstance>(operation);
  cim::Objects objects = two_snapshots();
  if (std::holds_alternative<cim::GetInstance>(operation)) objects.instances.pop_back();
  return is_done ? cim::Response(cim::Done{}) : cim::Response(std::move(objects));
}

TEST(CimXml, RepliesAreThoseOfTheGoldenFiles) {
  expect_golden_replies("cimxml", 36, [](const std::string& name) {
    const Call call = call_of(name);
    return reply(call, response_to(call));
  });
}

TEST(CimXml, WhatIsWrittenHasThePropertiesThatShallChange) {
  const auto modify = operation_of<cim::ModifyInstance>("ModifyInstance");
  EXPECT_EQ(cim::to_text(modify.instance.path), "Msvm_SnapshotCollection.CollectionID=\"c-1\"");
  EXPECT_EQ(modify.instance.at("ElementName"), cim::Value("a <b>"));
  EXPECT_EQ(modify.properties, (std::vector<std::string>{"ElementName"}));
  EXPECT_EQ(operation_of<cim::CreateInstance>("CreateInstance").instance.at("CollectionID"), cim::Value("c-1"));
}

TEST(CimXml, PulledListsAreOpenedWithTheirFilters) {
  const auto associated = operation_of<cim::OpenEnumeration>("OpenAssociatorInstances");
  EXPECT_EQ(std::get<cim::AssociatorsOf>(associated.what).result_role, "Member");
  EXPECT_EQ(associated.shape, cim::Shape::kInstancesWithPaths);
  const auto referring = operation_of<cim::OpenEnumeration>("OpenReferenceInstancePaths");
  EXPECT_EQ(std::get<cim::ReferencesOf>(referring.what).result_class, "Msvm_CollectedSnapshots");
  EXPECT_EQ(referring.shape, cim::Shape::kPaths);
  const auto query = operation_of<cim::OpenEnumeration>("OpenQueryInstances");
  EXPECT_EQ(std::get<cim::QueryFor>(query.what).text, "SELECT * FROM Msvm_SnapshotCollection");
  EXPECT_EQ(operation_of<cim::PullObjects>("PullInstances").max_objects, 2U);
}

TEST(CimXml, APullIsForListsOfItsKind) {
  EXPECT_EQ(operation_of<cim::PullObjects>("PullInstances").shape, cim::Shape::kInstances);
  EXPECT_EQ(operation_of<cim::PullObjects>("PullInstancePaths").shape, cim::Shape::kPaths);
  EXPECT_EQ(operation_of<cim::PullObjects>("PullInstancesWithPath").shape, cim::Shape::kInstancesWithPaths);
}

TEST(CimXml, ParametersOfAMethodAreAsDeclared) {
  const auto invoke = operation_of<cim::InvokeMethod>("ExportSnapshot");
  EXPECT_EQ(invoke.method, "ExportSnapshot");
  EXPECT_EQ(*invoke.path.key("Name"), cim::Value("svc"));
  ASSERT_EQ(invoke.parameters.size(), 3U);
  EXPECT_EQ(cim::to_text(*invoke.parameters[0].value.reference()),
            R"(\\h\root\virtualization\v2:Msvm_SnapshotCollection.CollectionID="c-1")");
  EXPECT_EQ(invoke.parameters[2].value.instance()->at("CopyVmStorage"), cim::Value(true));
}

TEST(CimXml, SettingsAreReadInEveryDialect) {
  const std::string request = golden_request("cimxml", "ExportSnapshot");
  const std::size_t begin = request.find("&lt;INSTANCE");
  const std::size_t end = request.find("</VALUE>", begin);
  ASSERT_NE(begin, std::string::npos);
  for (const std::string& text : settings_in_every_dialect()) {
    const auto call =
        read_request(request.substr(0, begin) + xml::escaped(text) + request.substr(end), "utf-8", schema());
    ASSERT_TRUE(call) << call.error().sentence << text;
    const auto* const asked = std::get_if<cim::Request>(&call->request);
    ASSERT_NE(asked, nullptr) << std::get<cim::OperationFailed>(call->request).description << text;
    const auto& invoke = std::get<cim::InvokeMethod>(asked->operation);
    ASSERT_EQ(invoke.parameters.size(), 3U);
    EXPECT_EQ(invoke.parameters[2].value.instance()->at("CopyVmStorage"), cim::Value(true)) << text;
    EXPECT_EQ(invoke.parameters[2].value.instance()->at("BackupIntent"), cim::Value(std::uint16_t{1})) << text;
  }
}

TEST(CimXml, ParametersWithoutATypeGetTheDeclaredOne) {
  const auto invoke = operation_of<cim::InvokeMethod>("untyped_parameters");
  ASSERT_EQ(invoke.parameters.size(), 3U);
  EXPECT_EQ(invoke.parameters[1].value, cim::Value(std::uint16_t{2}));
  EXPECT_TRUE(invoke.parameters[2].value.is_null());
}

TEST(CimXml, ListsAreReadWithTheirFilters) {
  const auto listed = operation_of<cim::ListObjects>("Associators");
  const auto& associators = std::get<cim::AssociatorsOf>(listed.what);
  EXPECT_EQ(associators.association_class + associators.role, "Msvm_CollectedSnapshotsCollection");
  EXPECT_EQ(cim::to_text(associators.source), "Msvm_SnapshotCollection.CollectionID=\"c-1\"");
  EXPECT_EQ(operation_of<cim::ListObjects>("AssociatorNames").shape, cim::Shape::kPaths);
  const auto opened = operation_of<cim::OpenEnumeration>("OpenEnumerateInstances");
  EXPECT_EQ(opened.max_objects, 2U);
  EXPECT_EQ(opened.timeout, std::chrono::seconds(60));
  EXPECT_FALSE(opened.may_be_cut) << "no reply says what was granted";
  EXPECT_EQ(operation_of<cim::GetInstance>("GetInstance").properties, (std::vector<std::string>{"ElementName"}));
}

TEST(CimXml, AChangeIsReadWithItsPathAndProperties) {
  const auto call = read_request(
      "<CIM CIMVERSION='2.0' DTDVERSION='2.0'><MESSAGE ID='1' PROTOCOLVERSION='1.0'><SIMPLEREQ>"
      "<IMETHODCALL NAME='ModifyInstance'><LOCALNAMESPACEPATH><NAMESPACE NAME='root'/><NAMESPACE "
      "NAME='virtualization'/>"
      "<NAMESPACE NAME='v2'/></LOCALNAMESPACEPATH><IPARAMVALUE NAME='ModifiedInstance'><VALUE.NAMEDINSTANCE>"
      "<INSTANCENAME CLASSNAME='Msvm_VirtualSystemSettingData'><KEYBINDING NAME='InstanceID'><KEYVALUE>i</KEYVALUE>"
      "</KEYBINDING></INSTANCENAME><INSTANCE CLASSNAME='Msvm_VirtualSystemSettingData'>"
      "<PROPERTY.ARRAY NAME='Notes' TYPE='string'><VALUE.ARRAY><VALUE>a</VALUE><VALUE>b</VALUE></VALUE.ARRAY>"
      "</PROPERTY.ARRAY></INSTANCE></VALUE.NAMEDINSTANCE></IPARAMVALUE><IPARAMVALUE NAME='PropertyList'><VALUE.ARRAY>"
      "<VALUE>Notes</VALUE></VALUE.ARRAY></IPARAMVALUE></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>",
      "", schema());
  ASSERT_TRUE(call) << call.error().sentence;
  const auto* const request = std::get_if<cim::Request>(&call->request);
  ASSERT_NE(request, nullptr) << std::get<cim::OperationFailed>(call->request).description;
  const auto& modify = std::get<cim::ModifyInstance>(request->operation);
  EXPECT_EQ(cim::to_text(modify.instance.path), "Msvm_VirtualSystemSettingData.InstanceID=\"i\"");
  EXPECT_EQ(modify.instance.at("Notes"), cim::Value::array_of(std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(modify.properties, (std::vector<std::string>{"Notes"}));
  EXPECT_THAT(reply(*call, cim::Done{}), HasSubstr("<IMETHODRESPONSE NAME=\"ModifyInstance\"></IMETHODRESPONSE>"));
}

TEST(CimXml, WhatIsWrongWithARequestIsItsAnswer) {
  const auto status = [](std::string_view name) {
    return std::get<cim::OperationFailed>(call_of(name).request).status;
  };
  EXPECT_EQ(status("unknown_class"), cim::Status::kInvalidClass);
  EXPECT_EQ(status("unknown_operation"), cim::Status::kNotSupported);
  EXPECT_EQ(status("unknown_parameter"), cim::Status::kInvalidParameter);
  EXPECT_EQ(status("continue_on_error"), cim::Status::kContinuationOnErrorNotSupported);
  EXPECT_EQ(status("query_result_class"), cim::Status::kInvalidParameter);
  EXPECT_EQ(status("associators_of_class"), cim::Status::kNotSupported);
  EXPECT_EQ(status("create_of_unknown_class"), cim::Status::kInvalidClass);
}

// A request that takes no longer than it has to, however many keys and properties it names.
TEST(CimXml, KeysAndPropertiesHaveAnEnd) {
  const auto why = [](const std::string& keys, const std::string& properties) {
    const auto call = read_request(
        "<CIM CIMVERSION='2.0' DTDVERSION='2.0'><MESSAGE ID='1' PROTOCOLVERSION='1.0'><SIMPLEREQ><IMETHODCALL "
        "NAME='GetInstance'><LOCALNAMESPACEPATH><NAMESPACE NAME='root'/><NAMESPACE NAME='virtualization'/><NAMESPACE "
        "NAME='v2'/></LOCALNAMESPACEPATH><IPARAMVALUE NAME='InstanceName'><INSTANCENAME "
        "CLASSNAME='Msvm_SnapshotCollection'>" +
            keys + "</INSTANCENAME></IPARAMVALUE><IPARAMVALUE NAME='PropertyList'><VALUE.ARRAY>" + properties +
            "</VALUE.ARRAY></IPARAMVALUE></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>",
        "", schema());
    const auto* const failed = call ? std::get_if<cim::OperationFailed>(&call->request) : nullptr;
    return failed == nullptr ? std::string() : failed->description;
  };
  std::string keys, properties;
  for (int i = 0; i < 65; ++i)
    keys += "<KEYBINDING NAME='k" + std::to_string(i) + "'><KEYVALUE>x</KEYVALUE></KEYBINDING>";
  for (int i = 0; i < 1001; ++i) properties += "<VALUE>Name</VALUE>";
  const std::string key = "<KEYBINDING NAME='CollectionID'><KEYVALUE>x</KEYVALUE></KEYBINDING>";
  EXPECT_EQ(why(key, "<VALUE>Name</VALUE>"), "");
  EXPECT_THAT(why(keys, ""), HasSubstr("it has too many keys"));
  EXPECT_THAT(why(key, properties), HasSubstr("PropertyList is too long"));
}

TEST(CimXml, ABodyThatIsNoRequestIsAProtocolError) {
  const auto error = [](std::string_view body) {
    const auto call = read_request(body, "", schema());
    return call ? std::string() : call.error().cim_error;
  };
  EXPECT_EQ(error(""), "request-not-well-formed");
  EXPECT_EQ(error("<!DOCTYPE CIM><CIM/>"), "request-not-well-formed");
  EXPECT_EQ(error("<X/>"), "request-not-valid");
  EXPECT_EQ(error("<CIM CIMVERSION='1.0' DTDVERSION='2.0'/>"), "unsupported-cim-version");
  EXPECT_EQ(error("<CIM CIMVERSION='2.0' DTDVERSION='1.0'/>"), "unsupported-dtd-version");
  EXPECT_EQ(error("<CIM CIMVERSION='2.0' DTDVERSION='2.0'/>"), "request-not-valid");
  EXPECT_EQ(error("<CIM CIMVERSION='2.0' DTDVERSION='2.0'><MESSAGE PROTOCOLVERSION='2.0'/></CIM>"),
            "unsupported-protocol-version");
  EXPECT_EQ(error("<CIM CIMVERSION='2.0' DTDVERSION='2.0'><MESSAGE PROTOCOLVERSION='1.0'><MULTIREQ/></MESSAGE></CIM>"),
            "multiple-requests-unsupported");
}

TEST(CimXml, HeadersMustAgreeWithTheBody) {
  const Call intrinsic = call_of("GetInstance");
  EXPECT_TRUE(headers_agree(intrinsic, "GetInstance", "root/virtualization/v2"));
  EXPECT_TRUE(headers_agree(intrinsic, "GetInstance", "root%2Fvirtualization%2fv2"));
  EXPECT_FALSE(headers_agree(intrinsic, "DeleteInstance", "root/virtualization/v2"));
  EXPECT_FALSE(headers_agree(intrinsic, "GetInstance", "root/cimv2"));
  const Call extrinsic = call_of("ExportSnapshot");
  EXPECT_TRUE(headers_agree(extrinsic, "ExportSnapshot",
                            "root%2Fvirtualization%2Fv2%3AMsvm_CollectionSnapshotService.Name%3D%22svc%22"));
  EXPECT_FALSE(headers_agree(extrinsic, "ExportSnapshot", "root/virtualization/v2:Msvm_Other.Name=\"svc\""));
}

TEST(CimXml, ALongListComesInChunks) {
  cim::Objects objects = two_snapshots();
  while (objects.instances.size() < 5000) objects.instances.push_back(objects.instances.front());
  ReplyStream stream(call_of("EnumerateInstances"), std::move(objects), "host");
  std::size_t chunks = 0;
  while (const auto chunk = stream.next()) {
    ++chunks;
    EXPECT_LT(chunk->size(), 80000U);
  }
  EXPECT_GT(chunks, 10U);
}

}  // namespace
}  // namespace cohort::codec::cimxml
