"""Who is shown the schema, by operations, by suggestions and as a file; and GraphiQL, which needs it."""

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from tests.applications import client
from tests.callers import Caller
from tests.factories import Factory

PAGE = {"accept": "text/html,*/*;q=0.8"}
SIGN_IN = {
    "message": "Sign in to see the schema.",
    "extensions": {"code": "UNAUTHENTICATED"},
}
NOT_SHOWN = {
    "message": "This server does not show its schema.",
    "extensions": {"code": "FORBIDDEN"},
}
MISSPELT = "{ viewr { user { id } } }"
UNFIT = (
    'query($o: FeedbackOrder!) { workspace(slug: "a") { feedback(orderBy: $o) { totalCount } } }'
)


def settings_of(settings: Settings, audience: str) -> Settings:
    return settings.model_copy(update={"introspection": audience})


@pytest.mark.parametrize(
    ("environment", "audience"), [("development", "everybody"), ("production", "signed_in")]
)
def test_who_is_shown_the_schema_depends_on_the_environment(
    environment: str, audience: str
) -> None:
    assert Settings.model_validate({"environment": environment}).shows_schema_to == audience


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "User") { name } }',
        "{ s: __schema { queryType { name } } }",
        "{ ... { __schema { queryType { name } } } }",
        "{ ...F } fragment F on Query { ... on Query { __schema { queryType { name } } } }",
    ],
)
async def test_the_schema_is_shown_to_whom_it_is_for(
    settings: Settings, api: Api, factory: Factory, query: str
) -> None:
    person = await factory.person()
    async with client(settings_of(settings, "signed_in"), api) as http:
        assert await Caller(http).errors(query) == [SIGN_IN]
        assert "data" in (await person.on(http).post(query)).json()
        assert "errors" not in (await person.on(http).post(query)).json()
    async with client(settings_of(settings, "nobody"), api) as http:
        assert await person.on(http).errors(query) == [NOT_SHOWN]
    async with client(settings_of(settings, "everybody"), api) as http:
        assert "errors" not in (await Caller(http).post(query)).json()


async def test_the_name_of_a_type_is_no_secret(
    settings: Settings, api: Api, factory: Factory
) -> None:
    async with client(settings_of(settings, "nobody"), api) as http:
        answer = await Caller(http).ask("{ __typename viewer { __typename } }")

    assert answer == {"__typename": "Query", "viewer": None}


@pytest.mark.parametrize(
    ("query", "variables", "hidden", "told"),
    [
        (
            MISSPELT,
            {},
            "Cannot query field 'viewr' on type 'Query'.",
            "Cannot query field 'viewr' on type 'Query'. Did you mean 'viewer'?",
        ),
        (
            '{ node(id: "x") { body } }',
            {},
            "Cannot query field 'body' on type 'Node'.",
            (
                "Cannot query field 'body' on type 'Node'. "
                "Did you mean to use an inline fragment on 'Feedback' or 'FeedbackNote'?"
            ),
        ),
        (
            '{ workspace(slug: "a") { feedback(orderBy: NEWEST_FRST) { totalCount } } }',
            {},
            "Value 'NEWEST_FRST' does not exist in 'FeedbackOrder' enum.",
            (
                "Value 'NEWEST_FRST' does not exist in 'FeedbackOrder' enum. "
                "Did you mean the enum value 'NEWEST_FIRST' or 'OLDEST_FIRST'?"
            ),
        ),
        (
            UNFIT,
            {"o": "NEWEST_FRST"},
            "Variable '$o' has invalid value: Value 'NEWEST_FRST' does not exist in 'FeedbackOrder' enum.",
            (
                "Variable '$o' has invalid value: Value 'NEWEST_FRST' does not exist in 'FeedbackOrder' enum. "
                "Did you mean the enum value 'NEWEST_FIRST' or 'OLDEST_FIRST'?"
            ),
        ),
        (
            'mutation { login(input: {email: "a", password: "b", cod: "c"}) { __typename } }',
            {},
            (
                "Expected value of type 'LoginInput' not to include unknown field 'cod', "
                'found: { email: "a", password: "b", cod: "c" }.'
            ),
            (
                "Expected value of type 'LoginInput' not to include unknown field 'cod'. "
                'Did you mean \'code\'? Found: { email: "a", password: "b", cod: "c" }.'
            ),
        ),
        (
            "mutation($i: LoginInput!) { login(input: $i) { __typename } }",
            {"i": {"email": "a", "password": "b", "cod": "c"}},
            (
                "Variable '$i' has invalid value: "
                "Expected value of type 'LoginInput' not to include unknown field 'cod', "
                "found: {'email': 'a', 'password': 'b', 'cod': 'c'}."
            ),
            (
                "Variable '$i' has invalid value: "
                "Expected value of type 'LoginInput' not to include unknown field 'cod'. "
                "Did you mean 'code'? Found: {'email': 'a', 'password': 'b', 'cod': 'c'}."
            ),
        ),
    ],
)
async def test_suggestions_are_for_those_who_may_see_the_schema(
    settings: Settings,
    api: Api,
    factory: Factory,
    query: str,
    variables: dict[str, object],
    hidden: str,
    told: str,
) -> None:
    person = await factory.person()
    async with client(settings_of(settings, "signed_in"), api) as http:
        unsigned = await Caller(http).errors(query, **variables)
        signed = await person.on(http).errors(query, **variables)

    assert unsigned[0]["message"] == hidden
    assert signed[0]["message"] == told


@pytest.mark.parametrize(
    ("audience", "statuses"),
    [("everybody", [200, 200]), ("signed_in", [401, 200]), ("nobody", [404, 404])],
)
async def test_the_schema_is_a_file_for_the_same_people(
    settings: Settings, api: Api, factory: Factory, audience: str, statuses: list[int]
) -> None:
    person = await factory.person()
    async with client(settings_of(settings, audience), api) as http:
        nobody = await http.get("/schema.graphql")
        somebody = await http.get(
            "/schema.graphql", headers={"authorization": f"Bearer {person.token}"}
        )

    assert [nobody.status_code, somebody.status_code] == statuses


@pytest.mark.parametrize(
    ("given", "has_page"),
    [
        ({"introspection": "everybody"}, True),
        ({"introspection": "signed_in"}, True),
        ({"introspection": "nobody"}, False),
        ({"only_trusted_documents": True}, False),
    ],
)
async def test_graphiql_is_there_where_it_is_of_use(
    settings: Settings, api: Api, given: dict[str, object], has_page: bool
) -> None:
    async with client(settings.model_copy(update=given), api) as http:
        response: httpx.Response = await http.get("/graphql", headers=PAGE)

    assert response.headers["content-type"].startswith("text/html") is has_page
