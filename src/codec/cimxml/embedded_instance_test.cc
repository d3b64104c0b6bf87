#include "codec/cimxml/embedded_instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cim/schema.h"
#include "codec/xml/writer.h"

namespace cohort::codec::cimxml {
namespace {

const cim::ClassStore& store() {
  static const cim::Schema schema = *cim::Schema::built_in();
  return *schema.find(cim::kVirtualizationNamespace);
}

void expect_settings(std::string_view text) {
  const auto read = read_embedded_instance(text, store());
  ASSERT_TRUE(read) << read.error().describe() << "\n" << text;
  EXPECT_EQ(read->class_name, "Msvm_CollectionSnapshotExportSettingData");
  EXPECT_EQ(read->at("CopyVmStorage"), cim::Value(true));
  EXPECT_EQ(read->at("BackupIntent"), cim::Value(std::uint16_t{1}));
  EXPECT_TRUE(read->at("DifferentialBackupBase").is_null());
}

TEST(EmbeddedInstance, IsReadInEveryDialect) {
  // CIM DTD 2.0
  expect_settings(R"(<INSTANCE CLASSNAME="Msvm_CollectionSnapshotExportSettingData">
    <QUALIFIER NAME="dynamic" TYPE="boolean"><VALUE>TRUE</VALUE></QUALIFIER>
    <PROPERTY NAME="CopyVmStorage" TYPE="boolean"><QUALIFIER NAME="write" TYPE="boolean"><VALUE>TRUE</VALUE></QUALIFIER>
      <VALUE>TRUE</VALUE></PROPERTY>
    <PROPERTY NAME="BackupIntent" TYPE="uint16"><VALUE>1</VALUE></PROPERTY>
    <PROPERTY NAME="DifferentialBackupBase" TYPE="string"></PROPERTY></INSTANCE>)");
  // WMI DTD 2.0
  expect_settings(R"(<CIM CIMVERSION="2.0" DTDVERSION="2.0"><DECLARATION><DECLGROUP><VALUE.OBJECT>
    <INSTANCE CLASSNAME="Msvm_CollectionSnapshotExportSettingData">
    <PROPERTY NAME="__PATH" CLASSORIGIN="___SYSTEM" TYPE="string"><VALUE>x</VALUE></PROPERTY>
    <PROPERTY NAME="CopyVmStorage" CLASSORIGIN="Msvm_CollectionSnapshotExportSettingData" TYPE="boolean"><VALUE>true</VALUE></PROPERTY>
    <PROPERTY NAME="BackupIntent" PROPAGATED="true" TYPE="uint16"><VALUE>1</VALUE></PROPERTY></INSTANCE>
    </VALUE.OBJECT></DECLGROUP></DECLARATION></CIM>)");
  // PowerShell's serializer, with a mark
  expect_settings(
      "\xef\xbb\xbf<INSTANCE CLASSNAME=\"Msvm_CollectionSnapshotExportSettingData\"><PROPERTY NAME=\"CopyVmStorage\" "
      "TYPE=\"boolean\" MODIFIED=\"TRUE\"><VALUE>True</VALUE></PROPERTY><PROPERTY NAME=\"BackupIntent\" "
      "TYPE=\"uint16\"><VALUE>1</VALUE></PROPERTY></INSTANCE>");
  // MOF
  expect_settings(
      "\ninstance of Msvm_CollectionSnapshotExportSettingData\n{\n\tCopyVmStorage = TRUE;\n\tBackupIntent = 1;\n};\n");
}

TEST(EmbeddedInstance, AnUnknownPropertyIsNamed) {
  const auto read = read_embedded_instance(
      R"(<INSTANCE CLASSNAME="Msvm_VirtualSystemSnapshotSettingData"><PROPERTY NAME="Colour" TYPE="string"/></INSTANCE>)",
      store());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "Msvm_VirtualSystemSnapshotSettingData has no property \"Colour\".");
}

TEST(EmbeddedInstance, RefusesWhatIsNone) {
  for (const auto* const text :
       {"", "<", "<A/>", "<INSTANCE/>", "<INSTANCE CLASSNAME=\"None\"/>", "instance of None {};", "x",
        "<INSTANCE CLASSNAME=\"Msvm_VirtualSystemSnapshotSettingData\"><PROPERTY NAME=\"ConsistencyLevel\" "
        "TYPE=\"uint8\"><VALUE>300</VALUE></PROPERTY></INSTANCE>"}) {
    EXPECT_FALSE(read_embedded_instance(text, store())) << text;
  }
}

TEST(EmbeddedInstance, InstancesInTextsInInstancesAreRead) {
  const std::string inner = xml::escaped(
      R"(<INSTANCE CLASSNAME="Msvm_VirtualMachineToDisks"><PROPERTY NAME="VirtualMachineId" TYPE="string"><VALUE>m</VALUE></PROPERTY></INSTANCE>)");
  const auto read = read_embedded_instance(
      R"(<INSTANCE CLASSNAME="Msvm_CollectionReferencePointExportSettingData"><PROPERTY.ARRAY NAME="VirtualMachinesToDisksToExport" TYPE="string"><VALUE.ARRAY><VALUE>)" +
          inner + "</VALUE></VALUE.ARRAY></PROPERTY.ARRAY></INSTANCE>",
      store());
  ASSERT_TRUE(read) << read.error().describe();
  const cim::Value& disks = read->at("VirtualMachinesToDisksToExport");
  ASSERT_EQ(disks.elements().size(), 1U);
  EXPECT_EQ(std::get<cim::Shared<cim::Instance>>(disks.elements()[0])->at("VirtualMachineId"), cim::Value("m"));
  // What is written is read again.
  EXPECT_EQ(read_embedded_instance(embedded_text(*read), store()), *read);
}

TEST(EmbeddedInstance, NameIsTheFirstAttributeOfAProperty) {
  cim::Instance error{"Msvm_Error", {}, {}};
  error.set("ErrorType", cim::Value(std::uint16_t{4}));
  error.set("Message", cim::Value::null(cim::Type::kString));
  EXPECT_EQ(
      embedded_text(error),
      "<INSTANCE CLASSNAME=\"Msvm_Error\"><PROPERTY NAME=\"ErrorType\" TYPE=\"uint16\"><VALUE>4</VALUE></PROPERTY>"
      "<PROPERTY NAME=\"Message\" TYPE=\"string\"></PROPERTY></INSTANCE>");
}

}  // namespace
}  // namespace cohort::codec::cimxml
