#include "daemon/cimxml_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/router.h"
#include "daemon/testing/desk.h"
#include "daemon/wsman_handler.h"

namespace cohort::daemon {
namespace {

using testing::HasSubstr;

const std::string kNamespace =
    "<LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"virtualization\"/><NAMESPACE NAME=\"v2\"/>"
    "</LOCALNAMESPACEPATH>";

std::string message(const std::string& call) {
  return "<?xml version=\"1.0\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"7\" PROTOCOLVERSION=\"1.0\">"
         "<SIMPLEREQ>" +
         call + "</SIMPLEREQ></MESSAGE></CIM>";
}

std::string enumerate(const std::string& class_name) {
  return message("<IMETHODCALL NAME=\"EnumerateInstances\">" + kNamespace +
                 "<IPARAMVALUE NAME=\"ClassName\"><CLASSNAME NAME=\"" + class_name +
                 "\"/></IPARAMVALUE></IMETHODCALL>");
}

using Headers = std::vector<http::Header>;

class CimXmlHandlerTest : public testing::Test {
 protected:
  http::Response post(const std::string& body, const Headers& headers, const std::string& target = "/cimom",
                      const std::string& method = "POST") {
    return router.handle({method, target, headers, body, {"192.0.2.1", 1, true}}, desk.doorkeeper.identity());
  }
  static Headers usual(const std::string& method = "EnumerateInstances",
                       const std::string& object = "root/virtualization/v2") {
    return {{"Content-Type", "application/xml; charset=\"utf-8\""},
            {"CIMOperation", "MethodCall"},
            {"CIMMethod", method},
            {"CIMObject", object}};
  }
  static std::string header_of(const http::Response& response, const std::string& name) {
    for (const auto& each : response.headers) {
      if (each.name == name) return each.value;
    }
    return "";
  }
  static std::string text_of(const http::Response& response) { return std::get<std::string>(response.body); }

  // The status, and what the header CIMError says.
  std::string error_of(const std::string& body, const Headers& headers) {
    const auto response = post(body, headers);
    return std::to_string(response.status) + " " + header_of(response, "CIMError");
  }

  Desk desk;
  CimXmlHandler handler{desk.server, Desk::schema(), "host"};
  WsmanHandler wsman{desk.server, Desk::schema()};
  Router router{wsman, handler};
};

TEST_F(CimXmlHandlerTest, AnswersAList) {
  const auto response = post(enumerate("Msvm_VirtualSystemCollection"), usual());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header_of(response, "CIMOperation"), "MethodResponse");
  EXPECT_EQ(header_of(response, "Content-Type"), "application/xml; charset=\"utf-8\"");
  EXPECT_THAT(text_of(response), HasSubstr("MESSAGE ID=\"7\""));
  EXPECT_THAT(text_of(response), HasSubstr("<VALUE>c2</VALUE>"));
}

TEST_F(CimXmlHandlerTest, ReadsUtf16) {
  std::string wide = "\xFF\xFE";
  for (const char c : enumerate("Msvm_VirtualSystemCollection")) (wide += c) += '\0';
  auto headers = usual();
  headers[0].value = "application/xml; charset=\"utf-16\"";
  const auto response = post(wide, headers);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header_of(response, "Content-Type"), "application/xml; charset=\"utf-8\"");
  EXPECT_THAT(text_of(response), HasSubstr("<VALUE>c2</VALUE>"));
}

TEST_F(CimXmlHandlerTest, GivesALongListInChunksToThoseWhoTakeThem) {
  desk.shelf.collections = 2000;
  auto headers = usual();
  const auto whole = post(enumerate("Msvm_VirtualSystemCollection"), headers);
  headers.push_back({"TE", "chunked, trailers"});
  const auto response = post(enumerate("Msvm_VirtualSystemCollection"), headers);
  ASSERT_TRUE(std::holds_alternative<http::Chunks>(response.body));
  std::string joined;
  int chunks = 0;
  for (auto next = std::get<http::Chunks>(response.body); auto chunk = next(); ++chunks) joined += *chunk;
  EXPECT_GT(chunks, 3);
  EXPECT_EQ(joined, text_of(whole));
}

TEST_F(CimXmlHandlerTest, AnswersAtBothOfItsPaths) {
  for (const std::string path : {"/cimom", "/cimom/", "/", "/cimom?x=1", "http://h:5988/cimom", "HTTPS://h?x=/wsman"}) {
    EXPECT_EQ(post(enumerate("Msvm_VirtualSystemCollection"), usual(), path).status, 200) << path;
  }
  EXPECT_EQ(post("", usual(), "/metrics").status, 404);
  for (const std::string path : {"/cimom/x", "//cimom", "/cimom%2f", "cimom", "*", "http://h/x", "/x://h/cimom"}) {
    EXPECT_EQ(post("", usual(), path).status, 404) << path;
  }
  const auto got = post("", {}, "/cimom", "GET");
  EXPECT_EQ(got.status, 405);
  EXPECT_EQ(header_of(got, "Allow"), "POST");
  EXPECT_EQ(post("", usual(), "/cimom", "M-POST").status, 405);
}

TEST_F(CimXmlHandlerTest, TellsFailuresInTheReply) {
  const auto response = post(enumerate("No_Class"), usual());
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(text_of(response), HasSubstr("<ERROR CODE=\"5\""));
}

TEST_F(CimXmlHandlerTest, NamesWhatIsWrongWithTheMessage) {
  const std::string good = enumerate("Msvm_VirtualSystemCollection");
  EXPECT_EQ(error_of("<CIM", usual()), "400 request-not-well-formed");
  EXPECT_EQ(error_of("<OTHER/>", usual()).substr(0, 4), "400 ");
  EXPECT_EQ(error_of(good, usual("GetInstance")), "400 header-mismatch");
  EXPECT_EQ(error_of(good, usual("EnumerateInstances", "root/cimv2")), "400 header-mismatch");
  EXPECT_EQ(error_of(good, {{"Content-Type", "application/xml"}}), "400 unsupported-operation");
  auto batch = usual();
  batch.push_back({"CIMBatch", ""});
  batch.back().value = "CIMBatch";
  EXPECT_EQ(error_of(good, batch), "501 multiple-requests-unsupported");
  auto future = usual();
  future.push_back({"CIMProtocolVersion", "2.0"});
  EXPECT_EQ(error_of(good, future), "501 unsupported-protocol-version");
  auto json = usual();
  json[0].value = "application/json";
  EXPECT_EQ(error_of(good, json), "415 ");
}

TEST_F(CimXmlHandlerTest, CallsAMethodOfAnObjectThatIsNamedInPercents) {
  const std::string call =
      message("<METHODCALL NAME=\"DestroyCollection\"><LOCALINSTANCEPATH>" + kNamespace +
              "<INSTANCENAME CLASSNAME=\"Msvm_CollectionManagementService\"><KEYBINDING NAME=\"Name\"><KEYVALUE "
              "VALUETYPE=\"string\">cms</KEYVALUE></KEYBINDING></INSTANCENAME></LOCALINSTANCEPATH></METHODCALL>");
  const auto response = post(
      call,
      usual("DestroyCollection", "root%2Fvirtualization%2Fv2%3AMsvm_CollectionManagementService.Name%3D%22cms%22"));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(text_of(response), HasSubstr("<RETURNVALUE PARAMTYPE=\"uint32\"><VALUE>0</VALUE>"));
  EXPECT_EQ(desk.shelf.calls, 1);
}

}  // namespace
}  // namespace cohort::daemon
