"""Feedback over GraphQL: lists, filters, orders, cursors, and adding to them."""

import httpx

from tests.callers import Caller
from tests.factories import Factory

PAGE = """
    query($slug: String!, $first: Int, $after: String, $orderBy: FeedbackOrder! = NEWEST_FIRST) {
      workspace(slug: $slug) {
        feedback(first: $first, after: $after, orderBy: $orderBy) {
          totalCount
          nodes { id body }
          pageInfo { hasNextPage hasPreviousPage endCursor }
        }
      }
    }
"""


async def test_a_stranger_sees_no_workspace(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant("acme")
    stranger = (await factory.person()).on(http)

    answer = await stranger.ask(PAGE, slug="acme")

    assert answer == {"workspace": None}
    assert tenant.slug == "acme"


async def test_nobody_is_told_to_sign_in(nobody: Caller) -> None:
    (error,) = await nobody.errors(PAGE, slug="acme")

    assert error["extensions"]["code"] == "UNAUTHENTICATED"
