""".env.example lists every setting, with its description and default."""

from __future__ import annotations

import importlib.util

from include.settings import ROOT


def test_it_says_what_the_settings_say() -> None:
    path = ROOT / "scripts" / "env_example.py"
    spec = importlib.util.spec_from_file_location("env_example", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stored = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert stored == module.render(), "run make env-example"
