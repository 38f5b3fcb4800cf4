"""Which batch API is configured."""

from __future__ import annotations

from include.errors import ConfigurationError
from include.generation.batch.anthropic import AnthropicBatches
from include.generation.batch.contract import Provider
from include.generation.batch.gemini import GeminiBatches
from include.generation.batch.openai import OpenAIBatches
from include.generation.batch.vertex import VertexBatches
from include.llm.endpoint import Endpoint
from include.settings import settings

_PROVIDERS: dict[str, type[OpenAIBatches | AnthropicBatches | GeminiBatches | VertexBatches]] = {
    "openai": OpenAIBatches,
    "anthropic": AnthropicBatches,
    "gemini": GeminiBatches,
    "vertex": VertexBatches,
}
_LONGEST_FIRST_PAUSE = 1.0


def open_provider(endpoint: Endpoint) -> Provider:
    """Return the batch API that the settings name, with an endpoint's model and key.

    Raises:
        ConfigurationError: none is named, or the model is one of this machine.
    """
    given = settings()
    if given.llm_batch == "none":
        raise ConfigurationError(
            "Batches of a provider are still open; set TIDEMARK_LLM_BATCH to its name."
        )
    if endpoint.reports_progress:
        raise ConfigurationError(
            f"TIDEMARK_LLM_BATCH is {given.llm_batch}, and the model is the local one: set "
            "TIDEMARK_LLM_URL, TIDEMARK_LLM_MODEL and TIDEMARK_LLM_API_KEY to the provider's."
        )
    pause = min(_LONGEST_FIRST_PAUSE, given.llm_batch_poll_seconds)
    return _PROVIDERS[given.llm_batch](endpoint, given.llm_batch_url, pause)
