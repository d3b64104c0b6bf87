// power_button: turns the ACPI power button into SIGTERM for init.
#include <fcntl.h>
#include <linux/input.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int open_button(void) {
  for (int i = 0; i < 8; ++i) {
    char path[32];
    char name[64] = "";
    snprintf(path, sizeof path, "/dev/input/event%d", i);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    ioctl(fd, EVIOCGNAME(sizeof name), name);
    if (strcmp(name, "Power Button") == 0) return fd;
    close(fd);
  }
  return -1;
}

int main(void) {
  int fd;
  while ((fd = open_button()) < 0) sleep(1);
  struct input_event event;
  while (read(fd, &event, sizeof event) == (ssize_t)sizeof event) {
    if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1) kill(1, SIGTERM);
  }
  return 0;
}
