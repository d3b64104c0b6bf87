// The settings of a call as the clients that are known write them into a string.
#pragma once

#include <string>
#include <vector>

namespace cohort::codec {

// Msvm_CollectionSnapshotExportSettingData with CopyVmStorage true and BackupIntent 1, in each dialect.
[[nodiscard]] inline std::vector<std::string> settings_in_every_dialect() {
  const std::string open = "<INSTANCE CLASSNAME=\"Msvm_CollectionSnapshotExportSettingData\">";
  const std::string intent = "<PROPERTY NAME=\"BackupIntent\" TYPE=\"uint16\"><VALUE>1</VALUE></PROPERTY>";
  const std::string storage = "<PROPERTY NAME=\"CopyVmStorage\" TYPE=\"boolean\"><VALUE>true</VALUE></PROPERTY>";
  return {
      // .NET's GetText(TextFormat.CimDtd20)
      open +
          "\n<QUALIFIER NAME=\"dynamic\" TYPE=\"boolean\" TOSUBCLASS=\"false\"><VALUE>TRUE</VALUE></QUALIFIER>\n"
          "<PROPERTY NAME=\"CopyVmStorage\" CLASSORIGIN=\"Msvm_CollectionSnapshotExportSettingData\" "
          "TYPE=\"boolean\">\n"
          "<QUALIFIER NAME=\"write\" TYPE=\"boolean\"><VALUE>TRUE</VALUE></QUALIFIER>\n<VALUE>TRUE</VALUE>\n"
          "</PROPERTY>\n" +
          intent + "<PROPERTY NAME=\"DifferentialBackupBase\" TYPE=\"string\"></PROPERTY>\n</INSTANCE>",
      // WMI DTD 2.0
      "<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><DECLARATION><DECLGROUP><VALUE.OBJECT>" + open +
          "<PROPERTY NAME=\"__PATH\" CLASSORIGIN=\"___SYSTEM\" TYPE=\"string\"><VALUE>x</VALUE></PROPERTY>" + storage +
          intent + "</INSTANCE></VALUE.OBJECT></DECLGROUP></DECLARATION></CIM>",
      // the serializer of PowerShell's CIM cmdlets
      "\xef\xbb\xbf" + open +
          "<PROPERTY NAME=\"CopyVmStorage\" TYPE=\"boolean\" MODIFIED=\"TRUE\"><VALUE>True</VALUE></PROPERTY>" +
          intent + "</INSTANCE>",
      // nothing but what is needed
      open + storage + intent + "</INSTANCE>",
      // MOF
      "\ninstance of Msvm_CollectionSnapshotExportSettingData\n{\n\tCopyVmStorage = TRUE;\n\tBackupIntent = 1;\n};\n",
  };
}

}  // namespace cohort::codec
