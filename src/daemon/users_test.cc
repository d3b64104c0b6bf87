#include "daemon/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/temporary_folder.h"
#include "daemon/authentication.h"
#include "daemon/testing/recording_log.h"
#include "http/base64.h"

namespace cohort::daemon {
namespace {

using http::Role;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr http::HashCost kCheap{16, 1, 1};

class UsersTest : public testing::Test {
 protected:
  Result<void> add(std::string_view name, Role role, std::string_view password, IfThere if_there = IfThere::kRefuse) {
    return add_user(path, name, role, password, if_there, kCheap);
  }
  std::optional<Role> check(std::string_view name, std::string_view password) {
    const auto file = http::PasswordFile::read(path);
    EXPECT_TRUE(file) << file.error().describe();
    return file ? file->check(name, password) : std::nullopt;
  }

  TemporaryFolder folder;
  Path path = folder.path() / "new/passwords";
};

TEST_F(UsersTest, AreAddedToAFileThatNobodyElseCanRead) {
  ASSERT_TRUE(add("ann", Role::kReader, "a"));
  ASSERT_TRUE(add("otto", Role::kOperator, "o:o"));
  EXPECT_EQ(check("ann", "a"), Role::kReader);
  EXPECT_EQ(check("otto", "o:o"), Role::kOperator);
  EXPECT_EQ(check("ann", "o:o"), std::nullopt);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(UsersTest, AreNotReplacedUnlessThatIsWanted) {
  ASSERT_TRUE(add("ann", Role::kReader, "a"));
  ASSERT_TRUE(add("anna", Role::kReader, "b"));
  EXPECT_EQ(add("ann", Role::kOperator, "c").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(check("ann", "a"), Role::kReader);
  ASSERT_TRUE(add("ann", Role::kOperator, "c", IfThere::kReplace));
  EXPECT_EQ(check("ann", "a"), std::nullopt);
  EXPECT_EQ(check("ann", "c"), Role::kOperator);
  EXPECT_EQ(check("anna", "b"), Role::kReader);
}

// As they are let in.
TEST_F(UsersTest, WithADomainAreTheSameInWhateverCase) {
  const auto add_negotiated = [this](const char* name) {
    return add_user(path, name, Role::kReader, http::Means::kNegotiate, IfThere::kRefuse);
  };
  ASSERT_TRUE(add_negotiated("EXAMPLE\\Ann"));
  EXPECT_EQ(add_negotiated("example\\ann").error().code, ErrorCode::kAlreadyExists);
  ASSERT_TRUE(remove_user(path, "example\\ANN"));
  EXPECT_EQ(http::PasswordFile::read(path)->role_of("EXAMPLE\\Ann", http::Means::kNegotiate), std::nullopt);
}

TEST_F(UsersTest, CanBeAddedWithoutAPassword) {
  ASSERT_TRUE(add_user(path, "ann@EXAMPLE.ORG", Role::kOperator, http::Means::kNegotiate, IfThere::kRefuse));
  EXPECT_EQ(http::PasswordFile::read(path)->role_of("ann@EXAMPLE.ORG", http::Means::kNegotiate), Role::kOperator);
  EXPECT_EQ(add_user(path, "ann@EXAMPLE.ORG", Role::kReader, http::Means::kNegotiate, IfThere::kRefuse).error().code,
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(means_from("negotiate"), http::Means::kNegotiate);
  EXPECT_EQ(means_from("certificate"), http::Means::kCertificate);
  EXPECT_EQ(means_from("pam"), http::Means::kPam);
  EXPECT_FALSE(means_from("magic"));
}

TEST_F(UsersTest, AreRemoved) {
  ASSERT_TRUE(add("ann", Role::kReader, "a"));
  ASSERT_TRUE(add("otto", Role::kReader, "b"));
  ASSERT_TRUE(remove_user(path, "ann"));
  EXPECT_EQ(check("ann", "a"), std::nullopt);
  EXPECT_EQ(check("otto", "b"), Role::kReader);
  EXPECT_EQ(remove_user(path, "ann").error().code, ErrorCode::kNotFound);
}

TEST_F(UsersTest, ADamagedFileIsNotChanged) {
  ASSERT_TRUE(make_directories(path.parent_path()));
  ASSERT_TRUE(create_file(path, "rubbish\n"));
  EXPECT_EQ(add("ann", Role::kReader, "a").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(read_file(path, 100).value(), "rubbish\n");
}

TEST_F(UsersTest, RolesHaveNames) {
  EXPECT_EQ(role_from("operator"), Role::kOperator);
  EXPECT_FALSE(role_from("root"));
}

class AuthenticationTest : public UsersTest {
 protected:
  bool lets_in(const std::string& name, const std::string& password) {
    const auto outcome =
        authentication.authenticate("Basic " + http::to_base64(name + ":" + password), {"192.0.2.1", 1, true});
    return std::holds_alternative<http::Identity>(outcome);
  }

  SystemClock clock;
  Metrics metrics;
  RecordingLog log;
  Authentication authentication{path, {2, std::chrono::seconds(60), 100}, clock, metrics, log};
};

TEST_F(AuthenticationTest, LetsNobodyInWithoutAFileAndSaysSo) {
  EXPECT_TRUE(authentication.reload());
  EXPECT_FALSE(lets_in("ann", "a"));
  EXPECT_THAT(log.lines().at(0), HasSubstr("no-users"));
}

TEST_F(AuthenticationTest, ReadsTheUsersAgainAndKeepsThemIfItCannot) {
  ASSERT_TRUE(add("ann", Role::kReader, "a"));
  ASSERT_TRUE(authentication.reload());
  EXPECT_TRUE(lets_in("ann", "a"));
  ASSERT_TRUE(add("otto", Role::kReader, "b"));
  EXPECT_FALSE(lets_in("otto", "b"));
  ASSERT_TRUE(authentication.reload());
  EXPECT_TRUE(lets_in("otto", "b"));
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(authentication.reload().error().code, ErrorCode::kPermission);
  EXPECT_TRUE(lets_in("ann", "a"));
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  ASSERT_TRUE(remove_user(path, "ann"));
  ASSERT_TRUE(authentication.reload());
  EXPECT_FALSE(lets_in("ann", "a"));
}

TEST_F(AuthenticationTest, TakesNoPasswordThatOthersCanRead) {
  ASSERT_TRUE(add("ann", Role::kReader, "a"));
  ASSERT_TRUE(authentication.reload());
  const auto outcome = authentication.authenticate("Basic " + http::to_base64("ann:a"), {"192.0.2.1", 1, false, true});
  ASSERT_TRUE(std::holds_alternative<http::Challenge>(outcome));
  EXPECT_TRUE(std::get<http::Challenge>(outcome).schemes.empty());
  EXPECT_TRUE(lets_in("ann", "a"));
}

TEST_F(AuthenticationTest, TakesTheFirstNameOfACertificateThatIsAUser) {
  ASSERT_TRUE(add_user(path, "ann", Role::kOperator, http::Means::kCertificate, IfThere::kRefuse));
  ASSERT_TRUE(add("bob", Role::kAdministrator, "b"));
  ASSERT_TRUE(authentication.reload());
  http::Peer peer{"192.0.2.1", 1, true};
  peer.certificate_names = {"bob", "ann", "CN=ann"};
  constexpr std::string_view kMutual = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";
  for (const std::string_view authorization : {std::string_view(), kMutual}) {
    const auto outcome = authentication.authenticate(authorization, peer);
    ASSERT_TRUE(std::holds_alternative<http::Identity>(outcome)) << authorization;
    EXPECT_EQ(std::get<http::Identity>(outcome).name(), "ann");
    EXPECT_EQ(std::get<http::Identity>(outcome).role(), Role::kOperator);
  }
  // A password that is wrong is not made up for by it.
  EXPECT_TRUE(std::holds_alternative<http::Challenge>(authentication.authenticate("Basic YW5uOng=", peer)));
  peer.certificate_names = {"bob"};
  EXPECT_TRUE(std::holds_alternative<http::Challenge>(authentication.authenticate("", peer)));
  EXPECT_THAT(log.lines().back(), HasSubstr("bob was not let in. No user has a name of this certificate."));
}

TEST_F(AuthenticationTest, FailuresAreWrittenDownWithoutThePassword) {
  ASSERT_TRUE(authentication.reload());
  EXPECT_FALSE(lets_in("ann\n", "secret"));
  EXPECT_THAT(log.lines(),
              Contains("warning authentication-failed: ann? was not let in. [user=ann? address=192.0.2.1]"));
  EXPECT_THAT(metrics.text(), HasSubstr("cohort_failed_authentications_total 1"));
  // Who asks what there is to authenticate with has not failed.
  static_cast<void>(authentication.authenticate("", {"192.0.2.1", 1, true}));
  EXPECT_THAT(metrics.text(), HasSubstr("cohort_failed_authentications_total 1"));
}

}  // namespace
}  // namespace cohort::daemon
