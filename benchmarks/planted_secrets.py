"""Made-up credentials of every issuer's form, in sentences, by a seed; none of them is real."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple

_LOWER_HEX = "0123456789abcdef"
_DIGITS = string.digits
_LETTERS = string.ascii_letters + string.digits
_CAPITALS = string.ascii_uppercase + string.digits
_SENTENCES = (
    "For the deployment use {}, it is valid until the end of the year.",
    "I pasted it into the ticket: {}",
    "export SERVICE_KEY={}",
    '{{"service": "billing", "key": "{}"}}',
    "The old one ({}) stopped working after the update.",
    "Bob wrote: try `{}` first.",
    "config:\n  region: eu\n  key: {}\n  retries: 3",
)


class Planted(NamedTuple):
    """A text and the credential in it."""

    form: str
    text: str
    secret: str


def plant(seed: int, each: int) -> Iterator[Planted]:
    """Yield every form a number of times, in changing sentences."""
    chance = random.Random(seed)
    for number in range(each):
        for place, (form, make) in enumerate(_FORMS.items()):
            secret = make(chance)
            sentence = _SENTENCES[(number + place) % len(_SENTENCES)]
            yield Planted(form, sentence.format(secret), secret)
        for form, sentence, make in _STATED:
            secret = make(chance)
            yield Planted(form, sentence.format(secret), secret)


def _of(*parts: str | tuple[int, str]) -> Callable[[random.Random], str]:
    """Return a maker of texts: fixed parts, and counts of signs of an alphabet."""

    def make(chance: random.Random) -> str:
        return "".join(
            part if isinstance(part, str) else "".join(chance.choices(part[1], k=part[0]))
            for part in parts
        )

    return make


def _password(chance: random.Random) -> str:
    """Return a password of at least two digits, as generators of passwords make them."""
    signs = chance.choices(string.ascii_letters, k=8) + chance.choices(string.digits, k=3)
    chance.shuffle(signs)
    return "".join(signs) + chance.choice("!?#&-_x")


_FORMS: dict[str, Callable[[random.Random], str]] = {
    "aws access key": _of("AKIA", (16, string.ascii_uppercase + "234567")),
    "aws session key": _of("ASIA", (16, string.ascii_uppercase + "234567")),
    "github personal": _of("ghp_", (36, _LETTERS)),
    "github oauth": _of("gho_", (36, _LETTERS)),
    "github app": _of("ghs_", (36, _LETTERS)),
    "github fine-grained": _of("github_pat_", (22, _LETTERS), "_", (59, _LETTERS)),
    "gitlab": _of("glpat-", (20, _LETTERS)),
    "slack bot": _of("xoxb-", (12, string.digits), "-", (12, string.digits), "-", (24, _LETTERS)),
    "slack user": _of("xoxp-", (12, _DIGITS), "-", (12, _DIGITS), "-", (32, _LOWER_HEX)),
    "slack app": _of("xapp-1-A", (10, _CAPITALS), "-", (13, _DIGITS), "-", (64, _LOWER_HEX)),
    "slack hook": _of(
        "https://hooks.slack.com/services/T", (8, _CAPITALS), "/B", (8, _CAPITALS), "/",
        (24, _LETTERS),
    ),
    "google api": _of("AIza", (35, _LETTERS + "-_")),
    "google oauth": _of("GOCSPX-", (28, _LETTERS)),
    "stripe live": _of("sk_live_", (24, _LETTERS)),
    "stripe restricted": _of("rk_live_", (24, _LETTERS)),
    "openai": _of("sk-proj-", (48, _LETTERS)),
    "openai classic": _of("sk-", (48, _LETTERS)),
    "anthropic": _of("sk-ant-api03-", (93, _LETTERS + "-_"), "AA"),
    "hugging face": _of("hf_", (34, string.ascii_letters)),
    "npm": _of("npm_", (36, _LETTERS)),
    "pypi": _of("pypi-AgEIcHlwaS5vcmc", (120, _LETTERS)),
    "rubygems": _of("rubygems_", (48, _LOWER_HEX)),
    "docker": _of("dckr_pat_", (27, _LETTERS)),
    "sendgrid": _of("SG.", (22, _LETTERS), ".", (43, _LETTERS)),
    "mailgun": _of("key-", (32, _LOWER_HEX)),
    "mailchimp": _of((32, _LOWER_HEX), "-us12"),
    "twilio": _of("SK", (32, _LOWER_HEX)),
    "telegram": _of((9, "123456789"), ":AA", (33, _LETTERS)),
    "shopify": _of("shpat_", (32, _LOWER_HEX)),
    "square": _of("sq0atp-", (22, _LETTERS)),
    "digitalocean": _of("dop_v1_", (64, _LOWER_HEX)),
    "databricks": _of("dapi", (32, _LOWER_HEX)),
    "vault": _of("hvs.", (90, _LETTERS)),
    "grafana": _of("glsa_", (32, _LETTERS), "_", (8, _LOWER_HEX)),
    "linear": _of("lin_api_", (40, _LETTERS)),
    "notion": _of("ntn_", (46, _LETTERS)),
    "postman": _of("PMAK-", (24, _LOWER_HEX), "-", (34, _LOWER_HEX)),
    "new relic": _of("NRAK-", (27, _CAPITALS)),
    "supabase": _of("sbp_", (40, _LOWER_HEX)),
    "doppler": _of("dp.pt.", (43, _LETTERS)),
    "atlassian": _of("ATATT3xFfGF0", (180, _LETTERS)),
    "json web token": _of("eyJ", (33, _LETTERS), ".eyJ", (60, _LETTERS), ".", (43, _LETTERS)),
    "azure storage": _of("AccountKey=", (86, _LETTERS), "=="),
    "age": _of("AGE-SECRET-KEY-1", (58, _CAPITALS)),
    "rsa key": _of(
        "-----BEGIN RSA PRIVATE KEY-----\n", (64, _LETTERS), "\n", (64, _LETTERS),
        "\n-----END RSA PRIVATE KEY-----",
    ),
    "openssh key": _of(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n", (64, _LETTERS),
        "\n-----END OPENSSH PRIVATE KEY-----",
    ),
    "pgp key": _of(
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n", (64, _LETTERS),
        "\n-----END PGP PRIVATE KEY BLOCK-----",
    ),
}  # fmt: skip
_STATED: tuple[tuple[str, str, Callable[[random.Random], str]], ...] = (
    ("stated password", "The password is {}, ask Ann if it fails.", _password),
    ("assigned password", "DB_PASSWORD={}\nDB_HOST=db.dock.example", _password),
    ("password of a login", "user: ann\npassword: {}", _password),
    ("password in an address", "postgresql://ann:{}@db.dock.example/books", _of((14, _LETTERS))),
    ("api key", 'api_key = "{}"', _of((16, _LOWER_HEX), "7a", (14, _LOWER_HEX))),
    ("aws secret", "aws_secret_access_key = {}", _of((38, _LETTERS), "4/")),
    ("bearer", "Authorization: Bearer {}", _of((30, _LETTERS), "8a5")),
    ("client secret", "client_secret: {}", _of((30, _LETTERS), "8~5")),
)
