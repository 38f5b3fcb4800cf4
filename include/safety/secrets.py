"""Credentials in a text: private keys, tokens of known issuers, passwords that are stated."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from include.safety.findings import Finding, disjoint, standing
from include.safety.plain import plain

# Issuers give their tokens a form so that they can be found; each is taken at its word.
_ISSUED = (
    ("private_key", r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
                    r"(?:[^-]{0,12000}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"),
    ("aws_key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("github_token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})\b"),
    ("gitlab_token", r"\bgl(?:pat|ptt|dt|rt)-[\w-]{20,64}\b"),
    ("slack_token", r"\bxox[abeoprs]-[\w-]{10,200}|https://hooks\.slack\.com/services/[\w/]{20,80}"),
    ("google_key", r"\bAIza[\w-]{35}(?![\w-])|\bya29\.[\w-]{20,400}|\bGOCSPX-[\w-]{20,40}"),
    ("stripe_key", r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,200}\b"),
    ("model_key", r"\bsk-(?:ant-|proj-|or-)?[\w-]{20,200}|\bhf_[A-Za-z0-9]{30,60}\b"),
    ("package_token", r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgE[\w-]{30,400}"),
    ("mail_key", r"\bSG\.[\w-]{16,32}\.[\w-]{30,64}|\bkey-[0-9a-f]{32}\b"),
    ("json_web_token", r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{16,1000}"),
    ("service_token", r"\b(?:shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|dop_v1_[0-9a-f]{64}"
                      r"|dapi[0-9a-f]{32}|hv[sb]\.[\w-]{24,200}|dckr_pat_[\w-]{20,60}|glsa_\w{32,60}"
                      r"|lin_api_\w{30,60}"
                      r"|ntn_\w{40,60}|secret_[A-Za-z0-9]{40,50}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}"
                      r"|NRAK-[A-Z0-9]{27}|sntry[su]_[\w+/=-]{40,200}|rubygems_[0-9a-f]{48}"
                      r"|pscale_(?:tkn|pw|oauth)_[\w.-]{32,64}|sbp_[0-9a-f]{40}"
                      r"|dp\.(?:pt|st)\.\w{40,60}"
                      r"|ATATT3[\w=-]{60,240}|sq0(?:atp|csp)-[\w-]{22,60}|EAAA[\w-]{56,64}"
                      r"|AGE-SECRET-KEY-1[0-9A-Z]{58}|xapp-\d-[\w-]{20,200}|r8_[A-Za-z0-9]{37}"
                      r"|gsk_[A-Za-z0-9]{40,60}|xai-[A-Za-z0-9]{60,90}|pplx-[A-Za-z0-9]{40,60}"
                      r"|SK[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}|\d{8,10}:AA[\w-]{33}"
                      r"|[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38})(?![\w-])"),
    ("storage_key", r"\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,120}={0,2}"),
)  # fmt: skip
_PATTERNS = tuple((rule, re.compile(pattern)) for rule, pattern in _ISSUED)
_URL_PASSWORD = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:@/]{1,80}:([^\s@/]{1,120})@[\w.\[-]")
_NAMED = re.compile(
    r"""(?<![a-z])
    (?:api[ _-]?key|access[ _-]?(?:key|token)|auth(?:orization)?[ _-]?token|bearer
    |client[ _-]?secret|secret(?:[ _-]?(?:access)?[ _-]?key)?|token
    |(?:refresh|session|bot|deploy)[ _-]?token|passwords?|passwort|passphrase|passwd|passcode|pwd
    |kennwort|contraseña|mot[ ]de[ ]passe)
    (?:["'`]?\s{0,3}(?:[:=]{1,2}|=>|\bis(?:\snow)?:?|\bto:?|\bist|\best|\bes)\s{0,3}|\s{1,3})
    ["'`]?([^\s"'`<>,;]{6,200})""",
    re.IGNORECASE | re.VERBOSE,
)
_PLACEHOLDER = re.compile(
    r"your|example|sample|placeholder|change.?me|redacted|dummy|insert|[xX*.•]{4}|[{}$%<>()\[\]]"
    r"|^(?:none|null|true|false|required|optional|string)$|^https?:|\.(?:py|js|com|org|md|html)\b",
    re.IGNORECASE,
)


def find_secrets(text: str) -> list[Finding]:
    """Return the credentials in a text, ascending by position and without overlaps.

    A password or key that a text states (``password: …``) counts when it looks made up: letters
    and digits or signs mixed, and no placeholder. The text is taken as it reads (``plain``). The
    time is linear in its length.
    """
    read = plain(text)
    return standing(read, disjoint((*_issued(read.text), *_stated(read.text))))


def _issued(text: str) -> Iterator[Finding]:
    for rule, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if rule == "private_key" or len(set(match[0])) > 8:
                yield Finding("secret", rule, *match.span(), 0.98)


def _stated(text: str) -> Iterator[Finding]:
    for match in _URL_PASSWORD.finditer(text):
        if not _PLACEHOLDER.search(match[1]) and match[1].lower() not in {"password", "pass"}:
            yield Finding("secret", "password", *match.span(1), 0.9)
    for match in _NAMED.finditer(text):
        value = match[1].rstrip(".!?:")
        if _made_up(value):
            start = match.start(1)
            yield Finding("secret", "password", start, start + len(value), 0.8)


def _made_up(value: str) -> bool:
    """Tell a secret from a word: kinds of characters mixed, and little repetition."""
    if len(value) < 6 or _PLACEHOLDER.search(value):
        return False
    letters = any(sign.isalpha() for sign in value)
    digits = sum(sign.isdigit() for sign in value)
    signs = any(not sign.isalnum() and sign not in "-_/.'" for sign in value)
    mixed = letters and (digits >= 2 or (digits >= 1 and signs))
    return mixed and _entropy(value) >= 2.2


def _entropy(value: str) -> float:
    """Return the bits a character that the value's own letters carry (Shannon)."""
    counts = Counter(value).values()
    return -math.fsum(n / len(value) * math.log2(n / len(value)) for n in counts)
