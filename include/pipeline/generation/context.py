"""What every task of a generation run needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import uuid4

from include.errors import ConfigurationError
from include.generation.prices import Prices, configured_prices
from include.generation.task import SUMMARY, GenerationTask, load_tasks
from include.llm.endpoint import Endpoint
from include.settings import settings, staging_root, tasks_folder
from include.staging import Staging
from include.store import prompts
from include.store.database import connect


def known_task(name: str) -> GenerationTask:
    """Return a task of this deployment, in its language and tone.

    Raises:
        ConfigurationError: there is none of that name, or its file cannot be used.
    """
    given = settings()
    task = load_tasks(tasks_folder()).find(name)
    return task.in_house(given.house_language, given.house_tone)


@dataclass(frozen=True, slots=True)
class GenerationContext:
    """One run of the generation.

    Attributes:
        run_id: Airflow's, or ``local__...``.
        dsn: connection string of the pipeline role.
        endpoint: where the model is; once made, it names the model that is asked.
        task_name: which generation task.
        source: take this source alone; None takes those that opted in.
        limit: documents at most; None takes all.
        again: buy again what was bought before.
        budget: USD that the run may spend; None sets no limit.
        model: ask this one of the endpoint; None asks the one that the endpoint names.
        prompt_version: ask with this version of the task's prompt, or the one that begins so; None
            takes what the task's file says.
        serving_dsn: gives the connection string of the serving role, as which passages are found.
        worker: which attempt of which task this is, for the ledger; never the same for two, or a
            call that was in flight at a kill would pass for one of the next attempt.
    """

    run_id: str
    dsn: str
    endpoint: Endpoint
    kind: str = "local"
    task_name: str = SUMMARY
    source: str | None = None
    limit: int | None = None
    again: bool = False
    budget: Decimal | None = None
    model: str | None = None
    prompt_version: str | None = None
    serving_dsn: Callable[[], str] | None = None
    worker: str = field(default_factory=lambda: f"local {uuid4().hex[:12]}")
    staging: Staging = field(init=False)
    _task: list[GenerationTask] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "staging", Staging(staging_root(), self.run_id))
        object.__setattr__(self, "endpoint", self.endpoint.asking(self.model))

    @property
    def is_small(self) -> bool:
        """Whether a model on this machine answers, for which tasks are cut down."""
        return self.endpoint.reports_progress

    @property
    def task(self) -> GenerationTask:
        """The task, as this model gets it; its file is read once.

        Raises:
            ConfigurationError: there is none of that name or version, or it lacks a language.
        """
        if not self._task:
            self._task.append(self._read_task())
        return self._task[0]

    def as_planned(self) -> GenerationContext:
        """Return the context with the prompt that the run's plan was made with.

        Raises:
            ConfigurationError: the model is not the one that the plan was made for.
        """
        with connect(self.dsn) as connection:
            planned = prompts.of_run(connection, self.run_id)
        if planned is None:
            return self
        if planned.model != self.endpoint.model:
            raise ConfigurationError(
                f"The run was planned for the model {planned.model}, and {self.endpoint.model} is "
                "configured now. Set TIDEMARK_LLM_MODEL back, or clear plan_requests with what is "
                "downstream of it."
            )
        return replace(self, prompt_version=planned.prompt_version)

    def _read_task(self) -> GenerationTask:
        if self.prompt_version is not None:
            with connect(self.dsn) as connection:
                return prompts.find(connection, self.task_name, self.prompt_version)
        task = known_task(self.task_name)
        if task.input.foreign and task.options.language is None:
            raise ConfigurationError(
                f"The task {task.name} needs a language to write in: set TIDEMARK_HOUSE_LANGUAGE, "
                "or options.language in a task file of your own."
            )
        return task.for_small_model() if self.is_small else task

    @property
    def prices(self) -> Prices:
        """What the model's tokens cost."""
        return configured_prices(local=self.is_small, model=self.model)

    @property
    def is_batched(self) -> bool:
        """Whether a provider's batch API is used."""
        return settings().llm_batch != "none"

    @property
    def batch_prices(self) -> Prices:
        """What the model's tokens cost through the batch API."""
        return configured_prices(local=self.is_small, batch=True, model=self.model)
