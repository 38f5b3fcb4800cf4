"""The context of a generation run: one task throughout, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.llm.endpoint import Endpoint
from include.pipeline.generation.context import GenerationContext
from include.settings import settings

_TASK = """---
description: Names a berth.
system: You name berths.
output: {{type: object, properties: {{berth: {{type: string}}}}}}
---
{said} {{{{ text }}}}
"""


def test_a_task_file_that_changes_is_read_by_the_next_task_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_TASKS", str(tmp_path))
    settings.cache_clear()
    file = tmp_path / "berth.md"
    file.write_text(_TASK.format(said="Which berth?"))
    endpoint = Endpoint("http://127.0.0.1:1/v1", "none", None, 4096, 1.0)
    context = GenerationContext("run", "", endpoint, task_name="berth")
    first = context.task
    file.write_text(_TASK.format(said="Which pier?"))
    assert context.task is first
    later = GenerationContext("run", "", endpoint, task_name="berth")
    settings.cache_clear()
    assert later.task.version != first.version
