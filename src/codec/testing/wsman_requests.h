// Requests of WS-Management for tests, and what is read of them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>

#include "codec/wsman/message.h"

namespace cohort::codec::wsman {

inline const std::string kTransfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer/";
inline const std::string kEnumeration = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/";

inline const cim::Schema& schema() {
  static const cim::Schema built = *cim::Schema::built_in();
  return built;
}

// The prefixes of what is given are wsa, wsman and n (enumeration).
inline std::string envelope(const std::string& action, const std::string& uri, const std::string& selectors,
                            const std::string& body, const std::string& headers = "") {
  return R"(<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:wsman="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Header><wsa:Action s:mustUnderstand="true">)" +
         action + "</wsa:Action><wsman:ResourceURI s:mustUnderstand=\"true\">\n " + uri +
         "\n</wsman:ResourceURI><wsa:MessageID>uuid:1</wsa:MessageID>" + headers +
         (selectors.empty() ? "" : "<wsman:SelectorSet>" + selectors + "</wsman:SelectorSet>") + "</s:Header><s:Body>" +
         body + "</s:Body></s:Envelope>";
}

inline std::string selector(const std::string& name, const std::string& value) {
  return "<wsman:Selector Name=\"" + name + "\">" + value + "</wsman:Selector>";
}

inline Call call_of(const std::string& text) {
  auto call = read_request(text, "", schema());
  EXPECT_TRUE(call) << call.error().fault.subcode << " " << call.error().fault.reason;
  return call ? *std::move(call) : Call{};
}

template <typename T>
T operation_of(const Call& call) {
  const auto* const request = std::get_if<cim::Request>(&call.operation);
  return request == nullptr ? T{} : std::get<T>(request->operation);
}
template <typename T>
T operation_of(const std::string& text) {
  return operation_of<T>(call_of(text));
}

}  // namespace cohort::codec::wsman
