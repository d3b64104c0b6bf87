// Passwords held against PAM in a process of its own: modules may hang, crash, or not bear threads.
//
// The process is this program, told --check-password SERVICE; it reads name, password and address from standard input,
// each ended by a zero byte, and its exit status is the answer.
#pragma once

#include <chrono>
#include <iosfwd>
#include <semaphore>
#include <string>

#include "http/pam.h"

namespace cohort::daemon {

// Threads: safe to call from several at once. No more than four ask at a time: the others find workers free.
class PasswordCheck {
 public:
  explicit PasswordCheck(std::string service, std::chrono::milliseconds patience = std::chrono::seconds(15))
      : service_(std::move(service)), patience_(patience) {}

  // False, too, if there is no answer in time; then the process is killed.
  [[nodiscard]] bool is_right(const std::string& name, const std::string& password, const std::string& address);

 private:
  const std::string service_;
  const std::chrono::milliseconds patience_;
  std::counting_semaphore<> free_{4};
};

// What that process does; the exit status is the program's: 0 if the password is right.
[[nodiscard]] int answer_password_check(const std::string& service, std::istream& in);

}  // namespace cohort::daemon
