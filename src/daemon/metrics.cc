#include "daemon/metrics.h"

#include <prometheus/text_serializer.h>

namespace cohort::daemon {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using Buckets = prometheus::Histogram::BucketBoundaries;

// Seconds.
const Buckets& request_buckets() {
  static const Buckets buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120};
  return buckets;
}
const Buckets& fence_buckets() {
  static const Buckets buckets{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 5};
  return buckets;
}

std::string text_of(Protocol protocol) { return protocol == Protocol::kWsman ? "wsman" : "cimxml"; }

std::string text_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return "done";
    case Outcome::kDenied:
      return "denied";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kTimedOut:
      return "timed_out";
  }
  return "failed";
}

}  // namespace

Metrics::Metrics()
    : requests_(
          BuildCounter().Name("cohort_requests_total").Help("CIM operations that were answered.").Register(registry_)),
      durations_(BuildHistogram()
                     .Name("cohort_request_seconds")
                     .Help("How long CIM operations took to be answered.")
                     .Register(registry_)),
      refused_(BuildCounter()
                   .Name("cohort_requests_refused_total")
                   .Help("Requests of authenticated clients that could not be read.")
                   .Register(registry_)),
      failed_authentications_(BuildCounter()
                                  .Name("cohort_failed_authentications_total")
                                  .Help("Requests with a name and a password that do not belong together.")
                                  .Register(registry_)
                                  .Add({})),
      jobs_(BuildCounter().Name("cohort_jobs_total").Help("Jobs that have ended.").Register(registry_)),
      running_jobs_(BuildGauge().Name("cohort_jobs_running").Help("Jobs that have not ended.").Register(registry_)),
      bytes_(BuildCounter()
                 .Name("cohort_job_bytes_total")
                 .Help("Bytes that jobs which have ended worked on.")
                 .Register(registry_)),
      fences_(BuildHistogram()
                  .Name("cohort_fence_seconds")
                  .Help("How long the members of a collection were kept from running while a snapshot was taken.")
                  .Register(registry_)
                  .Add({}, fence_buckets())),
      connections_(BuildGauge().Name("cohort_connections").Help("Open connections.").Register(registry_).Add({})) {}

void Metrics::count_request(Protocol protocol, std::string_view operation, Outcome outcome, double seconds) {
  const std::string name(operation);
  requests_.Add({{"protocol", text_of(protocol)}, {"operation", name}, {"outcome", text_of(outcome)}}).Increment();
  durations_.Add({{"operation", name}}, request_buckets()).Observe(seconds);
}

void Metrics::count_refused(Protocol protocol) { refused_.Add({{"protocol", text_of(protocol)}}).Increment(); }

void Metrics::count_failed_authentication() { failed_authentications_.Increment(); }

void Metrics::count_begun_job(JobType type) { running_jobs_.Add({{"type", std::string(to_string(type))}}).Increment(); }

void Metrics::count_ended_job(JobType type, JobState state, std::uint64_t bytes) {
  const std::string name(to_string(type));
  running_jobs_.Add({{"type", name}}).Decrement();
  jobs_.Add({{"type", name}, {"state", std::string(to_string(state))}}).Increment();
  bytes_.Add({{"type", name}}).Increment(static_cast<double>(bytes));
}

void Metrics::observe_fence(std::chrono::microseconds length) {
  fences_.Observe(std::chrono::duration<double>(length).count());
}

void Metrics::set_connections(std::size_t count) { connections_.Set(static_cast<double>(count)); }

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

}  // namespace cohort::daemon
