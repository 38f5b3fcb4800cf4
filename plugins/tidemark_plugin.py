"""The search page in the Airflow UI, behind Airflow's own login.

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

PREFIX = "/tidemark"


class TidemarkPlugin(AirflowPlugin):
    """Mounts the query service under ``/tidemark`` and links to it."""

    name = "tidemark"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """The application that passes calls on to the query service."""
        from include.query.http.mounted import Mounted

        mounted = Mounted(_address, _token, own_urls=[_airflow_url().geturl()])
        return [{"name": "tidemark", "app": mounted.app(), "url_prefix": PREFIX}]

    @cached_property
    def fastapi_root_middlewares(self) -> list[dict[str, Any]]:
        """What leads the address without a slash there, too."""
        from include.query.http.mounted import Slash

        return [{"name": "tidemark", "middleware": Slash, "kwargs": {"prefix": PREFIX}}]

    @cached_property
    def external_views(self) -> list[dict[str, Any]]:
        """The link; without a ``url_route`` it opens the page itself, not a frame around it."""
        href = f"{_airflow_url().path.rstrip('/')}{PREFIX}/"
        return [{"name": "Search", "href": href, "destination": "nav", "nav_top_level": True}]


def _airflow_url() -> SplitResult:
    from airflow.configuration import conf

    return urlsplit(conf.get("api", "base_url", fallback=""))


def _address() -> str:
    from include.settings import settings

    if configured := settings().search_url:
        return configured
    from include.platform.status import search_url

    return search_url()


async def _token(request: Request) -> str:
    """Return a token for the user whom Airflow's login names.

    Raises:
        ProblemError: 401 without a login, 403 where Airflow lets the user see no page.
    """
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import HTTPException
    from fastapi.security import HTTPBearer
    from starlette.concurrency import run_in_threadpool

    from include.platform.secrets import configured_secrets
    from include.query.http import tokens
    from include.query.http.mounted import airflow_groups
    from include.query.http.problems import ProblemError
    from include.settings import settings

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
    name = str(user.get_id())
    groups = airflow_groups(settings().airflow_groups, name)
    return tokens.issue_for_airflow(configured_secrets().get("token_key"), name, groups)
