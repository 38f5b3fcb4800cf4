"""Which language model a deployment has: by settings, else the local one where it was fetched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.llm.weights import KNOWN
from include.platform import model
from include.platform.state import State, make_home
from include.settings import ROOT, Settings, settings

Configure = Callable[..., None]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Configure]:
    for name in list(os.environ):
        if name.startswith("TIDEMARK_"):
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)

    def set_to(**values: object) -> None:
        for name, value in {"home": tmp_path, **values}.items():
            monkeypatch.setenv(f"TIDEMARK_{name.upper()}", str(value))
        settings.cache_clear()
        make_home(tmp_path)

    yield set_to
    settings.cache_clear()


def own_model(folder: Path) -> Path:
    path = folder / "own.gguf"
    path.write_bytes(b"GGUF")
    return path


def test_without_anything_there_is_none(configure: Configure) -> None:
    configure()
    assert model.endpoint() is None
    assert model.configured_chat() is None


def test_an_endpoint_by_settings_wins(configure: Configure, tmp_path: Path) -> None:
    configure(
        llm_url="https://api.example.com/v1",
        llm_model="large",
        llm_api_key="s3cret",
        local_model=own_model(tmp_path),
    )
    found = model.endpoint()
    assert found is not None
    assert (found.base, found.model, found.api_key) == (
        "https://api.example.com/v1",
        "large",
        "s3cret",
    )
    assert model.local() is None
    chat = model.configured_chat()
    assert chat is not None
    assert (chat.name, chat.context_tokens) == ("large", 8192)


def test_an_endpoint_without_a_model_is_refused(configure: Configure) -> None:
    configure(llm_url="https://api.example.com/v1")
    with pytest.raises(ConfigurationError, match="TIDEMARK_LLM_MODEL"):
        model.endpoint()


def test_a_fetched_model_is_reached_with_the_key_of_this_home(
    configure: Configure, tmp_path: Path
) -> None:
    configure(local_model=own_model(tmp_path))
    assert model.endpoint() is None, "it was never started"
    State(tmp_path).write("model", {"wanted": 8091, "port": 18091})
    found = model.endpoint()
    assert found is not None
    assert (found.base, found.model) == ("http://127.0.0.1:18091/v1", "own")
    assert found.api_key == (tmp_path / "secrets" / "model_key").read_text(encoding="ascii")


def test_the_key_is_in_no_command_line(configure: Configure, tmp_path: Path) -> None:
    configure(local_model=own_model(tmp_path), model_key="s3cret")
    found = model.local()
    assert found is not None
    assert not [word for word in found.command("127.0.0.1", 1) if "s3cret" in word]


def test_fetching_where_it_is_there_fetches_nothing(configure: Configure, tmp_path: Path) -> None:
    weights = KNOWN[Settings.model_fields["local_model"].default]
    configure(model_dir=tmp_path / "models")
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / weights.file_name
    with path.open("wb") as file:
        file.truncate(weights.size)
    assert model.fetch(lambda _: pytest.fail("it fetched")) == path


def test_the_server_wants_a_key_before_it_reads_anything(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "TIDEMARK_MODEL_KEY"}
    words = ["--port", "1", "--name", "own", "--context", "2048"]
    done = subprocess.run(
        [sys.executable, "-m", "include.llm.local_server", str(own_model(tmp_path)), *words],
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "TIDEMARK_MODEL_KEY" in done.stderr
