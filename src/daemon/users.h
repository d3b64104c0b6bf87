// Changes the password file; see http/password_file.h.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "http/password_file.h"

namespace cohort::daemon {

enum class IfThere { kRefuse, kReplace };

// Adds a user; the file, and its folder, are made if they are not there. The file is replaced as a whole: it is never
// half. Fails with kAlreadyExists unless the user is to be replaced, kInvalidArgument (name, password), kCorrupt if the
// file is damaged, or as writing a file does.
[[nodiscard]] Result<void> add_user(const Path& passwords, std::string_view name, http::Role role,
                                    std::string_view password, IfThere if_there, const http::HashCost& cost = {});
// The same for a user that has no password, and is authenticated by `means`.
[[nodiscard]] Result<void> add_user(const Path& passwords, std::string_view name, http::Role role, http::Means means,
                                    IfThere if_there);
// Fails with kNotFound if there is no such user.
[[nodiscard]] Result<void> remove_user(const Path& passwords, std::string_view name);

// "none", "reader", "operator", "administrator". Fails with kInvalidArgument.
[[nodiscard]] Result<http::Role> role_from(std::string_view name);
// "password", "negotiate", "certificate", "pam". Fails with kInvalidArgument.
[[nodiscard]] Result<http::Means> means_from(std::string_view name);

}  // namespace cohort::daemon
