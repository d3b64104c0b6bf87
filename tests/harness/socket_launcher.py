"""Becomes a program that is passed sockets as systemd does: socket_launcher.py NAME=FD... -- PROGRAM ARGUMENT..."""

import fcntl
import os
import sys

FIRST = 3  # SD_LISTEN_FDS_START
OUT_OF_THE_WAY = 100


def main(arguments):
    split = arguments.index("--")
    passed = [each.rsplit("=", 1) for each in arguments[:split]]
    moved = [fcntl.fcntl(int(number), fcntl.F_DUPFD, OUT_OF_THE_WAY) for _, number in passed]
    for index, number in enumerate(moved):
        os.dup2(number, FIRST + index)
        os.close(number)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(passed)),
                      LISTEN_FDNAMES=":".join(name for name, _ in passed))
    os.execv(arguments[split + 1], arguments[split + 1:])


if __name__ == "__main__":
    main(sys.argv[1:])
