#include "http/certificate.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/process.h"
#include "base/temporary_folder.h"

namespace cohort::http {
namespace {

class CertificateTest : public ::testing::Test {
 protected:
  TemporaryFolder folder;
  CertificateFiles files{folder.path() / "a certificate.pem", folder.path() / "a key.pem"};
};

TEST_F(CertificateTest, IsForItsNames) {
  ASSERT_TRUE(make_certificate(files, {"host.example", "127.0.0.1", "::1"}));
  struct stat status {};
  ASSERT_EQ(::stat(files.key.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const auto& check :
       {std::vector<std::string>{"-checkhost", "host.example"}, {"-checkip", "127.0.0.1"}, {"-checkip", "::1"}}) {
    const auto told = run_process({"openssl", "x509", "-noout", "-in", files.certificate, check[0], check[1]});
    ASSERT_TRUE(told);
    EXPECT_NE(told->out.find("does match"), std::string::npos) << told->out << told->err;
  }
}

TEST_F(CertificateTest, OverwritesNothing) {
  ASSERT_TRUE(make_certificate(files, {"host.example"}));
  const std::string key = read_file(files.key, 10'000).value();
  EXPECT_EQ(make_certificate(files, {"host.example"}).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(read_file(files.key, 10'000).value(), key);
  ASSERT_TRUE(remove_file(files.key));
  EXPECT_EQ(make_certificate(files, {"host.example"}).error().code, ErrorCode::kAlreadyExists);
  EXPECT_FALSE(std::filesystem::exists(files.key)) << "of a certificate that was not written";
}

TEST_F(CertificateTest, IsMadeAnewWhereOnlyAKeyWasLeft) {
  ASSERT_TRUE(create_file(files.key, "half"));
  ASSERT_TRUE(create_file(files.certificate.string() + ".new", "half of on"));
  ASSERT_TRUE(make_certificate(files, {"host.example"}));
  EXPECT_NE(read_file(files.key, 10'000).value(), "half");
  EXPECT_FALSE(std::filesystem::exists(files.certificate.string() + ".new"));
}

TEST_F(CertificateTest, RefusesNamesThatAreNone) {
  for (const auto& names : {std::vector<std::string>{}, {""}, {std::string(100, 'a')}}) {
    EXPECT_EQ(make_certificate(files, names).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
}

}  // namespace
}  // namespace cohort::http
