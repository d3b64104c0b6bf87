#include "http/pam.h"

#include <security/pam_appl.h>

#include <cstdlib>
#include <cstring>
#include <span>

namespace cohort::http {
namespace {

// What the conversation knows.
struct Secret {
  const std::string& password;
  bool is_told = false;
};

// Answers belong to PAM, which frees them.
// NOLINTBEGIN(*-no-malloc)
void forget(std::span<pam_response> answers) {
  for (pam_response& each : answers) std::free(each.resp);
  std::free(answers.data());
}

bool answer(const pam_message& question, Secret& secret, pam_response& into) {
  if (question.msg_style == PAM_TEXT_INFO || question.msg_style == PAM_ERROR_MSG) return true;
  if (question.msg_style != PAM_PROMPT_ECHO_OFF || secret.is_told) return false;
  secret.is_told = true;
  into.resp = ::strdup(secret.password.c_str());
  return into.resp != nullptr;
}

int converse(int count, const pam_message** questions, pam_response** answers, void* secret) {
  if (count <= 0 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
  const auto number = static_cast<std::size_t>(count);
  auto* const made = static_cast<pam_response*>(std::calloc(number, sizeof(pam_response)));
  if (made == nullptr) return PAM_BUF_ERR;
  const std::span all(made, number);
  for (std::size_t i = 0; i < number; ++i) {
    if (answer(*std::span(questions, number)[i], *static_cast<Secret*>(secret), all[i])) continue;
    forget(all);
    return PAM_CONV_ERR;
  }
  *answers = made;
  return PAM_SUCCESS;
}

// NOLINTEND(*-no-malloc)

// Who guesses waits by the daemon's own rule, and holds up nobody meanwhile.
void no_delay(int /*result*/, unsigned /*microseconds*/, void* /*data*/) {}

// Modules may take another user for the one that was named.
bool is_still(pam_handle_t* handle, const std::string& name) {
  const void* user = nullptr;
  return ::pam_get_item(handle, PAM_USER, &user) == PAM_SUCCESS && user != nullptr &&
         name == static_cast<const char*>(user);
}

bool is_right(pam_handle_t* handle, const PamQuestion& question) {
  constexpr int kFlags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
  void (*const delay)(int, unsigned, void*) = no_delay;
  // NOLINTNEXTLINE(*-reinterpret-cast): PAM takes a function as an item
  const void* const delay_item = reinterpret_cast<const void*>(delay);
  return ::pam_set_item(handle, PAM_RHOST, question.address.c_str()) == PAM_SUCCESS &&
         ::pam_set_item(handle, PAM_FAIL_DELAY, delay_item) == PAM_SUCCESS &&
         ::pam_authenticate(handle, kFlags) == PAM_SUCCESS && ::pam_acct_mgmt(handle, kFlags) == PAM_SUCCESS &&
         is_still(handle, question.name);
}

}  // namespace

bool is_right_for_pam(const PamQuestion& question) {
  const bool has_zero = (question.name + question.password).find('\0') != std::string::npos;
  if (has_zero || question.name.empty() || question.password.empty()) return false;
  Secret secret{question.password};
  const pam_conv conversation{converse, &secret};
  pam_handle_t* handle = nullptr;
  if (::pam_start(question.service.c_str(), question.name.c_str(), &conversation, &handle) != PAM_SUCCESS) return false;
  const bool is_it = is_right(handle, question);
  ::pam_end(handle, is_it ? PAM_SUCCESS : PAM_AUTH_ERR);
  return is_it;
}

}  // namespace cohort::http
