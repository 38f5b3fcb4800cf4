"""Where a language model is reached."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from include.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible endpoint.

    Attributes:
        url: base URL, such as ``https://api.example.com/v1``; ``/chat/completions`` is below it.
        model: the model's name there.
        context_tokens: tokens that prompt and reply may have together.
        seconds: time-out of a reply, unless a call sets its own.
        reports_progress: it is llama.cpp, which can tell how much of the prompt it has read. By
            telling, it notices sooner that nobody listens any more.
    """

    url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    context_tokens: int = 8192
    seconds: float = 120.0
    reports_progress: bool = False

    def __post_init__(self) -> None:
        """Check the URL.

        Raises:
            ConfigurationError: it is none, or the model has no name.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                "TIDEMARK_LLM_URL is no web address; give a base URL such as "
                "https://api.example.com/v1"
            )
        if parts.username or parts.password:
            raise ConfigurationError(
                "TIDEMARK_LLM_URL holds a password; put the key into TIDEMARK_LLM_API_KEY"
            )
        if not self.model:
            raise ConfigurationError("TIDEMARK_LLM_URL is set; TIDEMARK_LLM_MODEL must be, too")

    def asking(self, model: str | None) -> Endpoint:
        """Return the same endpoint, asked for another of its models; None asks for the same.

        Raises:
            ConfigurationError: it has one model alone.
        """
        if model is None or model == self.model:
            return self
        if self.reports_progress:
            raise ConfigurationError(
                f"The local model is {self.model} and no other; TIDEMARK_LOCAL_MODEL names it, and "
                "`./tidemark up` starts it."
            )
        return replace(self, model=model)

    @property
    def base(self) -> str:
        """The URL without a slash at its end."""
        return self.url.rstrip("/")

    @property
    def root(self) -> str:
        """What the server has beside the OpenAI routes is below this."""
        return self.base.removesuffix("/v1")

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, where no proxy leads."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"
