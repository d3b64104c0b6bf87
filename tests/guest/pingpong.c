// pingpong ping|pong IP PEER INTERVAL_MS LOG: exchanges numbered messages with the peer, over UDP.
//
// ping sends 1, waits for 1 to come back, sends 2, ...; pong answers each number once, and again when
// it is repeated. Each side appends to LOG, and fsyncs: "sent N" before it sends N for the first time,
// "recv N" after it received N and before it acts on it. A line is 16 bytes.
//
// Hence in one instant, whatever N: if pong's log has "recv N" then ping's has "sent N", and if ping's
// has "recv N" then pong's has "sent N". Both go on from their logs after a restart. Logs that do not
// belong to one instant make one of them say "gap" or "behind" on the console.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kLine = 16, kPort = 7007, kRetryMs = 200 };

struct state {
  int log;
  int socket;
  uint32_t sent;  // the last number logged as sent
  uint32_t received;
  int64_t said_ms;
};

static void die(const char* what) {
  printf("cohort-test-guest: pingpong failed: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void record(struct state* s, const char* what, uint32_t number) {
  char line[kLine + 1];
  snprintf(line, sizeof line, "%s %010u\n", what, number);
  if (write(s->log, line, kLine) != kLine) die("write");
  if (fsync(s->log) != 0) die("fsync");
}

static void record_sent(struct state* s, uint32_t number) {
  record(s, "sent", number);
  s->sent = number;
}

static void record_received(struct state* s, uint32_t number) {
  record(s, "recv", number);
  s->received = number;
  if (now_ms() - s->said_ms >= 1000) {
    printf("cohort-test-guest: pingpong %u\n", number);
    s->said_ms = now_ms();
  }
}

static void open_log(struct state* s, const char* path) {
  s->log = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (s->log < 0) die(path);
  const off_t size = lseek(s->log, 0, SEEK_END) / kLine * kLine;
  if (ftruncate(s->log, size) != 0) die("ftruncate");
  // The last two lines hold both numbers; they differ by at most one.
  for (off_t at = size >= 2 * kLine ? size - 2 * kLine : 0; at < size; at += kLine) {
    char line[kLine + 1] = "";
    if (pread(s->log, line, kLine, at) != kLine) die("pread");
    *(line[0] == 's' ? &s->sent : &s->received) = (uint32_t)strtoul(line + 5, NULL, 10);
  }
  if (lseek(s->log, size, SEEK_SET) < 0) die("lseek");
}

static struct sockaddr_in address(const char* ip) {
  struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(kPort)};
  if (inet_pton(AF_INET, ip, &result.sin_addr) != 1) die(ip);
  return result;
}

static void open_socket(struct state* s, const char* ip, const char* peer) {
  const struct sockaddr_in mine = address(ip);
  const struct sockaddr_in other = address(peer);
  s->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (s->socket < 0) die("socket");
  if (bind(s->socket, (const struct sockaddr*)&mine, sizeof mine) != 0) die("bind");
  if (connect(s->socket, (const struct sockaddr*)&other, sizeof other) != 0) die("connect");
}

static void send_number(struct state* s, uint32_t number) {
  const uint32_t wire = htonl(number);
  // A refused or unreachable peer is the same as a lost message: it is sent again.
  if (send(s->socket, &wire, sizeof wire, 0) < 0 && errno != ECONNREFUSED && errno != EHOSTUNREACH &&
      errno != ENETUNREACH) {
    die("send");
  }
}

// Waits for a number; returns 0 when none came within the time.
static uint32_t receive_number(struct state* s, int timeout_ms) {
  struct pollfd ready = {.fd = s->socket, .events = POLLIN};
  if (poll(&ready, 1, timeout_ms) <= 0) return 0;
  uint32_t wire = 0;
  if (recv(s->socket, &wire, sizeof wire, 0) != (ssize_t)sizeof wire) return 0;
  return ntohl(wire);
}

static void complain(struct state* s, const char* what, uint32_t number) {
  if (now_ms() - s->said_ms < 1000) return;
  printf("cohort-test-guest: pingpong %s have=%u got=%u\n", what, s->received, number);
  s->said_ms = now_ms();
}

static void ping(struct state* s, useconds_t interval_us) {
  for (;;) {
    if (s->sent == s->received) record_sent(s, s->sent + 1);
    send_number(s, s->sent);
    const int64_t until = now_ms() + kRetryMs;
    for (int64_t left = kRetryMs; s->received < s->sent && left > 0; left = until - now_ms()) {
      const uint32_t number = receive_number(s, (int)left);
      if (number == s->sent) record_received(s, number);
      if (number > s->sent) complain(s, "behind", number);
    }
    if (s->received == s->sent && interval_us > 0) usleep(interval_us);
  }
}

static void pong(struct state* s) {
  if (s->sent < s->received) {  // it stopped between "recv N" and "sent N"
    record_sent(s, s->received);
    send_number(s, s->sent);
  }
  for (;;) {
    const uint32_t number = receive_number(s, -1);
    if (number == 0) continue;
    if (number < s->received) {
      complain(s, "behind", number);
      send_number(s, s->sent);
      continue;
    }
    if (number > s->received + 1) complain(s, "gap", number);
    if (number > s->received) {
      record_received(s, number);
      record_sent(s, number);
    }
    send_number(s, s->sent);
  }
}

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct state s = {0};
  open_log(&s, argv[5]);
  open_socket(&s, argv[2], argv[3]);
  if (strcmp(argv[1], "ping") == 0) ping(&s, (useconds_t)atoi(argv[4]) * 1000);
  pong(&s);
}
