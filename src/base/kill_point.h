// Named places at which the crash tests kill, stop or hang the process.
#pragma once

namespace cohort {

// In builds with COHORT_KILL_POINTS (all but release):
//   COHORT_KILL_AT=name  raises SIGKILL the first time this place is reached (with COHORT_KILL_SKIP=n: after n passes),
//   COHORT_STOP_AT=name  raises SIGSTOP, once,
//   COHORT_HANG_AT=name  sleeps for a minute.
// Elsewhere it does nothing. The names are collected from the sources by tests/crash.
#ifdef COHORT_KILL_POINTS
void kill_point(const char* name);
#else
inline void kill_point(const char*) {}
#endif

}  // namespace cohort
