"""What tests of feedback ask over GraphQL."""

from datetime import timedelta
from typing import Any

import httpx

from tests.callers import JSON, Caller
from tests.factories import Person, Tenant

DAY = timedelta(days=1)
UNKNOWN = "0" * 32
PAGE = """
    query(
      $slug: String!, $first: Int, $after: String, $filter: FeedbackFilter,
      $orderBy: FeedbackOrder! = NEWEST_FIRST
    ) {
      workspace(slug: $slug) {
        feedback(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
          totalCount
          nodes { id body }
          edges { cursor node { id } }
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }
      }
    }
"""
SUBMIT = """
    mutation($input: SubmitFeedbackInput!) {
      submitFeedback(input: $input) {
        __typename
        ... on SubmitFeedbackSuccess {
          duplicate
          feedback {
            id externalId body rating language metadata occurredAt receivedAt
            author { name email externalId }
            sentiment { label }
            source { id kind }
            tags { name }
          }
        }
        ... on Problem { message }
        ... on InvalidInput { fields { path message } }
      }
    }
"""


async def page(caller: Caller, tenant: Tenant, **variables: Any) -> JSON:
    return (await caller.ask(PAGE, slug=tenant.slug, **variables))["workspace"]["feedback"]


async def submit(person: Person, http: httpx.AsyncClient, **input: Any) -> JSON:
    return (await person.on(http).ask(SUBMIT, input=input))["submitFeedback"]
