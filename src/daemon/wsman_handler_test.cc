#include "daemon/wsman_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <thread>

#include "codec/xml/utf16.h"
#include "daemon/testing/desk.h"

namespace cohort::daemon {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kUri = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/";
const std::string kEnumeration = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/";
const std::string kGet = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";

std::string envelope(const std::string& action, const std::string& class_name, const std::string& body,
                     const std::string& headers = "") {
  return R"(<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"><s:Header><a:Action>)" +
         action + "</a:Action><w:ResourceURI>" + std::string(kUri) + class_name +
         "</w:ResourceURI><a:MessageID>uuid:1</a:MessageID>" + headers + "</s:Header><s:Body>" + body +
         "</s:Body></s:Envelope>";
}

std::string selected(const std::string& key, const std::string& value) {
  return "<w:SelectorSet><w:Selector Name=\"" + key + "\">" + value + "</w:Selector></w:SelectorSet>";
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::string context_in(const std::string& reply) {
  std::smatch found;
  const std::regex pattern("<n:EnumerationContext>(.+?)</n:EnumerationContext>");
  return std::regex_search(reply, found, pattern) ? found[1].str() : "";
}

class WsmanHandlerTest : public testing::Test {
 protected:
  http::Response post(const std::string& body, const std::string& type = "application/soap+xml;charset=UTF-8") {
    http::Request request{"POST", "/wsman", {{"Content-Type", type}}, body, {"192.0.2.1", 1, true}};
    return handler.handle(request, desk.doorkeeper.identity());
  }
  std::string text_of(const http::Response& response) { return std::get<std::string>(response.body); }
  // Of an answer that has to be one.
  std::string answer_to(const std::string& body) {
    const auto response = post(body);
    EXPECT_EQ(response.status, 200) << text_of(response);
    return text_of(response);
  }
  std::string fault_of(const std::string& body) {
    const auto response = post(body);
    EXPECT_EQ(response.status, 500) << text_of(response);
    return text_of(response);
  }
  std::string enumerate(const std::string& what, const std::string& headers = "") {
    return answer_to(envelope(kEnumeration + "Enumerate", "Msvm_VirtualSystemCollection",
                              "<n:Enumerate>" + what + "</n:Enumerate>", headers));
  }
  std::string pull(const std::string& context, const std::string& most, const std::string& headers = "") {
    return envelope(kEnumeration + "Pull", "Msvm_VirtualSystemCollection",
                    "<n:Pull><n:EnumerationContext>" + context + "</n:EnumerationContext>" + most + "</n:Pull>",
                    headers);
  }
  void release(const std::string& context) {
    answer_to(envelope(kEnumeration + "Release", "Msvm_VirtualSystemCollection",
                       "<n:Release><n:EnumerationContext>" + context + "</n:EnumerationContext></n:Release>"));
  }
  static std::string call(const std::string& headers = "") {
    return envelope(std::string(kUri) + "Msvm_CollectionManagementService/DestroyCollection",
                    "Msvm_CollectionManagementService", "", headers + selected("Name", "cms"));
  }

  Desk desk{{std::chrono::seconds(60), 8}};
  WsmanHandler handler{desk.server, Desk::schema()};
};

TEST_F(WsmanHandlerTest, SaysWhoItIs) {
  const auto response =
      post(R"(<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><i:Identify
    xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>)");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.at(0).value, "application/soap+xml;charset=UTF-8");
  EXPECT_THAT(text_of(response), HasSubstr("<wsmid:ProductVendor>Cohort<"));
}

TEST_F(WsmanHandlerTest, GetsAnInstanceAndCountsIt) {
  const auto reply = answer_to(envelope(kGet, "Msvm_VirtualSystemCollection", "", selected("CollectionID", "c1")));
  EXPECT_THAT(reply, HasSubstr("<p:CollectionID>c1</p:CollectionID>"));
  EXPECT_THAT(desk.metrics.text(),
              HasSubstr(R"(cohort_requests_total{operation="get_instance",outcome="done",protocol="wsman"} 1)"));
}

TEST_F(WsmanHandlerTest, AnswersAPutWithTheInstance) {
  const std::string kept = "<p:C xmlns:p='x'><p:CollectionID>c1</p:CollectionID></p:C>";
  const auto reply = answer_to(envelope("http://schemas.xmlsoap.org/ws/2004/09/transfer/Put",
                                        "Msvm_VirtualSystemCollection", kept, selected("CollectionID", "c1")));
  EXPECT_THAT(reply, HasSubstr("transfer/PutResponse<"));
  EXPECT_THAT(reply, HasSubstr("<s:Body><p:Msvm_VirtualSystemCollection "));
  EXPECT_THAT(reply, HasSubstr("<p:CollectionID>c1</p:CollectionID>"));
}

TEST_F(WsmanHandlerTest, AnswersFaultsWithStatus500) {
  EXPECT_THAT(fault_of(envelope(kGet, "Msvm_VirtualSystemCollection", "", selected("CollectionID", "none"))),
              HasSubstr("a:DestinationUnreachable"));
  EXPECT_THAT(fault_of("<no-soap/>"), HasSubstr("s:Fault"));
  EXPECT_THAT(fault_of("not even XML"), HasSubstr("w:SchemaValidationError"));
  EXPECT_THAT(desk.log.lines(), Each(HasSubstr("request-refused")));
}

TEST_F(WsmanHandlerTest, RefusesWhatIsNotSoap) {
  EXPECT_EQ(post("{}", "application/json").status, 415);
  EXPECT_EQ(post("", "").status, 415);
  EXPECT_EQ(post("x", "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\"").status, 415);
}

TEST_F(WsmanHandlerTest, AnswersUtf16InUtf16) {
  const std::string body = envelope(kGet, "Msvm_VirtualSystemCollection", "", selected("CollectionID", "c1"));
  const auto response = post(codec::xml::to_utf16(body), "application/soap+xml;charset=UTF-16");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.at(0).value, "application/soap+xml;charset=UTF-16");
  EXPECT_TRUE(text_of(response).starts_with("\xFF\xFE"));
  EXPECT_THAT(*codec::xml::to_utf8(text_of(response), ""), HasSubstr("<p:CollectionID>c1</p:CollectionID>"));
  EXPECT_EQ(post(body, "application/soap+xml;charset=UTF-16").headers.at(0).value,
            "application/soap+xml;charset=UTF-8");
}

