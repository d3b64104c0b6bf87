#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cim/object_path.h"
#include "codec/testing/settings_dialects.h"
#include "codec/testing/wsman_requests.h"
#include "codec/wsman/xs_time.h"
#include "codec/xml/utf16.h"
#include "codec/xml/writer.h"

namespace cohort::codec::wsman {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kMs = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/";
constexpr std::string_view kDm = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";

std::string fault_in(const std::string& text) {
  const auto call = read_request(text, "", schema());
  return call ? "" : call.error().fault.subcode + " " + call.error().fault.detail;
}

cim::Instance snapshot(const std::string& id) {
  cim::Instance one{
      "Msvm_SnapshotCollection", {}, *cim::parse_object_path("Msvm_SnapshotCollection.CollectionID=\"" + id + "\"")};
  one.set("Caption", cim::Value::null(cim::Type::kString));
  one.set("CollectionID", cim::Value(id));
  one.set("Names", cim::Value::array_of<std::string>({"a", "b"}));
  one.set("None", cim::Value::null(cim::Type::kString, true));
  one.set("Empty", cim::Value::array(cim::Type::kString, {}));
  one.set("At", cim::Value(*cim::Datetime::parse("20260301130000.000000+060")));
  return one;
}

const std::string kSnapshotUri = std::string(kMs) + "Msvm_SnapshotCollection";
const std::string kPull = "<n:Pull><n:EnumerationContext>ctx</n:EnumerationContext></n:Pull>";

TEST(WsMan, IdentifyNeedsNoHeader) {
  const Call call =
      call_of(R"(<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><i:Identify
    xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>)");
  EXPECT_TRUE(std::holds_alternative<Identify>(call.operation));
  EXPECT_THAT(identify_reply({"V", "1"}), HasSubstr("<wsmid:ProductVendor>V</wsmid:ProductVendor>"));
}

TEST(WsMan, APullIsAnsweredInTheFamilyAndNamespaceOfItsUri) {
  const auto header_of = [](const std::string& uri, const std::string& selectors) {
    return call_of(envelope(kEnumeration + "Pull", uri, selectors, kPull)).header;
  };
  const Header windows = header_of("http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Any", "");
  EXPECT_EQ(windows.namespace_name, "root/cimv2");
  EXPECT_EQ(windows.family, UriFamily::kWmi);
  const Header dmtf = header_of(std::string(kDm) + "Any", selector("__cimnamespace", "root/interop"));
  EXPECT_EQ(dmtf.namespace_name, "root/interop");
  EXPECT_EQ(dmtf.family, UriFamily::kDmtf);
  EXPECT_EQ(header_of("no URI", "").namespace_name, "root/virtualization/v2");
  EXPECT_EQ(header_of(std::string(kDm) + "*", selector("__cimnamespace", "root/none")).namespace_name,
            "root/virtualization/v2");
}

TEST(WsMan, BothFamiliesOfUrisNameTheSameInstance) {
  const auto one =
      operation_of<cim::GetInstance>(envelope(kTransfer + "Get", kSnapshotUri, selector("collectionid", "c-1"), ""));
  EXPECT_EQ(cim::to_text(one.path), "root/virtualization/v2:Msvm_SnapshotCollection.CollectionID=\"c-1\"");
  const auto two = operation_of<cim::GetInstance>(
      envelope(kTransfer + "Get", std::string(kDm) + "Msvm_SnapshotCollection",
               selector("CollectionID", "c-1") + selector("__cimnamespace", "root/virtualization/v2"), ""));
  EXPECT_EQ(one.path, two.path);
}

TEST(WsMan, WrongTargetsAreFaults) {
  const auto get = [](const std::string& uri, const std::string& selectors) {
    return fault_in(envelope(kTransfer + "Get", uri, selectors, ""));
  };
  EXPECT_EQ(get("http://example.com/x", ""), "wsa:DestinationUnreachable InvalidResourceURI");
  EXPECT_EQ(get(std::string(kMs) + "Msvm_Nothing", ""), "wsa:DestinationUnreachable InvalidResourceURI");
  EXPECT_EQ(get("http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/Msvm_ComputerSystem", ""),
            "wsa:DestinationUnreachable InvalidNamespace");
  EXPECT_EQ(get(kSnapshotUri, ""), "wsman:InvalidSelectors InsufficientSelectors");
  EXPECT_EQ(get(kSnapshotUri, selector("Colour", "x")), "wsman:InvalidSelectors UnexpectedSelectors");
  EXPECT_EQ(get(kSnapshotUri, selector("CollectionID", "x") + selector("CollectionID", "y")),
            "wsman:InvalidSelectors DuplicateSelectors");
  EXPECT_EQ(get(kSnapshotUri, selector("__cimnamespace", "root/cimv2")), "wsman:InvalidSelectors ");
  std::string many;
  for (int i = 0; i < 65; ++i) many += selector("k" + std::to_string(i), "x");
  EXPECT_EQ(get(kSnapshotUri, many), "wsman:InvalidSelectors ");
}

TEST(WsMan, WrongEnvelopesAreFaults) {
  EXPECT_EQ(fault_in(""), "wsman:SchemaValidationError ");
  EXPECT_EQ(fault_in("<a/>"), "wsman:SchemaValidationError ");
  const auto with = [](const std::string& headers) {
    return fault_in(envelope(kTransfer + "Get", kSnapshotUri, selector("CollectionID", "c"), "", headers));
  };
  EXPECT_EQ(with("<x:New xmlns:x='urn:x' s:mustUnderstand='true'/>"), "s:MustUnderstand ");
  EXPECT_EQ(with("<x:New xmlns:x='urn:x' s:mustUnderstand='false'/>"), "");
  EXPECT_EQ(with("<wsman:FragmentTransfer s:mustUnderstand='true'>x</wsman:FragmentTransfer>"),
            "wsman:UnsupportedFeature FragmentLevelAccess");
  EXPECT_EQ(with("<wsman:MaxEnvelopeSize>100</wsman:MaxEnvelopeSize>"), "wsman:EncodingLimit MinimumEnvelopeLimit");
  EXPECT_EQ(with("<wsman:OperationTimeout>soon</wsman:OperationTimeout>"), "wsman:SchemaValidationError ");
  EXPECT_EQ(with("<wsa:ReplyTo><wsa:Address>http://a</wsa:Address></wsa:ReplyTo>"),
            "wsman:UnsupportedFeature AddressingMode");
  EXPECT_EQ(fault_in(envelope("urn:other", kSnapshotUri, "", "")), "wsa:ActionNotSupported ");
}

TEST(WsMan, EnumerationsAreReadWithTheirModes) {
  const auto plain =
      operation_of<cim::OpenEnumeration>(envelope(kEnumeration + "Enumerate", kSnapshotUri, "", "<n:Enumerate/>"));
  EXPECT_EQ(plain.max_objects, 0U);
  const auto optimised = operation_of<cim::OpenEnumeration>(
      envelope(kEnumeration + "Enumerate", kSnapshotUri, "",
               "<n:Enumerate><wsman:OptimizeEnumeration/><wsman:MaxElements>512</wsman:MaxElements>"
               "<wsman:EnumerationMode>EnumerateEPR</wsman:EnumerationMode></n:Enumerate>"));
  EXPECT_EQ(optimised.max_objects, 512U);
  EXPECT_EQ(optimised.shape, cim::Shape::kPaths);
  EXPECT_EQ(operation_of<cim::PullObjects>(envelope(kEnumeration + "Pull", "urn:anything", "", kPull)).max_objects, 1U);
}

TEST(WsMan, AnOptionThatMustBeCompliedWithIsRefused) {
  const auto with = [](const std::string& option) {
    return fault_in(envelope(kTransfer + "Get", kSnapshotUri, selector("CollectionID", "c"), "",
                             "<wsman:OptionSet s:mustUnderstand='true'>" + option + "</wsman:OptionSet>"));
  };
  EXPECT_EQ(with(""), "");
  EXPECT_EQ(with("<wsman:Option Name='wmi:__MI_OPERATIONOPTIONS_WRITEERRORMODE'>1</wsman:Option>"), "");
  EXPECT_EQ(with("<wsman:Option Name='a' MustComply='false'/>"), "");
  EXPECT_EQ(with("<wsman:Option Name='a'/><wsman:Option Name='b' MustComply='true'/>"),
            "wsman:InvalidOptions NotSupported");
  EXPECT_EQ(with("<wsman:Option Name='b' MustComply='1'/>"), "wsman:InvalidOptions NotSupported");
}

TEST(WsMan, AnEnvelopeInUtf16HoldsHalfAsMuch) {
  const std::string request = envelope(kTransfer + "Get", kSnapshotUri, selector("CollectionID", "c"), "",
                                       "<wsman:MaxEnvelopeSize>20000</wsman:MaxEnvelopeSize>");
  EXPECT_EQ(call_of(request).header.max_envelope_bytes, 20000U);
  EXPECT_EQ(call_of(xml::to_utf16(request)).header.max_envelope_bytes, 10000U);
}

TEST(WsMan, APutChangesWhatItsOptionsName) {
  const auto put = [](const std::string& options) {
    return operation_of<cim::ModifyInstance>(
        envelope(kTransfer + "Put", kSnapshotUri, selector("CollectionID", "c"),
                 "<p:Msvm_SnapshotCollection xmlns:p='x'><p:ElementName>a</p:ElementName></p:Msvm_SnapshotCollection>",
                 "<wsman:OptionSet>" + options + "</wsman:OptionSet>"));
  };
  const std::string option = "<wsman:Option Name='wmiarray:__MIInstanceModifiedPropertiesList'>";
  EXPECT_EQ(put("").properties, std::nullopt);
  EXPECT_EQ(put(option + "Caption</wsman:Option>" + option + "ElementName</wsman:Option>").properties,
            (std::vector<std::string>{"Caption", "ElementName"}));
}

TEST(WsMan, AnEnumerationMaySayHowLongItLives) {
  const auto enumerate = [](const std::string& expires) {
    return envelope(kEnumeration + "Enumerate", kSnapshotUri, "",
                    "<n:Enumerate><n:Expires>" + expires + "</n:Expires></n:Enumerate>");
  };
  const auto timeout = [&](const std::string& expires) {
    return operation_of<cim::OpenEnumeration>(enumerate(expires)).timeout;
  };
  EXPECT_EQ(timeout("PT10M"), std::chrono::minutes(10));
  EXPECT_EQ(timeout(" PT0.5S "), std::chrono::seconds(1));
  EXPECT_EQ(timeout(""), std::nullopt);
  EXPECT_GT(timeout("9999-01-01T00:00:00Z"), std::chrono::hours(24));
  for (const auto* const wrong : {"PT0S", "1999-01-01T00:00:00Z", "soon", "P1Y"}) {
    EXPECT_EQ(fault_in(enumerate(wrong)), "wsen:InvalidExpirationTime ") << wrong;
  }
}

TEST(WsMan, TheTimeThatWasGrantedIsNamedToWhomAskedForIt) {
  const Call call = call_of(
      envelope(kEnumeration + "Enumerate", kSnapshotUri, "", "<n:Enumerate><n:Expires>PT2H</n:Expires></n:Enumerate>"));
  EXPECT_EQ(call.expires, std::chrono::hours(2));
  ListReply list(call.header);
  EXPECT_THAT(list.envelope(false, "ctx", "uuid:2"), Not(HasSubstr("Expires")));
  list.grant(std::chrono::minutes(15));
  EXPECT_THAT(list.envelope(false, "ctx", "uuid:2"),
              HasSubstr("<n:EnumerateResponse><n:Expires>P0DT0H15M0S</n:Expires><n:EnumerationContext>ctx<"));
  EXPECT_THAT(list.envelope(true, "", "uuid:2"), Not(HasSubstr("Expires")));
}

std::string filtered(const std::string& filter) {
  return envelope(kEnumeration + "Enumerate", std::string(kMs) + "*", "", "<n:Enumerate>" + filter + "</n:Enumerate>");
}

TEST(WsMan, FiltersAreRead) {
  const auto query = operation_of<cim::OpenEnumeration>(
      filtered("<wsman:Filter Dialect=\"http://schemas.microsoft.com/wbem/wsman/1/WQL\">SELECT * FROM Msvm_ConcreteJob "
               "WHERE InstanceID='j'</wsman:Filter>"));
  EXPECT_EQ(std::get<cim::QueryFor>(query.what).text, "SELECT * FROM Msvm_ConcreteJob WHERE InstanceID='j'");
  EXPECT_EQ(fault_in(filtered(
                "<wsman:Filter Dialect=\"http://schemas.microsoft.com/wbem/wsman/1/WQL\">SELECT</wsman:Filter>")),
            "wsen:CannotProcessFilter ");
  EXPECT_EQ(fault_in(filtered("<wsman:Filter Dialect=\"urn:x\">x</wsman:Filter>")),
            "wsen:FilterDialectRequestedUnavailable ");
  const auto selected = operation_of<cim::OpenEnumeration>(
      envelope(kEnumeration + "Enumerate", kSnapshotUri, "",
               "<n:Enumerate><wsman:Filter "
               "Dialect=\"http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter\"><wsman:SelectorSet>" +
                   selector("ElementName", "it's \"a\" \\") + "</wsman:SelectorSet></wsman:Filter></n:Enumerate>"));
  EXPECT_EQ(std::get<cim::QueryFor>(selected.what).text,
            R"(SELECT * FROM Msvm_SnapshotCollection WHERE ElementName = "it's \"a\" \\")");
}

std::string associated_with_a_snapshot(const std::string& wanted) {
  return filtered(
      "<wsman:Filter "
      "Dialect=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter\"><b:AssociatedInstances "
      "xmlns:b=\"urn:b\"><b:Object><wsa:Address/><wsa:ReferenceParameters><wsman:ResourceURI>" +
      kSnapshotUri + "</wsman:ResourceURI><wsman:SelectorSet>" + selector("CollectionID", "c-1") +
      "</wsman:SelectorSet></wsa:ReferenceParameters></b:Object>" + wanted + "</b:AssociatedInstances></wsman:Filter>");
}

TEST(WsMan, AssociationsAreFiltered) {
  const std::string jobs = "<b:ResultClassName>Msvm_ConcreteJob</b:ResultClassName>";
  const auto associated =
      operation_of<cim::OpenEnumeration>(associated_with_a_snapshot(jobs + "<b:IncludeResultProperty/>"));
  const auto& associators = std::get<cim::AssociatorsOf>(associated.what);
  EXPECT_EQ(associators.result_class, "Msvm_ConcreteJob");
  EXPECT_EQ(*associators.source.key("CollectionID"), cim::Value("c-1"));
  EXPECT_EQ(
      fault_in(associated_with_a_snapshot(jobs + "<b:IncludeResultProperty>ElementName</b:IncludeResultProperty>")),
      "wsman:UnsupportedFeature FragmentLevelAccess");
}

const std::string kService = std::string(kMs) + "Msvm_CollectionSnapshotService";

std::string export_call(const std::string& parameters) {
  return envelope(kService + "/ExportSnapshot", kService, "",
                  "<p:ExportSnapshot_INPUT xmlns:p=\"urn:wrong\">" + parameters + "</p:ExportSnapshot_INPUT>");
}

TEST(WsMan, ReferencesComeInThreeForms) {
  const std::string parameters = "<wsa:Address/><wsa:ReferenceParameters><wsman:ResourceURI>" + kSnapshotUri +
                                 "</wsman:ResourceURI><wsman:SelectorSet>" + selector("CollectionID", "c-1") +
                                 "</wsman:SelectorSet></wsa:ReferenceParameters>";
  for (const std::string& content :
       {"<p:SnapshotCollection>" + parameters + "</p:SnapshotCollection>",
        "<p:SnapshotCollection><wsa:EndpointReference>" + parameters +
            "</wsa:EndpointReference></p:SnapshotCollection>",
        std::string(
            "<p:SnapshotCollection xsi:type=\"p1:Msvm_SnapshotCollection_Type\"><p1:CollectionID xmlns:p1=\"urn:1\">c-1"
            "</p1:CollectionID></p:SnapshotCollection>")}) {
    const auto invoke = operation_of<cim::InvokeMethod>(export_call(content));
    ASSERT_EQ(invoke.parameters.size(), 1U) << content;
    EXPECT_EQ(*invoke.parameters[0].value.reference()->key("CollectionID"), cim::Value("c-1")) << content;
  }
}

TEST(WsMan, SettingsComeAsTextAndAsElements) {
  const std::string text =
      "<p:ExportSettingData><![CDATA[<INSTANCE CLASSNAME=\"Msvm_CollectionSnapshotExportSettingData\"><PROPERTY "
      "NAME=\"CopyVmStorage\" TYPE=\"boolean\"><VALUE>true</VALUE></PROPERTY></INSTANCE>]]></p:ExportSettingData>";
  const std::string elements =
      "<p:ExportSettingData xsi:type=\"x:Msvm_CollectionSnapshotExportSettingData_Type\">"
      "<p:CopyVmStorage>true</p:CopyVmStorage></p:ExportSettingData>";
  for (const std::string& content : {text, elements}) {
    const auto invoke = operation_of<cim::InvokeMethod>(export_call(content));
    ASSERT_EQ(invoke.parameters.size(), 1U);
    EXPECT_EQ(invoke.parameters[0].value.instance()->at("CopyVmStorage"), cim::Value(true));
  }
  EXPECT_EQ(fault_in(export_call("<p:Colour>x</p:Colour>")), "wsman:InvalidParameter ");
  EXPECT_EQ(fault_in(export_call("<p:ExportDirectory>a</p:ExportDirectory><p:ExportDirectory>b</p:ExportDirectory>")),
            "wsman:InvalidParameter ");
}

TEST(WsMan, SettingsAreReadInEveryDialect) {
  for (const std::string& text : settings_in_every_dialect()) {
    for (const std::string& written : {xml::escaped(text), "<![CDATA[" + text + "]]>"}) {
      const auto invoke =
          operation_of<cim::InvokeMethod>(export_call("<p:ExportSettingData>" + written + "</p:ExportSettingData>"));
      ASSERT_EQ(invoke.parameters.size(), 1U) << text;
      const cim::Instance* const settings = invoke.parameters[0].value.instance();
      ASSERT_NE(settings, nullptr) << text;
      EXPECT_EQ(settings->at("CopyVmStorage"), cim::Value(true)) << text;
      EXPECT_EQ(settings->at("BackupIntent"), cim::Value(std::uint16_t{1})) << text;
    }
  }
}

TEST(WsMan, AnInstanceIsWrittenAsReadersWantIt) {
  const Call call = call_of(envelope(kTransfer + "Get", kSnapshotUri, selector("CollectionID", "c-1"), ""));
  const std::string text = reply(call, cim::Objects{{snapshot("c-1")}, cim::Shape::kInstances, "", true}, "uuid:2");
  EXPECT_THAT(text, HasSubstr("<a:Action>" + kTransfer + "GetResponse</a:Action>"));
  EXPECT_THAT(text, HasSubstr("<a:RelatesTo>uuid:1</a:RelatesTo>"));
  EXPECT_THAT(
      text, HasSubstr("<p:Msvm_SnapshotCollection xmlns:p=\"" + kSnapshotUri +
                      "\" xsi:type=\"p:Msvm_SnapshotCollection_Type\">"
                      "<p:Caption xsi:nil=\"true\"></p:Caption><p:CollectionID>c-1</p:CollectionID><p:Names>a</p:Names>"
                      "<p:Names>b</p:Names><p:None xsi:nil=\"true\"></p:None><p:Empty "
                      "xsi:nil=\"true\"></p:Empty><p:At><cim:Datetime>2026-03-01T12:00:00Z</cim:Datetime></p:At>"));
}

TEST(WsMan, AMethodsReferenceIsNotWrapped) {
  const std::string text =
      reply(call_of(export_call("")),
            cim::MethodResult{cim::Value(std::uint32_t{4096}),
                              {{"Job", cim::Value(*cim::parse_object_path("Msvm_ConcreteJob.InstanceID=\"j\""))}}},
            "uuid:2");
  EXPECT_THAT(text, HasSubstr("<p:ExportSnapshot_OUTPUT xmlns:p=\"" + kService + "\"><p:Job><a:Address xmlns:a="));
  EXPECT_THAT(text, HasSubstr("<w:Selector Name=\"InstanceID\">j</w:Selector>"));
  EXPECT_THAT(text, HasSubstr("<p:ReturnValue>4096</p:ReturnValue></p:ExportSnapshot_OUTPUT>"));
}

std::string answer_with(const std::string& class_name, const std::string& method, const cim::NamedValue& out) {
  const std::string uri = std::string(kMs) + class_name;
  const Call call = call_of(envelope(uri + "/" + method, uri, "", "<p:_INPUT xmlns:p=\"u\"/>"));
  return reply(call, cim::MethodResult{cim::Value(std::uint32_t{0}), {out}}, "uuid:2");
}

TEST(WsMan, AChangeIsReadWithItsPathAndProperties) {
  const std::string uri = std::string(kMs) + "Msvm_VirtualSystemSettingData";
  const std::string body = "<p:Msvm_VirtualSystemSettingData xmlns:p=\"" + uri +
                           "\"><p:Notes>a</p:Notes><p:Notes>b</p:Notes><p:Caption xsi:nil=\"true\">x</p:Caption>"
                           "</p:Msvm_VirtualSystemSettingData>";
  const std::string text = envelope(kTransfer + "Put", uri, selector("InstanceID", "i"), body);
  const auto modify = operation_of<cim::ModifyInstance>(text);
  EXPECT_EQ(cim::to_local_text(modify.instance.path),
            "root/virtualization/v2:Msvm_VirtualSystemSettingData.InstanceID=\"i\"");
  EXPECT_EQ(modify.instance.at("Notes"), cim::Value::array_of(std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(modify.instance.at("Caption").is_null());
  EXPECT_THAT(reply(call_of(text), cim::Done{}, "uuid:2"), HasSubstr("PutResponse</a:Action>"));
}

// As Windows sends them; a well-known reader of GetErrorEx takes the first attribute of a property for its name.
TEST(WsMan, InstancesInStringsAreText) {
  cim::Instance error{"Msvm_Error", {}, {}};
  error.set("Message", cim::Value("no <room>"));
  const std::string text =
      "&lt;INSTANCE CLASSNAME=&quot;Msvm_Error&quot;&gt;&lt;PROPERTY NAME=&quot;Message&quot; "
      "TYPE=&quot;string&quot;&gt;"
      "&lt;VALUE&gt;no &amp;lt;room&amp;gt;&lt;/VALUE&gt;&lt;/PROPERTY&gt;&lt;/INSTANCE&gt;";
  EXPECT_THAT(answer_with("Msvm_ConcreteJob", "GetError", {"Error", cim::Value(error)}),
              HasSubstr("<p:Error>" + text + "</p:Error><p:ReturnValue>0"));
  const cim::Value two =
      cim::Value::array(cim::Type::kInstance, {cim::Value(error).element(), cim::Value(error).element()});
  EXPECT_THAT(answer_with("Msvm_ConcreteJob", "GetErrorEx", {"Errors", two}),
              HasSubstr("<p:Errors>" + text + "</p:Errors><p:Errors>" + text + "</p:Errors><p:ReturnValue>0"));
}

TEST(WsMan, InstancesThatAreNoStringsAreElements) {
  cim::Instance summary{"Msvm_SummaryInformation", {}, {}};
  summary.set("Name", cim::Value("n"));
  const cim::Value one = cim::Value::array(cim::Type::kInstance, {cim::Value(summary).element()});
  EXPECT_THAT(answer_with("Msvm_VirtualSystemManagementService", "GetSummaryInformation", {"SummaryInformation", one}),
              HasSubstr("xsi:type=\"p1:Msvm_SummaryInformation_Type\"><p1:Name>n</p1:Name></p:SummaryInformation>"));
}

ListReply list_of(const Call& call, const cim::Instance& object) {
  ListReply reply(call.header);
  EXPECT_TRUE(reply.add(object, cim::Shape::kInstances));
  return reply;
}

TEST(WsMan, AListHasEitherAContextOrAnEnd) {
  const ListReply pulled = list_of(call_of(envelope(kEnumeration + "Pull", "", "", kPull)), snapshot("c-1"));
  const std::string last = pulled.envelope(true, "ctx", "uuid:2");
  EXPECT_THAT(last, HasSubstr("<n:EndOfSequence></n:EndOfSequence>"));
  EXPECT_THAT(last, Not(HasSubstr("EnumerationContext")));
  const std::string more = pulled.envelope(false, "ctx", "uuid:2");
  EXPECT_THAT(more, HasSubstr("<n:EnumerationContext>ctx</n:EnumerationContext><n:Items>"));
  EXPECT_THAT(more, Not(HasSubstr("EndOfSequence")));
  const Call open = call_of(envelope(kEnumeration + "Enumerate", kSnapshotUri, "",
                                     "<n:Enumerate><wsman:OptimizeEnumeration/></n:Enumerate>"));
  EXPECT_THAT(list_of(open, snapshot("c-1")).envelope(true, "ctx", "uuid:2"),
              HasSubstr("<n:EnumerationContext></n:EnumerationContext><w:Items>"));
}

TEST(WsMan, AListIsNoLargerThanTheEnvelopeOfTheClient) {
  const Call call =
      call_of(envelope(kEnumeration + "Pull", "", "", kPull, "<wsman:MaxEnvelopeSize>8192</wsman:MaxEnvelopeSize>"));
  ListReply some(call.header);
  int objects = 0;
  while (objects < 100 && some.add(snapshot("c-1"), cim::Shape::kInstances)) ++objects;
  EXPECT_GT(objects, 0);
  EXPECT_LT(objects, 100);
  EXPECT_FALSE(some.is_too_small());
  EXPECT_LE(some.envelope(false, "ctx", "uuid:2").size(), 8192U);
  ListReply none(call.header);
  EXPECT_FALSE(none.add(snapshot(std::string(9000, 'x')), cim::Shape::kInstances));
  EXPECT_TRUE(none.is_too_small());
  EXPECT_THAT(none.envelope(false, "ctx", "uuid:2"), HasSubstr("faultDetail/MaxEnvelopeSize"));
}

TEST(WsMan, AHeaderThatIsNotUnderstoodIsNamed) {
  const Fault fault{"s:MustUnderstand", "The header New is not understood.", "", false,
                    Fault::ElementName{"urn:x", "New"}};
  EXPECT_THAT(fault_reply({}, fault, "uuid:1"), HasSubstr("<s:NotUnderstood qname=\"u:New\" xmlns:u=\"urn:x\""));
}

TEST(WsMan, WindowsClientsFindTheNumberOfAFault) {
  EXPECT_THAT(fault_reply({}, {"wsman:TimedOut", "Too late."}, "uuid:1"),
              HasSubstr("<s:Detail><f:WSManFault xmlns:f=\"http://schemas.microsoft.com/wbem/wsman/1/wsmanfault\" "
                        "Code=\"2150858793\"><f:Message>Too late.</f:Message></f:WSManFault></s:Detail>"));
  EXPECT_THAT(fault_reply({}, {"wsman:InvalidSelectors", "x", "UnexpectedSelectors"}, "uuid:1"),
              HasSubstr("UnexpectedSelectors</w:FaultDetail><f:WSManFault"));
  EXPECT_THAT(fault_reply({}, {"s:MustUnderstand", "x"}, "uuid:1"), testing::Not(HasSubstr("s:Detail")));
}

TEST(WsMan, APathThatFitsSeveralObjectsHasTooFewSelectors) {
  const cim::OperationFailed failed{cim::Status::kInvalidParameter, "It is more than one.", {}};
  EXPECT_EQ(fault_of(failed, cim::GetInstance{}).detail, "InsufficientSelectors");
  EXPECT_EQ(fault_of(failed, cim::InvokeMethod{}).subcode, "wsman:InvalidParameter");
}

TEST(WsMan, AFailedOperationIsAFault) {
  const Call call = call_of(envelope(kTransfer + "Get", kSnapshotUri, selector("CollectionID", "c-1"), ""));
  const std::string text = reply(call, cim::OperationFailed{cim::Status::kInvalidClass, "No <class>.", {}}, "uuid:2");
  EXPECT_THAT(text, HasSubstr("<a:Action>http://schemas.xmlsoap.org/ws/2004/08/addressing/fault</a:Action>"));
  EXPECT_THAT(text, HasSubstr("<s:Subcode><s:Value>a:DestinationUnreachable</s:Value></s:Subcode>"));
  EXPECT_THAT(text, HasSubstr("No &lt;class&gt;."));
}

TEST(XsTime, IsReadAndWritten) {
  for (const std::string text : {"2026-03-01T12:00:00Z", "2026-03-01T12:00:00.250000Z", "P1DT2H3M4S", "P0DT0H1M40S"}) {
    const auto read = read_time(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(to_xs_time(*read), text);
  }
  EXPECT_EQ(read_time("2026-03-01T13:00:00+01:00")->text(), "20260301130000.000000+060");
  EXPECT_EQ(read_time("PT5.5S")->count(), std::chrono::milliseconds(5500));
  EXPECT_EQ(read_time("P0Y0M0DT1M")->count(), std::chrono::minutes(1));
  for (const auto* const text : {"", "P", "PT", "P1DT", "P1Y", "PT1S1M", "P99999999D99999999D", "2026-03-01",
                                 "2026-13-01T00:00:00Z", "2026-03-01T12:00:00+1", "PT5"}) {
    EXPECT_FALSE(read_time(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace cohort::codec::wsman
