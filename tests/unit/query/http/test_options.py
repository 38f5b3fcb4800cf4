from __future__ import annotations

import pytest

from include.errors import ConfigurationError
from include.query.http.options import configured, networks


def test_proxies_are_addresses_and_networks() -> None:
    assert [str(network) for network in networks(" 10.0.0.1, fd00::/8 ,")] == [
        "10.0.0.1/32",
        "fd00::/8",
    ]
    assert networks("") == ()


@pytest.mark.parametrize("text", ["proxy.example.com", "10.0.0.0/99", "10.0.0.1/8"])
def test_what_is_no_network_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="TIDEMARK_TRUSTED_PROXIES"):
        networks(text)


def test_by_default_an_identity_has_its_twenty_searches_and_nobody_is_trusted() -> None:
    options = configured()
    assert options.search_rate >= 20
    assert options.trusted_proxies == ()
