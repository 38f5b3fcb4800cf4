"""The search page and the review page in the Airflow UI, behind Airflow's own login.

Airflow loads this file in each of its processes, tasks included; what the web server alone needs
is imported when the web server asks for it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from fastapi import Request

    from include.desk.models import Person

PREFIX = "/tidemark"
REVIEW = f"{PREFIX}/review"


class TidemarkPlugin(AirflowPlugin):
    """Mounts the query service under ``/tidemark`` and links to it."""

    name = "tidemark"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """The review page, and the application that passes calls on to the query service."""
        from include.airflow_adapter import dsn_outside_tasks
        from include.desk.app import create_desk
        from include.query.http.mounted import Mounted

        own_urls = [_airflow_url().geturl()]
        desk = create_desk(_person, dsn_outside_tasks, own_urls)
        mounted = Mounted(_address, _token, own_urls)
        # In this order: the second one answers every path below its prefix.
        return [
            {"name": "tidemark-review", "app": desk, "url_prefix": REVIEW},
            {"name": "tidemark", "app": mounted.app(), "url_prefix": PREFIX},
        ]

    @cached_property
    def fastapi_root_middlewares(self) -> list[dict[str, Any]]:
        """What leads the addresses without a slash there, too."""
        from include.query.http.mounted import Slash

        return [
            {"name": "tidemark-review", "middleware": Slash, "kwargs": {"prefix": REVIEW}},
            {"name": "tidemark", "middleware": Slash, "kwargs": {"prefix": PREFIX}},
        ]

    @cached_property
    def external_views(self) -> list[dict[str, Any]]:
        """The links; without a ``url_route`` they open the page itself, not a frame around it.

        They stand in the menu *Plugins*: of external views at the top level Airflow 3.3 makes
        buttons that lead nowhere.
        """
        root = _airflow_url().path.rstrip("/")
        return [
            {
                "name": name,
                "href": f"{root}{prefix}/",
                "destination": "nav",
            }
            for name, prefix in (("Search", PREFIX), ("Review", REVIEW))
        ]


def _airflow_url() -> SplitResult:
    from airflow.configuration import conf

    return urlsplit(conf.get("api", "base_url", fallback=""))


def _address() -> str:
    from include.settings import settings

    if configured := settings().search_url:
        return configured
    from include.platform.status import search_url

    return search_url()


async def _user(request: Request) -> Any:
    """Return the user whom Airflow's login names.

    Raises:
        ProblemError: 401 without a login, 403 where Airflow lets the user see no page.
    """
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import HTTPException
    from fastapi.security import HTTPBearer
    from starlette.concurrency import run_in_threadpool

    from include.query.http.problems import ProblemError

    try:
        user = await get_user(request, None, await HTTPBearer(auto_error=False)(request))
    except HTTPException:
        # Airflow answers 403 to a forged token; to us whoever is not let in is nobody.
        raise ProblemError(
            401, "Log in to Airflow, or send one of its tokens.", {"WWW-Authenticate": "Bearer"}
        ) from None
    may_see = get_auth_manager().is_authorized_view
    if not await run_in_threadpool(may_see, access_view=AccessView.WEBSITE, user=user):
        raise ProblemError(403, "Airflow does not let this user see its pages.")
    return user


async def _token(request: Request) -> str:
    """Return a token of the query service for the user whom Airflow's login names."""
    from include.platform.secrets import configured_secrets
    from include.query.http import tokens
    from include.query.http.mounted import airflow_groups
    from include.settings import settings

    name = str((await _user(request)).get_id())
    groups = airflow_groups(settings().airflow_groups, name)
    return tokens.issue_for_airflow(configured_secrets().get("token_key"), name, groups)


async def _person(request: Request) -> Person:
    """Return who reviews; to decide takes what Airflow wants of who answers such a task."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import (
        DagAccessEntity,
        DagDetails,
    )
    from starlette.concurrency import run_in_threadpool

    from include.desk.models import Person
    from include.query.http.mounted import airflow_groups
    from include.settings import settings

    user = await _user(request)
    may_decide = await run_in_threadpool(
        get_auth_manager().is_authorized_dag,
        method="PUT",
        access_entity=DagAccessEntity.HITL_DETAIL,
        details=DagDetails(id="summary_review"),
        user=user,
    )
    name = str(user.get_id())
    return Person(name, airflow_groups(settings().airflow_groups, name), bool(may_decide))
