"""What tokens cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from include.errors import ConfigurationError
from include.generation.contract import Usage
from include.settings import ModelPrices, settings

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Prices:
    """USD a million tokens; all zero for a model on this machine.

    Attributes:
        known: False where an endpoint's prices are not configured: costs are then counted as 0.
    """

    prompt: Decimal = Decimal(0)
    cached: Decimal = Decimal(0)
    completion: Decimal = Decimal(0)
    known: bool = True

    def cost(self, usage: Usage) -> Decimal:
        """Return what a reply has cost."""
        fresh = max(0, usage.prompt_tokens - usage.cached_tokens)
        spent = (
            fresh * self.prompt
            + usage.cached_tokens * self.cached
            + usage.completion_tokens * self.completion
        )
        return spent / _MILLION


def configured_prices(*, local: bool, batch: bool = False, model: str | None = None) -> Prices:
    """Return the prices of the configured endpoint.

    Args:
        local: the model runs on this machine and costs nothing a token.
        batch: at the rates of the provider's batch API.
        model: one that is asked in place of the configured one; it must have prices of its own.
    """
    given = settings()
    if local:
        return Prices()
    listed = given.llm_prices.get(model or given.llm_model or "")
    if listed is None and model in {None, given.llm_model}:
        listed = _priced(given.llm_price_input, given.llm_price_cached, given.llm_price_output)
    if listed is None:
        return Prices(known=False)
    factor = given.llm_batch_discount if batch else Decimal(1)
    cached = listed.input if listed.cached is None else listed.cached
    return Prices(listed.input * factor, cached * factor, listed.output * factor)


def _priced(
    prompt: Decimal | None, cached: Decimal | None, completion: Decimal | None
) -> ModelPrices | None:
    if prompt is None or completion is None:
        return None
    return ModelPrices(input=prompt, cached=cached, output=completion)


def require_known(prices: Prices) -> None:
    """Refuse a budget that could not be kept.

    Raises:
        ConfigurationError: the prices are not configured.
    """
    if not prices.known:
        raise ConfigurationError(
            "A budget needs prices: set TIDEMARK_LLM_PRICE_INPUT and TIDEMARK_LLM_PRICE_OUTPUT "
            "(USD a million tokens), or TIDEMARK_LLM_PRICES where another model is asked."
        )
