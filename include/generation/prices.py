"""What tokens cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from include.errors import ConfigurationError
from include.generation.contract import Usage
from include.settings import settings

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


def configured_prices(*, local: bool, batch: bool = False) -> Prices:
    """Return the prices of the configured endpoint.

    Args:
        local: the model runs on this machine and costs nothing a token.
        batch: at the rates of the provider's batch API.
    """
    given = settings()
    if local:
        return Prices()
    if given.llm_price_input is None or given.llm_price_output is None:
        return Prices(known=False)
    factor = given.llm_batch_discount if batch else Decimal(1)
    cached = given.llm_price_cached
    return Prices(
        given.llm_price_input * factor,
        (given.llm_price_input if cached is None else cached) * factor,
        given.llm_price_output * factor,
    )


def require_known(prices: Prices) -> None:
    """Refuse a budget that could not be kept.

    Raises:
        ConfigurationError: the prices are not configured.
    """
    if not prices.known:
        raise ConfigurationError(
            "A budget needs prices: set TIDEMARK_LLM_PRICE_INPUT and TIDEMARK_LLM_PRICE_OUTPUT "
            "(USD a million tokens)."
        )
