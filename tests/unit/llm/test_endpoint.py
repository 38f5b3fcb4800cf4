from __future__ import annotations

import pytest

from include.errors import ConfigurationError
from include.llm.endpoint import Endpoint


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://api.example.com/v1/", "https://api.example.com"),
        ("http://[::1]:8091/v1", "http://[::1]:8091"),
        ("https://example.com/v1beta/openai", "https://example.com/v1beta/openai"),
    ],
)
def test_routes_beside_the_api_lie_at_its_root(url: str, root: str) -> None:
    assert Endpoint(url, "m").root == root
    assert not Endpoint(url, "m").base.endswith("/")


@pytest.mark.parametrize("url", ["example.com/v1", "file:///etc/passwd", "https://", ""])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="TIDEMARK_LLM_URL"):
        Endpoint(url, "m")


def test_a_model_without_a_name_and_a_password_in_the_url_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="TIDEMARK_LLM_MODEL"):
        Endpoint("https://example.com/v1", "")
    with pytest.raises(ConfigurationError, match="TIDEMARK_LLM_API_KEY"):
        Endpoint("https://user:secret@example.com/v1", "m")


def test_the_key_is_never_shown() -> None:
    assert "s3cret" not in repr(Endpoint("https://example.com/v1", "m", "s3cret"))


def test_only_this_machine_is_reached_without_a_proxy() -> None:
    local = ["http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]/v1"]
    assert all(Endpoint(url, "m").is_local for url in local)
    assert not Endpoint("http://127.0.0.1.example.com/v1", "m").is_local
