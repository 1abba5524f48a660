"""A program that starts a process of its own and never ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
Path(os.environ["PIDS"]).write_text(f"{os.getpid()} {os.getppid()} {sleeper.pid}\n", encoding="utf-8")
time.sleep(120)
