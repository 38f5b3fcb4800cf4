"""Runs code that reads untrusted bytes in a locked-down process of its own.

The parent opens files and hands descriptors over; the worker has no network, cannot start programs,
cannot write or list files, and is bounded in memory, time and output. What it sends back is JSON,
text and bytes, never anything that is executed.
"""

from include.sandbox.limits import Limits
from include.sandbox.process import Sandbox
from include.sandbox.protocol import Reply

__all__ = ["Limits", "Reply", "Sandbox"]
