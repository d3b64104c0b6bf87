// load_modules FILE: loads the kernel modules that FILE lists, one path a line, in that order.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void load(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST && errno != ENODEV)) {
    fprintf(stderr, "load_modules: %s: %s\n", path, strerror(errno));
  }
  close(fd);
}

int main(int argc, char** argv) {
  FILE* list = argc == 2 ? fopen(argv[1], "r") : NULL;
  if (list == NULL) return 1;
  char path[256];
  while (fgets(path, sizeof path, list) != NULL) {
    path[strcspn(path, "\n")] = '\0';
    load(path);
  }
  return 0;
}
