from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from include.embedding.telemetry import silence_openvino
silence_openvino()
import openvino
import openvino.tools.ovc
assert sys.modules["openvino_telemetry"] is None
"""


def test_openvino_leaves_no_trace_in_the_home_of_the_user(tmp_path: Path) -> None:
    variables = {**os.environ, "HOME": str(tmp_path), "CI": ""}
    subprocess.run([sys.executable, "-c", PROGRAM], env=variables, check=True, timeout=120)
    assert not (tmp_path / "intel").exists()
