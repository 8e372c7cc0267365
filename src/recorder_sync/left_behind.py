"""The end of a service whose threads wait for a server that says nothing.

Python ends a process only when every thread of a pool has ended, and looking up a name or
waiting for an answer takes up to minutes. All that has to be on record is so by then, so the
process ends without them; systemd would kill it otherwise.
"""

import os
import sys
import threading


def end_without_them(code: int) -> int:
    """End the process with this code where any thread is left; else return the code."""
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
