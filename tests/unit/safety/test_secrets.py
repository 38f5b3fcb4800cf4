"""Credentials are found; talk about credentials is not."""

from __future__ import annotations

import pytest

from include.safety import mask
from include.safety.secrets import find_secrets

# Put together here, so that no scanner takes this file for a leak.
LETTERS = "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1cD3fG5hJ7k"
SECRETS = [
    ("aws_key", "AKIA" + "Q3EGRS7TUV2WXYZ4"),
    ("github_token", "ghp_" + LETTERS[:36]),
    ("gitlab_token", "glpat-" + LETTERS[:20]),
    ("slack_token", "xoxb-" + "123456789012-" + LETTERS[:24]),
    ("google_key", "AIza" + LETTERS[:35]),
    ("stripe_key", "sk_live_" + LETTERS[:24]),
    ("model_key", "sk-proj-" + LETTERS),
    ("package_token", "npm_" + LETTERS[:36]),
    ("json_web_token", f"eyJ{LETTERS[:20]}.eyJ{LETTERS[:30]}.{LETTERS[:30]}"),
    ("private_key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"),
]


@pytest.mark.parametrize(("rule", "secret"), SECRETS)
def test_finds_tokens_by_their_form(rule: str, secret: str) -> None:
    text = f"It is {secret} and works."
    findings = find_secrets(text)
    assert rule in {finding.rule for finding in findings}
    assert secret not in mask(text, findings)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("The password is tr0ub4dor&3, ask Ann.", "tr0ub4dor&3"),
        ("password: q7Lm2xPz", "q7Lm2xPz"),
        ('api_key = "9f8e7d6c5b4a3f2e"', "9f8e7d6c5b4a3f2e"),
        ("Authorization: Bearer h4rb0ur-8821-zzQ", "h4rb0ur-8821-zzQ"),
        ("postgresql://ann:s3aw4ll77@db.dock.example/books", "s3aw4ll77"),
        ("Das Passwort ist Kran2024!x.", "Kran2024!x"),
    ],
)
def test_finds_passwords_that_are_stated(text: str, secret: str) -> None:
    (finding,) = find_secrets(text)
    assert text[finding.start : finding.end] == secret


@pytest.mark.parametrize(
    "text",
    [
        "The password is required and must have eight characters.",
        "Reset your password at https://dock.example/reset.",
        "password = os.environ['DB_PASSWORD']",
        "token: <your-token-here>",
        "api_key=YOUR_API_KEY_12345",
        "password: ********",
        "Send the token to the server and the server replies.",
        "postgresql://user:password@localhost/db",
        "The secret ingredient of the harbour's soup is lovage.",
        "Bearer tokens expire after an hour.",
        "sk-learn is a library.",
        "PASSWORD=changeme1",
    ],
)
def test_leaves_talk_about_secrets_alone(text: str) -> None:
    assert find_secrets(text) == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["a", "eyJ", "password ", "-----BEGIN ", "a://", "token: "])
def test_hostile_repetition_is_read_to_its_end(piece: str) -> None:
    text = piece * (40_000 // len(piece)) + "\npassword: q7Lm2xPz"
    assert find_secrets(text)[-1].rule == "password"
