// tokens INTERVAL_MS FOLDER...: appends numbered lines to FOLDER/tokens, each made durable at once.
//
// A line is 32 bytes: "<number, 12 digits> <wall clock in µs, 18 digits>\n". A number is written and
// fsynced in the first folder, then in the second, and so on, before the next number is begun. Hence
// in any one instant no later folder is ahead of an earlier one, and the last numbers differ by at
// most one. After a restart it goes on from the last number of the first folder, once the others, too, have it: a
// power cut may have come between two folders.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kLine = 32, kMaxFolders = 8 };

static void die(const char* what) {
  printf("cohort-test-guest: tokens failed: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t clock_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int open_tokens(const char* folder) {
  char path[128];
  snprintf(path, sizeof path, "%s/tokens", folder);
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) die(path);
  return fd;
}

// The number of the last whole line, 0 if there is none; leaves the file cut behind that line.
static uint64_t recover(int fd) {
  const off_t size = lseek(fd, 0, SEEK_END) / kLine * kLine;
  if (ftruncate(fd, size) != 0) die("ftruncate");
  if (lseek(fd, size, SEEK_SET) < 0) die("lseek");
  char line[kLine + 1] = "";
  if (size == 0) return 0;
  if (pread(fd, line, kLine, size - kLine) != kLine) die("pread");
  return strtoull(line, NULL, 10);
}

static void append(int fd, uint64_t number) {
  char line[kLine + 1];
  snprintf(line, sizeof line, "%012llu %018lld\n", (unsigned long long)number, (long long)clock_us(CLOCK_REALTIME));
  if (write(fd, line, kLine) != kLine) die("write");
  if (fsync(fd) != 0) die("fsync");
}

int main(int argc, char** argv) {
  if (argc < 3 || argc > 2 + kMaxFolders) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  const int folders = argc - 2;
  const int64_t interval_us = strtoll(argv[1], NULL, 10) * 1000;
  int fds[kMaxFolders];
  uint64_t number = 0;
  for (int i = 0; i < folders; ++i) {
    fds[i] = open_tokens(argv[2 + i]);
    uint64_t last = recover(fds[i]);
    if (i == 0) number = last;
    if (last > number || last + 1 < number) {
      printf("cohort-test-guest: tokens: %s has %llu, the first disk %llu\n", argv[2 + i], (unsigned long long)last,
             (unsigned long long)number);
    } else if (last < number) {
      append(fds[i], number);
    }
  }
  int64_t said = 0;
  for (;;) {
    const int64_t began = clock_us(CLOCK_MONOTONIC);
    ++number;
    for (int i = 0; i < folders; ++i) append(fds[i], number);
    if (began - said >= 1000000) {
      printf("cohort-test-guest: token %llu\n", (unsigned long long)number);
      said = began;
    }
    const int64_t rest = began + interval_us - clock_us(CLOCK_MONOTONIC);
    if (rest > 0) usleep((useconds_t)rest);
  }
}
