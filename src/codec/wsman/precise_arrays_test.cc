// What an array of nothing is to Windows' reader, which takes a NULL alone for an array of one NULL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cim/object_path.h"
#include "codec/testing/wsman_requests.h"

namespace cohort::codec::wsman {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kPrecise =
    "<wsman:OptionSet><wsman:Option Name='msftwinrm:UsePreciseArrays'>true</wsman:Option></wsman:OptionSet>";
const std::string kContext = "<n:EnumerationContext>uuid:c;arrays</n:EnumerationContext>";

Call asked(const std::string& action, const std::string& body, const std::string& headers = "") {
  return call_of(
      envelope(action, "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_SnapshotCollection",
               selector("CollectionID", "c"), body, headers));
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
    return reply(asked(kTransfer + "Get", "", options), cim::Objects{{snapshot()}, cim::Shape::kInstances, "", true},
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
  Call call = asked(kTransfer + "Get", "", kPrecise);
  std::get<cim::Request>(call.operation).operation = cim::InvokeMethod{snapshot().path, "Any", {}};
  const cim::MethodResult result{cim::Value(std::uint32_t{0}), {{"Out", cim::Value::null(cim::Type::kString, true)}}};
  EXPECT_THAT(reply(call, result, "uuid:2"),
              HasSubstr("<p:Out msftwinrm:IsNullArray=\"true\" xsi:nil=\"true\"></p:Out>"));
}

// A Pull need not have the options of its Enumerate.
TEST(PreciseArrays, AreThoseOfAListToItsEnd) {
  EXPECT_THAT(listed(asked(kEnumeration + "Enumerate", "<n:Enumerate/>", kPrecise)), HasSubstr(">uuid:c;arrays<"));
  const Call pull = asked(kEnumeration + "Pull", "<n:Pull>" + kContext + "</n:Pull>");
  EXPECT_EQ(operation_of<cim::PullObjects>(pull).context, "uuid:c");
  EXPECT_THAT(listed(pull), HasSubstr("msftwinrm:IsNullArray"));
  EXPECT_THAT(listed(pull), HasSubstr(">uuid:c;arrays<"));
  const Call release = asked(kEnumeration + "Release", "<n:Release>" + kContext + "</n:Release>");
  EXPECT_EQ(operation_of<cim::CloseEnumeration>(release).context, "uuid:c");
}

}  // namespace
}  // namespace cohort::codec::wsman
