"""OpenVINO reports every import to its makers and writes ``~/intel``; here it does not."""

from __future__ import annotations

import sys


def silence_openvino() -> None:
    """Keep OpenVINO's telemetry from being loaded; to be called before OpenVINO is imported.

    It has no switch but a file in the user's home. Without the package ``openvino_telemetry`` it
    takes a stub of its own, and None in its place is what makes Python say that it is missing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
