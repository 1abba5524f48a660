"""A pack that says a port on which nobody answers."""

import socket
import time

with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    print(taken.getsockname()[1], flush=True)
    time.sleep(600)
