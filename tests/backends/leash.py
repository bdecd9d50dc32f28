"""Run a command for as long as standard input stays open.

``python leash.py COMMAND…`` in a session of its own kills the whole session as soon as whoever holds the other
end of standard input closes it or dies, however it dies. Nothing a test run starts can outlive it.
"""

import os
import signal
import subprocess
import sys
import threading


def _follow(child: subprocess.Popen[bytes]) -> None:
    os._exit(child.wait() & 0xFF)


if __name__ == "__main__":
    threading.Thread(
        target=_follow, args=(subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL),), daemon=True
    ).start()
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)
