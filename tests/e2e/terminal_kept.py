"""Runs a command in a terminal, kills it with SIGTERM once it has printed "begun", and says whether the terminal
has its modes of before. usage: terminal_kept.py COMMAND..."""
import os
import pty
import signal
import sys
import termios

SECONDS_MAX = 20

leader, follower = pty.openpty()
before = termios.tcgetattr(follower)
child = os.fork()
if child == 0:
    os.close(leader)
    os.setsid()
    for fd in (0, 1, 2):
        os.dup2(follower, fd)
    os.execvp(sys.argv[1], sys.argv[1:])
signal.alarm(SECONDS_MAX)
text = b''
while b'begun' not in text:
    text += os.read(leader, 1024)
raw = termios.tcgetattr(follower)
os.kill(child, signal.SIGTERM)
os.waitpid(child, 0)
after = termios.tcgetattr(follower)
if raw == before:
    sys.exit('it was never raw')
if after != before:
    sys.exit('it stayed raw')