TEST_F(WsmanHandlerTest, EnumeratesOneObjectAtATime) {
  std::string reply = enumerate("");
  EXPECT_EQ(count(reply, "<p:CollectionID>"), 0U);
  EXPECT_THAT(reply, Not(HasSubstr("EndOfSequence")));
  for (int number = 0; number < 3; ++number) {
    reply = answer_to(pull(context_in(reply), ""));
    EXPECT_EQ(count(reply, "<p:CollectionID>"), 1U);
  }
  EXPECT_THAT(reply, HasSubstr("<n:EndOfSequence>"));
  EXPECT_EQ(context_in(reply), "");
}

TEST_F(WsmanHandlerTest, EndsAnEmptyEnumerationInItsPull) {
  desk.shelf.collections = 0;
  const std::string reply = enumerate("");
  EXPECT_NE(context_in(reply), "");
  EXPECT_THAT(answer_to(pull(context_in(reply), "")), HasSubstr("<n:EndOfSequence>"));
}

TEST_F(WsmanHandlerTest, NamesTheTimeThatAnEnumerationWasGranted) {
  EXPECT_THAT(enumerate("<n:Expires>PT5M</n:Expires>"), HasSubstr("<n:Expires>P0DT0H5M0S</n:Expires>"));
  EXPECT_THAT(enumerate("<n:Expires>P30D</n:Expires>"), HasSubstr("<n:Expires>P0DT0H15M0S</n:Expires>"));
  EXPECT_THAT(enumerate(""), Not(HasSubstr("Expires")));
}

TEST_F(WsmanHandlerTest, OptimisedEnumerationMayBeDoneAtOnce) {
  const std::string reply = enumerate("<w:OptimizeEnumeration/><w:MaxElements>10</w:MaxElements>");
  EXPECT_EQ(count(reply, "<p:CollectionID>"), 3U);
  EXPECT_THAT(reply, HasSubstr("<w:EndOfSequence>"));
}

TEST_F(WsmanHandlerTest, APullAnswersInTheShapeThatTheEnumerationAskedFor) {
  const std::string reply = enumerate("<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>");
  const std::string pulled = answer_to(pull(context_in(reply), "<n:MaxElements>5</n:MaxElements>"));
  EXPECT_EQ(count(pulled, "<a:EndpointReference>"), 3U);
  EXPECT_THAT(pulled, Not(HasSubstr("<p:ElementName>")));
}

// All objects arrive once each, though the last batch that the broker gives does not fit.
TEST_F(WsmanHandlerTest, WhatDoesNotFitIntoTheEnvelopeIsPulledNext) {
  desk.shelf.collections = 10;
  desk.shelf.name_bytes = 2000;
  const std::string small = "<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>";
  std::string reply = enumerate("<w:OptimizeEnumeration/><w:MaxElements>100</w:MaxElements>", small);
  std::string all = reply;
  int pulls = 0;
  for (; context_in(reply) != "" && pulls < 20; ++pulls) {
    EXPECT_LE(reply.size(), 8192U);
    reply = answer_to(pull(context_in(reply), "<n:MaxElements>100</n:MaxElements>", small));
    all += reply;
  }
  EXPECT_GT(pulls, 2);
  for (int number = 0; number < 10; ++number) {
    EXPECT_EQ(count(all, "<p:CollectionID>c" + std::to_string(number) + "<"), 1U);
  }
}

