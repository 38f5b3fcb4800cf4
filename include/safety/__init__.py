"""What must not come in or go out: injected orders, abuse, personal data and secrets."""

from include.safety.findings import Finding, Kind, mask
from include.safety.injection import find_injections
from include.safety.policy import Policy, load_policy
from include.safety.screen import Screen, load_screen

__all__ = [
    "Finding",
    "Kind",
    "Policy",
    "Screen",
    "find_injections",
    "load_policy",
    "load_screen",
    "mask",
]
