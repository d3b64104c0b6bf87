#include "http/password_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "http/testing/users.h"

namespace cohort::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(PasswordFileTest, KnowsItsUsers) {
  const Users users;
  const PasswordFile file = users.read();
  EXPECT_EQ(file.check("ann", Users::password("ann")), Role::kReader);
  EXPECT_EQ(file.check("otto", Users::password("otto")), Role::kOperator);
  EXPECT_EQ(file.check("äda", Users::password("äda")), Role::kAdministrator);
  EXPECT_EQ(file.check("ann", Users::password("otto")), std::nullopt);
  EXPECT_EQ(file.check("ann", ""), std::nullopt);
  EXPECT_EQ(file.check("Ann", Users::password("ann")), std::nullopt);
  EXPECT_EQ(file.check("nobody", ""), std::nullopt);
}

TEST(PasswordFileTest, SaltsEachPassword) {
  EXPECT_NE(password_line("ann", Role::kReader, "x", kCheap).value(),
            password_line("ann", Role::kReader, "x", kCheap).value());
}

TEST(PasswordFileTest, HashesWithEnoughWorkUnlessTold) {
  EXPECT_THAT(password_line("ann", Role::kReader, "x").value(), HasSubstr("ann:reader:scrypt:32768:8:1:"));
}

// A daemon that reads its users again does nothing else meanwhile.
TEST(PasswordFileTest, IsReadAtOnceHoweverMuchWorkEachHashIs) {
  const TemporaryFolder folder;
  const std::string line = password_line("u", Role::kReader, "x").value();
  std::string content;
  for (int i = 0; i < 200; ++i) content += "u" + std::to_string(i) + line.substr(1) + "\n";
  ASSERT_TRUE(create_file(folder.path() / "passwords", content));
  const auto began = std::chrono::steady_clock::now();
  const auto file = PasswordFile::read(folder.path() / "passwords");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
  ASSERT_TRUE(file) << file.error().describe();
  EXPECT_EQ(file->check("u199", "x"), Role::kReader);
}

TEST(PasswordFileTest, RefusesAFileThatOthersCanRead) {
  const Users users;
  ASSERT_EQ(::chmod(users.path().c_str(), 0640), 0);
  const auto read = PasswordFile::read(users.path());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kPermission);
  EXPECT_THAT(read.error().message, HasSubstr("chmod 600"));
}

TEST(PasswordFileTest, NamesTheLineThatIsWrong) {
  const std::string good = password_line("ann", Role::kReader, "x", kCheap).value();
  const std::string hash = good.substr(good.find("scrypt"));
  for (const auto& [line, words] : {std::pair<std::string, std::string>("ann", "name:role:"),
                                    {":reader:" + hash, "name:role:"},
                                    {"bob:root:" + hash, "\"root\""},
                                    {"bob:reader:md5" + hash.substr(6), "\"md5\""},
                                    {"bob:reader:negotiate:x", "goes on"},
                                    {"bob:reader:scrypt", "name:role:scrypt:N"},
                                    {"bob:reader:scrypt:16:1:1:AAAA:AAAA", "cannot be read"},
                                    {"bob:reader:scrypt:-1:1:1:" + hash.substr(14), "cannot be read"},
                                    {"bob:reader:scrypt:1073741824:8:1:" + hash.substr(14), "too much"},
                                    {"bob:reader:scrypt:17:1:1:" + hash.substr(14), "too much"},
                                    {good, "Line 2"},
                                    {"A\\b:reader:pam\na\\B:reader:pam", "Line 3"}}) {
    const TemporaryFolder folder;
    ASSERT_TRUE(create_file(folder.path() / "passwords", good + "\n" + line + "\n"));
    const auto read = PasswordFile::read(folder.path() / "passwords");
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(read.error().message, AllOf(HasSubstr("Line "), HasSubstr(words)));
  }
}

TEST(PasswordFileTest, SaysThatItIsNotThere) {
  const TemporaryFolder folder;
  EXPECT_EQ(PasswordFile::read(folder.path() / "none").error().code, ErrorCode::kNotFound);
}

TEST(PasswordFileTest, KeepsApartHowUsersLogIn) {
  const TemporaryFolder folder;
  std::string content = line_without_password("ann@EXAMPLE.ORG", Role::kOperator, Means::kNegotiate).value() + "\n";
  content += line_without_password("EXAMPLE\\Otto", Role::kReader, Means::kNegotiate).value() + "\n";
  content += password_line("bob", Role::kReader, "x", kCheap).value() + "\n";
  ASSERT_TRUE(create_file(folder.path() / "passwords", content));
  const auto file = PasswordFile::read(folder.path() / "passwords");
  ASSERT_TRUE(file) << file.error().describe();
  EXPECT_EQ(file->role_of("ann@EXAMPLE.ORG", Means::kNegotiate), Role::kOperator);
  EXPECT_EQ(file->role_of("Ann@EXAMPLE.ORG", Means::kNegotiate), std::nullopt);
  EXPECT_EQ(file->role_of("example\\OTTO", Means::kNegotiate), Role::kReader);
  EXPECT_EQ(file->role_of("Otto", Means::kNegotiate), std::nullopt);
  EXPECT_EQ(file->role_of("bob", Means::kNegotiate), std::nullopt);
  EXPECT_EQ(file->check("ann@EXAMPLE.ORG", ""), std::nullopt);
  EXPECT_EQ(file->check("bob", "x"), Role::kReader);
}

TEST(PasswordLineTest, RefusesWhatWouldNotBeReadBack) {
  for (const auto* name : {"", "a:b", "#a", "a\nb"}) {
    EXPECT_EQ(password_line(name, Role::kReader, "x", kCheap).error().code, ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(password_line("a", Role::kReader, "", kCheap).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(password_line("a", Role::kReader, "x", {17, 1, 1}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cohort::http