TEST_F(WsmanHandlerTest, AnObjectThatNeverFitsIsAFaultAndLeavesTheEnumeration) {
  desk.shelf.name_bytes = 20000;
  const std::string small = "<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>";
  const std::string context = context_in(enumerate(""));
  EXPECT_THAT(fault_of(pull(context, "", small)), HasSubstr("faultDetail/MaxEnvelopeSize"));
  EXPECT_THAT(answer_to(pull(context, "")), HasSubstr("<p:CollectionID>c0<"));
  EXPECT_THAT(fault_of(envelope(kGet, "Msvm_VirtualSystemCollection", "", selected("CollectionID", "c1") + small)),
              HasSubstr("faultDetail/MaxEnvelopeSize"));
}

TEST_F(WsmanHandlerTest, AContextThatWasReleasedIsUnknown) {
  const std::string context = context_in(enumerate(""));
  release(context);
  EXPECT_THAT(fault_of(pull(context, "")), HasSubstr("n:InvalidEnumerationContext"));
}

TEST_F(WsmanHandlerTest, AQuestionThatTakesTooLongIsGivenUp) {
  desk.shelf.delay = std::chrono::milliseconds(500);
  const std::string get = envelope(kGet, "Msvm_VirtualSystemCollection", "",
                                   "<w:OperationTimeout>PT0.05S</w:OperationTimeout>" + selected("CollectionID", "c1"));
  EXPECT_THAT(fault_of(get), HasSubstr("w:TimedOut"));
  EXPECT_THAT(desk.log.lines(), Contains(HasSubstr("warning timed-out")));
  // Two of the same caller, a quarter of what all may have, are still being worked on: no third is begun.
  fault_of(get);
  EXPECT_THAT(fault_of(get), HasSubstr("w:QuotaLimit"));
}

TEST_F(WsmanHandlerTest, AnEnumerationThatIsOpenedTooLateIsClosed) {
  const std::string late = envelope(kEnumeration + "Enumerate", "Msvm_VirtualSystemCollection", "<n:Enumerate/>",
                                    "<w:OperationTimeout>PT0.002S</w:OperationTimeout>");
  desk.shelf.delay = std::chrono::milliseconds(10);
  const std::size_t most = provider::EnumerationLimits{}.contexts_of_one_caller;
  for (std::size_t given_up = 0; given_up <= most;) {
    const std::string answer = text_of(post(late));
    while (desk.server.late() > 0) std::this_thread::yield();
    if (answer.find("w:TimedOut") != std::string::npos) {
      ++given_up;
    } else {  // a busy host looks at the clock too late
      release(context_in(answer));
    }
  }
  desk.shelf.delay = std::chrono::milliseconds(0);
  EXPECT_THAT(context_in(enumerate("")), HasSubstr("uuid:"));
}

TEST_F(WsmanHandlerTest, AnEnumerationWhosePullIsGivenUpIsOver) {
  desk.shelf.is_found_one_by_one = true;
  const std::string context = context_in(enumerate(""));
  desk.shelf.delay = std::chrono::milliseconds(500);
  EXPECT_THAT(fault_of(pull(context, "", "<w:OperationTimeout>PT0.05S</w:OperationTimeout>")), HasSubstr("w:TimedOut"));
  desk.shelf.delay = std::chrono::milliseconds(0);
  EXPECT_THAT(fault_of(pull(context, "")), HasSubstr("n:InvalidEnumerationContext"));
  while (desk.server.late() > 0) std::this_thread::yield();
  EXPECT_THAT(fault_of(pull(context, "")), HasSubstr("n:InvalidEnumerationContext"));
}

TEST_F(WsmanHandlerTest, ACallIsAnsweredHoweverLongItTakesSinceItCannotBeTakenBack) {
  desk.shelf.call_delay = std::chrono::milliseconds(100);
  answer_to(call("<w:OperationTimeout>PT0.01S</w:OperationTimeout>"));
  EXPECT_EQ(desk.shelf.calls, 1);
}

TEST_F(WsmanHandlerTest, WritesDownWhoDidWhat) {
  answer_to(call());
  desk.shelf.code = 32773;
  answer_to(call());
  desk.doorkeeper.role = http::Role::kOperator;
  EXPECT_THAT(fault_of(call()), HasSubstr("w:AccessDenied"));
  EXPECT_EQ(desk.shelf.calls, 2);
  const auto lines = desk.log.lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], HasSubstr("notice changed: DestroyCollection: returned 0 [user=ann address=192.0.2.1"));
  EXPECT_THAT(lines[0], HasSubstr("object=root/virtualization/v2:Msvm_CollectionManagementService"));
  EXPECT_THAT(lines[1], HasSubstr("warning change-failed: DestroyCollection: returned 32773"));
  EXPECT_THAT(lines[2], HasSubstr("warning access-denied: DestroyCollection: "));
}

}  // namespace
}  // namespace cohort::daemon
