#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: tool_top.py WIDTHxHEIGHT STEP... -- COMMAND...

Runs a command in a pseudo-terminal of that size. Steps, in their order:

  see:TEXT    wait until the screen has this text
  lack:TEXT   wait until it has not
  key:KEYS    press keys
  run:SHELL   run a shell command beside it
  size:WxH    give the terminal another size
  show        print the screen

In the end the command must have left by itself, with status 0. The text of the
screen is on standard error when a step fails.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pyte

LIMIT = 60  # seconds that a step may take


class Terminal:
    """A command and its screen."""

    def __init__(self, width, height, command):
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.ByteStream(self.screen)
        self.pid, self.fd = pty.fork()
        if not self.pid:
            # One that pyte understands all of.
            os.environ["TERM"] = "linux"
            os.execvp(command[0], command)
        self.resize(width, height)

    def resize(self, width, height):
        """Another size; the kernel tells the command."""
        self.screen.resize(height, width)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", height, width, 0, 0))

    def text(self):
        """The screen's lines."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def pump(self, seconds):
        """Takes what comes. Returns whether the command is there still."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.stream.feed(data)
        return bool(data)

    def wait(self, what, condition):
        """Until the condition holds."""
        end = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > end:
                self.die(f"not in {LIMIT} s: {what}")
            if not self.pump(0.2) and not condition():
                self.die(f"it has ended: {what}")

    def die(self, why):
        """A step failed."""
        sys.exit(f"{why}\n{self.text()}")

    def step(self, step):
        """One step."""
        verb, _, rest = step.partition(":")
        if verb == "see":
            self.wait(step, lambda: rest in self.text())
        elif verb == "lack":
            self.wait(step, lambda: rest not in self.text())
        elif verb == "key":
            os.write(self.fd, rest.encode().decode("unicode_escape").encode())
        elif verb == "run":
            subprocess.run(rest, shell=True, check=True)
        elif verb == "size":
            self.resize(*(int(n) for n in rest.split("x")))
        elif verb == "show":
            print(self.text())
        else:
            self.die(f"no step '{step}'")

    def end(self):
        """It leaves by itself."""
        end = time.monotonic() + LIMIT
        while self.pump(0.2):
            if time.monotonic() > end:
                self.die("it stays")
        status = os.waitpid(self.pid, 0)[1]
        if status:
            self.die(f"status {status}")


def main():
    """Entry point."""
    at = sys.argv.index("--")
    width, height = (int(n) for n in sys.argv[1].split("x"))
    terminal = Terminal(width, height, sys.argv[at + 1:])
    for step in sys.argv[2:at]:
        terminal.step(step)
    terminal.end()


if __name__ == "__main__":
    main()
