#include "daemon/rights.h"

#include <utility>

#include "daemon/users.h"
#include "domain/collection.h"
#include "http/password_file.h"

namespace cohort::daemon {
namespace {

provider::Right right_of(http::Role role) {
  switch (role) {
    case http::Role::kNone:
      return provider::Right::kNone;
    case http::Role::kReader:
      return provider::Right::kLook;
    case http::Role::kOperator:
      return provider::Right::kOperate;
    case http::Role::kAdministrator:
      return provider::Right::kAdminister;
  }
  return provider::Right::kNone;
}

}  // namespace

Result<Grant> parse_grant(std::string_view text) {
  // A user's name has no colon in it, a collection's may.
  const auto first = text.find(':');
  const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos || first == 0) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not USER:ROLE:COLLECTION", text);
  }
  const std::string_view role_name = text.substr(first + 1, second - first - 1);
  const std::string_view collection = text.substr(second + 1);
  const auto role = role_from(role_name);
  if (!role || *role == http::Role::kNone) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is none of reader, operator and administrator", role_name);
  }
  if (!CollectionId::parse(collection) && !check_collection_name(collection)) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is neither the name nor the UUID of a collection", collection);
  }
  return Grant{std::string(text.substr(0, first)), {std::string(collection), right_of(*role)}};
}

void Rights::replace(std::vector<Grant> grants) {
  const std::scoped_lock lock(mutex_);
  grants_ = std::move(grants);
}

provider::Caller Rights::caller(const http::Identity& identity) const {
  provider::Caller caller{identity.name(), right_of(identity.role())};
  const std::scoped_lock lock(mutex_);
  for (const Grant& each : grants_) {
    if (http::is_same_user(each.user, caller.name)) caller.rights.push_back(each.right);
  }
  return caller;
}

}  // namespace cohort::daemon
