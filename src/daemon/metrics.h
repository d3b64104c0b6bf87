// The daemon's figures in Prometheus' text format.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <string>
#include <string_view>

#include "domain/job.h"

namespace cohort::daemon {

enum class Protocol { kWsman, kCimXml };
enum class Outcome { kDone, kDenied, kFailed, kTimedOut };

// Threads: safe to call from several at once.
class Metrics {
 public:
  Metrics();

  void count_request(Protocol protocol, std::string_view operation, Outcome outcome, double seconds);
  // A request that could not be read.
  void count_refused(Protocol protocol);
  void count_failed_authentication();

  void count_begun_job(JobType type);
  // It need not have begun in this process. `bytes` are those it worked on.
  void count_ended_job(JobType type, JobState state, std::uint64_t bytes);
  // A snapshot was taken: how long its members were kept from running.
  void observe_fence(std::chrono::microseconds length);
  void set_connections(std::size_t count);

  [[nodiscard]] std::string text() const;

 private:
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& durations_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Counter& failed_authentications_;
  prometheus::Family<prometheus::Counter>& jobs_;
  prometheus::Family<prometheus::Gauge>& running_jobs_;
  prometheus::Family<prometheus::Counter>& bytes_;
  prometheus::Histogram& fences_;
  prometheus::Gauge& connections_;
};

}  // namespace cohort::daemon
