// A password file of three users whose hashes cost next to nothing.
#pragma once

#include <gtest/gtest.h>

#include "base/temporary_folder.h"
#include "http/password_file.h"

namespace cohort::http {

inline constexpr HashCost kCheap{16, 1, 1};

class Users {
 public:
  Users() {
    std::string content = "# who may do what\n\n";
    for (const auto& [name, role] : {std::pair("ann", Role::kReader), std::pair("otto", Role::kOperator),
                                     std::pair("äda", Role::kAdministrator)}) {
      content += password_line(name, role, password(name), kCheap).value() + "\n";
    }
    EXPECT_TRUE(create_file(path(), content));
  }

  [[nodiscard]] static std::string password(const std::string& name) { return "pass:word of " + name; }
  [[nodiscard]] Path path() const { return folder_.path() / "passwords"; }
  [[nodiscard]] PasswordFile read() const { return PasswordFile::read(path()).value(); }

 private:
  TemporaryFolder folder_;
};

}  // namespace cohort::http
