"""Groups of Airflow's users, as they are configured."""

from __future__ import annotations

import pytest

from include.query.http.mounted import airflow_groups


@pytest.mark.parametrize(
    ("configured", "user", "groups"),
    [
        ("", "admin", ()),
        ("staff", "admin", ("staff",)),
        ("admin=board,legal", "admin", ("board", "legal")),
        ("admin=board,legal", "reader", ()),
        ("staff; admin = board , legal ;reader=", "admin", ("board", "legal", "staff")),
        ("staff; admin = board , legal ;reader=", "reader", ("staff",)),
        ("Admin=board", "admin", ()),
        ("cn=anna,dc=example=board", "cn=anna,dc=example", ("board",)),
        (";;,", "admin", ()),
    ],
)
def test_a_user_gets_its_own_groups_and_everybodys(
    configured: str, user: str, groups: tuple[str, ...]
) -> None:
    assert airflow_groups(configured, user) == groups
