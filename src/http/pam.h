// Names and passwords of this system's users, held against PAM.
#pragma once

#include <string>

namespace cohort::http {

struct PamQuestion {
  std::string service;  // the file in /etc/pam.d
  std::string name, password;
  std::string address;  // of the client
};

// Whether the password is right and the account may be used. It is the answer to one question for a secret; whatever
// else a module asks is not answered, and so refuses: a second factor, a new password.
//
// Threads: blocks, for as long as the modules like; not all of them bear threads. Ask in a process of its own.
[[nodiscard]] bool is_right_for_pam(const PamQuestion& question);

}  // namespace cohort::http
