"""Who calls Google's cloud: a key that was given, or the credentials that Google's tools find."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx

from include.errors import ConfigurationError, UnavailableError

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GoogleToken(httpx.Auth):
    """Puts an access token on each request, and gets a new one when the last has run out.

    Args:
        token: use this one as it is; None finds credentials (a service account's file, a workload
            identity, the login of ``gcloud``).
    """

    def __init__(self, token: str | None) -> None:
        self._given = token
        self._credentials: Any = None

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token.

        Raises:
            ConfigurationError: there are no credentials.
            UnavailableError: no token can be had now.
        """
        token = self._given or await asyncio.to_thread(self._fresh)
        request.headers["Authorization"] = f"Bearer {token}"
        yield request

    def _fresh(self) -> str:
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
        from google.auth.transport.requests import Request

        try:
            if self._credentials is None:
                self._credentials, _ = google.auth.default(scopes=[_SCOPE])
            if not self._credentials.valid:
                self._credentials.refresh(Request())
        except DefaultCredentialsError:
            raise ConfigurationError(
                "There are no credentials for Google's cloud: set GOOGLE_APPLICATION_CREDENTIALS "
                "to a service account's file, or TIDEMARK_LLM_API_KEY to an access token."
            ) from None
        except GoogleAuthError as error:
            raise UnavailableError(
                f"Google gives no access token ({type(error).__name__}); clear the task, or run "
                "again."
            ) from None
        return str(self._credentials.token)
