// How a caller follows and stops a job it has asked for.
#pragma once

#include <functional>
#include <stop_token>

#include "domain/job.h"

namespace cohort::service {

struct JobWatch {
  std::stop_token stop;                       // requested: the job is cancelled and undone
  std::function<void(const Job&)> on_update;  // at most four times a second, from a thread of the job's; may be empty
};

}  // namespace cohort::service
