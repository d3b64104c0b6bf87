// What an array of nothing is to Windows' reader, which takes a NULL alone for an array of one NULL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cim/object_path.h"
#include "codec/wsman/message.h"

namespace cohort::codec::wsman {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kTransfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer/";
const std::string kEnumeration = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/";
const std::string kPrecise = "<w:OptionSet><w:Option Name='msftwinrm:UsePreciseArrays'>true</w:Option></w:OptionSet>";
const std::string kContext = "<n:EnumerationContext>uuid:c;arrays</n:EnumerationContext>";

Call call_of(const std::string& action, const std::string& body, const std::string& headers = "") {
  static const cim::Schema schema = *cim::Schema::built_in();
  const std::string text =
      R"(<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"><s:Header><a:Action>)" +
      action +
      "</a:Action><w:ResourceURI>http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/"
      "Msvm_SnapshotCollection</w:ResourceURI><w:SelectorSet><w:Selector Name='CollectionID'>c</w:Selector>"
      "</w:SelectorSet>" +
      headers + "</s:Header><s:Body>" + body + "</s:Body></s:Envelope>";
  auto call = read_request(text, "", schema);
  EXPECT_TRUE(call) << call.error().fault.subcode << " " << call.error().fault.reason;
  return call ? *std::move(call) : Call{};
}

template <typename T>
T operation_of(const Call& call) {
  return std::get<T>(std::get<cim::Request>(call.operation).operation);
}

cim::Instance snapshot() {
  cim::Instance inner{"Cohort_SnapshotFence", {}, {}};
  inner.set("Inner", cim::Value::null(cim::Type::kUint16, true));
  cim::Instance one{
      "Msvm_SnapshotCollection", {}, *cim::parse_object_path("Msvm_SnapshotCollection.CollectionID=\"c\"")};
  one.set("Caption", cim::Value::null(cim::Type::kString));
  one.set("None", cim::Value::null(cim::Type::kString, true));
  one.set("Empty", cim::Value::array(cim::Type::kString, {}));
  one.set("Fence", cim::Value(std::move(inner)));
  return one;
}

std::string listed(const Call& call) {
  ListReply list(call.header);
  EXPECT_TRUE(list.add(snapshot(), cim::Shape::kInstances));
  return list.envelope(false, "uuid:c", "uuid:2");
}

TEST(PreciseArrays, AreToldApartForWhoAsks) {
  const auto text = [](const std::string& options) {
    return reply(call_of(kTransfer + "Get", "", options), cim::Objects{{snapshot()}, cim::Shape::kInstances, "", true},
                 "uuid:2");
  };
  const std::string precise = text(kPrecise);
  EXPECT_THAT(precise, HasSubstr("xmlns:msftwinrm=\"http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd\""));
  EXPECT_THAT(precise, HasSubstr("<p:Caption xsi:nil=\"true\"></p:Caption>"));
  EXPECT_THAT(precise, HasSubstr("<p:None msftwinrm:IsNullArray=\"true\" xsi:nil=\"true\"></p:None>"));
  EXPECT_THAT(precise, HasSubstr("<p:Empty msftwinrm:IsEmptyArray=\"true\" xsi:nil=\"true\"></p:Empty>"));
  EXPECT_THAT(precise, HasSubstr("<p1:Inner msftwinrm:IsNullArray=\"true\" xsi:nil=\"true\"></p1:Inner>"));
  EXPECT_THAT(text(""), HasSubstr("<p:None xsi:nil=\"true\"></p:None><p:Empty xsi:nil=\"true\"></p:Empty>"));
  EXPECT_THAT(text(""), Not(HasSubstr("msftwinrm")));
}

TEST(PreciseArrays, AreThoseOfAMethodToo) {
  Call call = call_of(kTransfer + "Get", "", kPrecise);
  std::get<cim::Request>(call.operation).operation = cim::InvokeMethod{snapshot().path, "Any", {}};
  const cim::MethodResult result{cim::Value(std::uint32_t{0}), {{"Out", cim::Value::null(cim::Type::kString, true)}}};
  EXPECT_THAT(reply(call, result, "uuid:2"),
              HasSubstr("<p:Out msftwinrm:IsNullArray=\"true\" xsi:nil=\"true\"></p:Out>"));
}

// A Pull need not have the options of its Enumerate.
TEST(PreciseArrays, AreThoseOfAListToItsEnd) {
  EXPECT_THAT(listed(call_of(kEnumeration + "Enumerate", "<n:Enumerate/>", kPrecise)), HasSubstr(">uuid:c;arrays<"));
  const Call pull = call_of(kEnumeration + "Pull", "<n:Pull>" + kContext + "</n:Pull>");
  EXPECT_EQ(operation_of<cim::PullObjects>(pull).context, "uuid:c");
  EXPECT_THAT(listed(pull), HasSubstr("msftwinrm:IsNullArray"));
  EXPECT_THAT(listed(pull), HasSubstr(">uuid:c;arrays<"));
  const Call release = call_of(kEnumeration + "Release", "<n:Release>" + kContext + "</n:Release>");
  EXPECT_EQ(operation_of<cim::CloseEnumeration>(release).context, "uuid:c");
}

}  // namespace
}  // namespace cohort::codec::wsman
