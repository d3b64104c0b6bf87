// Who has asked for a job, and how he follows and stops it.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "domain/job.h"

namespace cohort::service {

struct JobWatch {
  std::stop_token stop;                       // requested: the job is cancelled and undone
  std::function<void(const Job&)> on_update;  // at most four times a second, from a thread of the job's; may be empty
  std::string owner = {};                     // the user's name; may be empty
};

}  // namespace cohort::service
