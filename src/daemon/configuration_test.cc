#include "daemon/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temporary_folder.h"

namespace cohort::daemon {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string error_of(std::string_view text) {
  const auto parsed = parse_configuration(text, "file");
  return parsed ? "" : parsed.error().message;
}

TEST(Configuration, AnEmptyFileHasUsualValues) {
  const auto parsed = parse_configuration("", "file");
  ASSERT_TRUE(parsed) << parsed.error().describe();
  ASSERT_EQ(parsed->http.size(), 2U);
  EXPECT_EQ(to_string(parsed->http[0]), "127.0.0.1:5985");
  EXPECT_EQ(to_string(parsed->https.at(1)), "0.0.0.0:5989");
  EXPECT_EQ(parsed->plain, http::PlainHttp::kLoopback);
  EXPECT_EQ(parsed->uri, "qemu:///system");
  EXPECT_EQ(parsed->state, Path("/var/lib/cohort"));
  EXPECT_TRUE(parsed->export_roots.empty());
  EXPECT_EQ(parsed->http_limits.body_bytes, std::size_t{4} << 20U);
}

TEST(Configuration, ReadsWhatIsSet) {
  const auto parsed = parse_configuration(
      "# a comment\r\n[listen]\nhttp = none\n https=[::1]:5986 , 192.0.2.1:1\n[exports]\nroot = /srv/a\nroot = /srv/b\n"
      "[limits]\nidle_seconds = 7\n[tls]\ncertificate = /c\nkey = /k\nnames = a.example, 192.0.2.1\n",
      "file");
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_TRUE(parsed->http.empty());
  EXPECT_EQ(parsed->https.at(0).ip, "::1");
  EXPECT_EQ(to_string(parsed->https.at(0)), "[::1]:5986");
  EXPECT_EQ(parsed->export_roots, (std::vector<Path>{"/srv/a", "/srv/b"}));
  EXPECT_EQ(parsed->http_limits.idle, std::chrono::seconds(7));
  EXPECT_EQ(parsed->names, (std::vector<std::string>{"a.example", "192.0.2.1"}));
}

TEST(Configuration, ReadsWhatIsNegotiated) {
  const auto parsed = parse_configuration(
      "[listen]\nplain_everywhere = encrypted\n[negotiate]\nmechanisms = ntlm, kerberos\nkeytab = /k\nntlm_users = "
      "/u\n",
      "file");
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(parsed->plain, http::PlainHttp::kSealed);
  EXPECT_TRUE(parsed->negotiate.kerberos);
  EXPECT_TRUE(parsed->negotiate.ntlm);
  EXPECT_EQ(parsed->negotiate.keytab, Path("/k"));
  EXPECT_EQ(parsed->negotiate.ntlm_users, Path("/u"));
  EXPECT_THAT(error_of("[negotiate]\nmechanisms = basic"), HasSubstr("neither kerberos nor ntlm"));
  EXPECT_THAT(error_of("[negotiate]\nmechanisms = ntlm"), HasSubstr("ntlm needs ntlm_users"));
  EXPECT_THAT(error_of("[listen]\nplain_everywhere = encrypted"), HasSubstr("needs mechanisms"));
}

TEST(Configuration, NamesTheLineThatIsWrong) {
  EXPECT_EQ(error_of("\n[nothing]\n"), "file, line 2: there is no section \"nothing\".");
  EXPECT_EQ(error_of("[listen]\n\nport = 1\n"), "file, line 3: the section \"listen\" has no setting \"port\".");
  EXPECT_EQ(error_of("http = 1.2.3.4:5\n"), "file, line 1: \"http\" stands before the first section.");
  EXPECT_EQ(error_of("[state]\nfolder = a/b\n"), "file, line 2: folder: \"a/b\" is not an absolute path.");
  EXPECT_EQ(error_of("[state]\nfolder = /a\nfolder = /b"), "file, line 3: \"folder\" is there twice.");
  EXPECT_EQ(error_of("[state]\nwords\n"), "file, line 2: this is neither \"[section]\" nor \"key = value\".");
  EXPECT_EQ(error_of("[rights]\ngrant = ann:reader:shop\ngrant = ann:boss:shop\n"),
            "file, line 3: grant: \"boss\" is none of reader, operator and administrator.");
  EXPECT_EQ(error_of("[state\n"), "file, line 1: the section's name does not end with \"]\".");
}

TEST(Configuration, RefusesValuesThatDoNotFit) {
  for (const std::string value : {"5985", "1.2.3.4", "1.2.3.4:70000", "::1:5985", "[1.2.3.4]:5", ":5", "a:b", "[::1]5",
                                  "1.2.3.256:5", "localhost:5985", "[::g]:5"}) {
    EXPECT_THAT(error_of("[listen]\nhttp = " + value), StartsWith("file, line 2: http: ")) << value;
  }
  EXPECT_EQ(error_of("[listen]\nhttps = [fe80::1%eth0]:5986"), "");
  EXPECT_THAT(error_of("[limits]\nworkers = 0"), HasSubstr("from 1 to 256"));
  EXPECT_THAT(error_of("[limits]\nworkers = 8x"), HasSubstr("from 1 to 256"));
  EXPECT_THAT(error_of("[limits]\nidle_seconds = -1"), HasSubstr("from 1 to 86400"));
  EXPECT_THAT(error_of("[listen]\nplain_everywhere = true"), HasSubstr("none of no, encrypted and yes"));
  EXPECT_THAT(error_of("[tls]\nkey = /k"), HasSubstr("certificate and key have to be given together"));
  EXPECT_THAT(error_of("[users]\npam = ../shadow"), HasSubstr("not the name of a service"));
  EXPECT_THAT(error_of("[tls]\nclient_revoked = /r"), HasSubstr("without client_authorities"));
  EXPECT_THAT(error_of("[listen]\nhttp = none\nhttps = none"), HasSubstr("nobody can ask"));
  EXPECT_THAT(error_of("[hypervisor]\nuri ="), HasSubstr("it is empty"));
}

// The lines of the example are comments; without their marks they say the same.
TEST(Configuration, TheExampleSaysWhatIsUsual) {
  std::string text;
  std::string_view rest = example_configuration();
  const std::string example = example_configuration();
  for (rest = example; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    EXPECT_LE(line.size(), 100U);
    if (line.starts_with('#') && !line.starts_with("# ")) line.remove_prefix(1);
    const bool is_empty_setting = line.ends_with(" =");
    if (!is_empty_setting) text += std::string(line) + "\n";
  }
  const auto parsed = parse_configuration(text, "example");
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(to_text(*parsed), to_text(*parse_configuration("", "none")));
}

TEST(Configuration, WhatIsPrintedReadsAsTheSame) {
  const auto parsed = parse_configuration("[exports]\nroot = /a\nroot = /b\n[limits]\nworkers = 3\n", "file");
  const auto again = parse_configuration(to_text(*parsed), "printed");
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_EQ(again->export_roots.size(), 2U);
  EXPECT_EQ(again->http_limits.workers, 3U);
  EXPECT_EQ(to_text(*again), to_text(*parsed));
}

TEST(Configuration, AFileThatIsNamedHasToBeThere) {
  const TemporaryFolder folder;
  EXPECT_EQ(read_configuration(folder.path() / "none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cohort::daemon
