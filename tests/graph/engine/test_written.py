"""What is answered as JSON that somebody else has written, and what is told to who writes it."""

from typing import Any

import orjson
import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, parse

from graph.engine import (
    RESOLUTION,
    SPELLING,
    Attribute,
    Batch,
    Call,
    Engine,
    Entry,
    Fragment,
    Info,
    Outline,
)

SDL = """
    directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
    type Query { page: Page, pages: [Page!]! }
    type Page { items: [Item!]!, first: Item, others: [Item!], broken: Int, must: Int! }
    type Item { name: String!, size: Int, plain: Int, sized(by: Int): Int, owner: Owner }
    type Owner { name: String }
"""
ITEMS = Fragment('[{"name":"a"},{"name":"b"}]')


def schema(**resolutions: Any) -> GraphQLSchema:
    """The schema with these resolutions of Page's fields; of Item `name`, `size` and `owner` are spelled."""
    built = build_schema(SDL)
    types = {name: built.type_map[name] for name in ("Query", "Page", "Item", "Owner")}
    assert all(isinstance(type_, GraphQLObjectType) for type_ in types.values())
    fields: Any = {name: type_.fields for name, type_ in types.items()}  # type: ignore[attr-defined]
    fields["Query"]["page"].extensions[RESOLUTION] = Call(lambda _parent, _info: {})
    fields["Query"]["pages"].extensions[RESOLUTION] = Call(lambda _parent, _info: [{}, {}])
    for name, resolution in resolutions.items():
        fields["Page"][name].extensions[RESOLUTION] = resolution
    for name in ("name", "size", "plain"):
        fields["Item"][name].extensions[RESOLUTION] = Attribute(name)
    for type_name, name in (
        ("Item", "name"),
        ("Item", "size"),
        ("Item", "owner"),
        ("Owner", "name"),
    ):
        fields[type_name][name].extensions[SPELLING] = f"spelled {name}"
    fields["Item"]["sized"].extensions[SPELLING] = "spelled sized"
    return built


async def run(query: str, **resolutions: Any) -> Any:
    result = await Engine(schema(**resolutions)).plan(parse(query)).execute()
    errors = [(error.message, error.path) for error in result.errors or ()]
    return orjson.loads(orjson.dumps(result.data)), errors


def fails(*_: Any) -> Any:
    raise ValueError("no")


async def test_a_list_and_an_object_may_be_written_already() -> None:
    data, errors = await run(
        "{ page { items { name } first { name } } }",
        items=Call(lambda _parent, _info: ITEMS),
        first=Call(lambda _parent, _info: Fragment('{"name":"c"}')),
    )

    assert data == {"page": {"items": [{"name": "a"}, {"name": "b"}], "first": {"name": "c"}}}
    assert errors == []


async def test_what_fails_beside_it_leaves_it_as_it_is() -> None:
    data, errors = await run(
        "{ pages { items { name } others { name } broken } }",
        items=Call(lambda _parent, _info: ITEMS),
        others=Call(lambda _parent, _info: None),
        broken=Call(fails),
    )

    items = [{"name": "a"}, {"name": "b"}]
    assert data == {"pages": [{"items": items, "others": None, "broken": None}] * 2}
    assert errors == [("no", ["pages", 0, "broken"]), ("no", ["pages", 1, "broken"])]


async def test_it_goes_with_an_object_that_is_null() -> None:
    data, errors = await run(
        "{ page { items { name } must } }",
        items=Call(lambda _parent, _info: ITEMS),
        must=Call(fails),
    )

    assert data == {"page": None}
    assert errors == [("no", ["page", "must"])]


async def test_some_may_be_written_and_others_not() -> None:
    async def others(parents: Any, _info: Any) -> list[Any]:
        return [ITEMS, [{"name": "c"}]][: len(parents)]

    data, errors = await run("{ pages { others { name } } }", others=Batch(others))

    assert data["pages"][0] == {"others": [{"name": "a"}, {"name": "b"}]}
    assert data["pages"][1] == {"others": [{"name": "c"}]}
    assert errors == []


async def asked(query: str, *names: str) -> Outline | None:
    """What the resolver of `items` or, with names, that of `page` is told."""
    found: list[Outline | None] = []

    def told(_parent: Any, info: Info) -> Any:
        found.append(info.outline(*names))
        info.weigh(7)
        return {} if names else []

    built = schema(items=Call(told) if not names else Call(lambda _parent, _info: []))
    query_type = built.query_type
    assert query_type is not None
    if names:
        query_type.fields["page"].extensions[RESOLUTION] = Call(told)
    plan = Engine(built).plan(parse(query))
    assert plan.is_compiled
    answer = plan.deliver if plan.is_deferring({}) else plan.run
    await answer(None, None, {}, {})
    (outline,) = found
    return outline


async def test_an_outline_tells_what_is_selected_in_order() -> None:
    query = """
        { page { items { n: size ...more __typename } } }
        fragment more on Item { name owner { name } n: size }
    """

    assert await asked(query) == Outline(
        "Item",
        1,
        (
            Entry("n", "spelled size"),
            Entry("name", "spelled name"),
            Entry("owner", "spelled owner", Outline("Owner", 1, (Entry("name", "spelled name"),))),
            Entry("__typename", None),
        ),
    )


@pytest.mark.parametrize(
    "selection",
    [
        "name plain",
        "name sized(by: 1)",
        "name ... @defer { size }",
        "name owner { ... @defer { name } }",
    ],
)
async def test_there_is_none_of_what_cannot_be_written(selection: str) -> None:
    assert await asked(f"{{ page {{ items {{ {selection} }} }} }}") is None


@pytest.mark.parametrize(
    ("selection", "type_name"),
    [
        ("items { name }", "Item"),
        ("first { name } broken", "Item"),
        ("items { name } first { name }", None),
        ("a: items { name } b: items { name }", None),
        ("broken", None),
        ("... @defer { items { name } }", None),
    ],
)
async def test_of_some_fields_just_one_must_be_selected(
    selection: str, type_name: str | None
) -> None:
    outline = await asked(f"{{ page {{ {selection} }} }}", "items", "first")

    assert (outline and outline.type_name) == type_name


async def test_equal_outlines_are_one_key() -> None:
    query = "{ page { items { name size } } }"
    first, second = await asked(query), await asked(query)
    other = await asked("{ page { items { size name } } }")

    assert first is not second
    assert len({first, second, other}) == 2


async def test_what_is_written_weighs_what_its_resolver_says() -> None:
    def told(_parent: Any, info: Info) -> Any:
        info.weigh(7)
        return ITEMS

    result = (
        await Engine(schema(items=Call(told)))
        .plan(parse("{ page { items { name } } }"))
        .run(None, None, {}, {})
    )

    assert result.weight == 1 + 7  # type: ignore[attr-defined]
