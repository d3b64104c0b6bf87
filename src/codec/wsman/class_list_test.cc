#include "codec/wsman/class_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/testing/wsman_requests.h"

namespace cohort::codec::wsman {
namespace {

using testing::HasSubstr;
using testing::Not;

const cim::ClassStore& store() { return *schema().find(cim::kVirtualizationNamespace); }

std::string request(const std::string& verb, const std::string& body, const std::string& selectors = "",
                    const std::string& headers = "") {
  return envelope(kEnumeration + verb, "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*", selectors, body,
                  headers);
}

std::string pull(const std::string& context, int most) {
  return request("Pull", "<n:Pull><n:EnumerationContext>" + context + "</n:EnumerationContext><n:MaxElements>" +
                             std::to_string(most) + "</n:MaxElements></n:Pull>");
}

cim::Classes three() {
  return {{*store().find("CIM_ManagedElement"), *store().find("CIM_Collection"), *store().find("CIM_Job")}};
}

TEST(ClassList, ItsContextSaysWhichListItIsAndWhereItGoesOn) {
  const ClassList list{"root/cimv2", "CIM_Job", false, cim::Shape::kPaths, 12, 0};
  const auto read = parse_class_context(to_context(list));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->namespace_name, "root/cimv2");
  EXPECT_EQ(read->class_name, "CIM_Job");
  EXPECT_FALSE(read->is_deep);
  EXPECT_EQ(read->shape, cim::Shape::kPaths);
  EXPECT_EQ(read->first, 12U);
}

TEST(ClassList, OtherContextsAreNone) {
  for (const auto* const context :
       {"", "uuid:1", "classes:", "classes:root/cimv2::1:0", "classes:root/cimv2::1:0:", "classes:root/cimv2::2:0:0",
        "classes:root/cimv2::1:3:0", "classes:root/cimv2::1:0:-1", "classes:root/cimv2:a b:1:0:0",
        "classes:root cimv2::1:0:0", "classes:root/cimv2::1:0:0:", "classes:root/cimv2::1:0:99999999999999999999999"}) {
    EXPECT_FALSE(parse_class_context(context)) << context;
  }
}

TEST(ClassList, IsOfAllClassesUnlessItIsSaidOtherwise) {
  const Call all = call_of(request("Enumerate", "<n:Enumerate/>"));
  EXPECT_EQ(operation_of<cim::EnumerateClasses>(all).class_name, "");
  EXPECT_TRUE(operation_of<cim::EnumerateClasses>(all).is_deep);
  const Call near = call_of(request("Enumerate", "<n:Enumerate/>",
                                    selector("__cimnamespace", "root/cimv2") + selector("ClassName", " CIM_Job "),
                                    "<wsman:OptionSet><wsman:Option Name=\"IncludeSubClasses\">false</wsman:Option>"
                                    "</wsman:OptionSet>"));
  EXPECT_EQ(std::get<cim::Request>(near.operation).namespace_name, "root/cimv2");
  EXPECT_EQ(operation_of<cim::EnumerateClasses>(near).class_name, "CIM_Job");
  EXPECT_FALSE(operation_of<cim::EnumerateClasses>(near).is_deep);
}

TEST(ClassList, HasNoFilter) {
  const auto call = read_request(
      request("Enumerate",
              "<n:Enumerate><wsman:Filter Dialect=\"http://schemas.microsoft.com/wbem/wsman/1/WQL\">SELECT * "
              "FROM meta_class</wsman:Filter></n:Enumerate>"),
      "", schema());
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().fault.subcode, "wsen:FilteringNotSupported");
}

TEST(ClassList, IsReadBatchByBatch) {
  const auto reply_to = [](const std::string& text) {
    const Call call = call_of(text);
    return class_list_reply(call, three(), store(), "uuid:2").value();
  };
  EXPECT_THAT(reply_to(request("Enumerate", "<n:Enumerate/>")),
              HasSubstr("<n:EnumerateResponse><n:EnumerationContext>classes:root/virtualization/v2::1:0:0<"));
  const std::string middle = reply_to(pull("classes:root/virtualization/v2::1:0:1", 1));
  EXPECT_THAT(middle, HasSubstr("<CLASS NAME=\"CIM_Collection\" SUPERCLASS=\"CIM_ManagedElement\" "
                                "DERIVATION=\"CIM_ManagedElement\">"));
  EXPECT_THAT(middle, HasSubstr("<n:EnumerationContext>classes:root/virtualization/v2::1:0:2<"));
  EXPECT_THAT(middle, Not(HasSubstr("CIM_Job\"")));
  const std::string last = reply_to(pull("classes:root/virtualization/v2::1:0:2", 1));
  EXPECT_THAT(last, HasSubstr("<CLASS NAME=\"CIM_Job\""));
  EXPECT_THAT(last, HasSubstr("<n:EndOfSequence>"));
  EXPECT_THAT(last, Not(HasSubstr("EnumerationContext")));
}

TEST(ClassList, EndsWithTheRoomOfTheEnvelope) {
  Call call = call_of(pull("classes:root/virtualization/v2::1:0:0", 32000));
  call.header.max_envelope_bytes =
      class_list_reply(call, {{three().classes.front()}}, store(), "uuid:2")->size() + 2500;
  EXPECT_THAT(class_list_reply(call, three(), store(), "uuid:2").value(),
              HasSubstr("<n:EnumerationContext>classes:root/virtualization/v2::1:0:1<"));
  call.header.max_envelope_bytes = 100;
  EXPECT_EQ(class_list_reply(call, three(), store(), "uuid:2").error().detail, "MaxEnvelopeSize");
}

}  // namespace
}  // namespace cohort::codec::wsman
