"""A pack that never says its port."""

import time

time.sleep(600)
