"""A page in Chromium shows a form of another origin's, and what a visitor writes there is stored."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from persistence.database import Database
from tests.app.deliveries import rows
from tests.app.test_file_browser import CHROMIUM, site, visit
from tests.both_ways import BothWays
from tests.factories import Factory
from tests.graph.sockets import served
from tests.graph.source_queries import change

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

# It loads the script, writes into the form that this has made, and tells what the form says.
_PAGE = """<!doctype html><meta charset="utf-8"><title>Shop</title><main></main><script>
const given = __GIVEN__;
const tell = (said) => fetch("/said", {method: "POST", body: JSON.stringify(said)});
const script = document.createElement("script");
script.src = given.script;
script.dataset.target = "main";
script.dataset.fields = "name,rating";
script.dataset.thanks = "Danke!";
script.addEventListener("earful", ({detail}) =>
  tell({detail, shown: document.querySelector("form").textContent}));
script.addEventListener("error", () => tell("no script"));
script.addEventListener("load", () => {
  const form = document.querySelector("main form.earful");
  for (const [name, value] of Object.entries(given.written)) form.elements[name].value = value;
  form.requestSubmit();
});
document.body.append(script);
</script>"""


async def written(
    api: Api,
    settings: Settings,
    factory: Factory,
    http: httpx.AsyncClient,
    profile: Path,
    *,
    origin: str | None = None,
) -> Any:
    """What the page says of a form that pages of this origin, or of its own, may send."""
    tenant = await factory.tenant()
    application = create_app(settings, BothWays)
    application.open(api)
    async with site() as shop, served(application) as address:
        answer = await change(
            tenant.owner,
            http,
            "createSource",
            workspaceId=tenant.gid,
            name="Form",
            kind="FORM",
            form={"origins": [origin or shop.origin], "leastSeconds": 1},
        )
        given = {
            "script": f"http://{address}/forms/{answer['source']['publishableKey']}.js",
            "written": {"body": "Schöne Grüße!", "name": "Ada", "rating": "9"},
        }
        return await visit(shop, _PAGE, given, profile)


async def test_what_is_written_into_the_form_of_a_page_is_stored(
    api: Api,
    settings: Settings,
    factory: Factory,
    http: httpx.AsyncClient,
    database: Database,
    tmp_path: Path,
) -> None:
    said = await written(api, settings, factory, http, tmp_path)

    (row,) = await rows(database)
    assert said == {"detail": {"ok": True, "stored": True}, "shown": "Danke!"}
    assert (row["body"], row["author_name"], row["rating"]) == ("Schöne Grüße!", "Ada", 9)


async def test_a_page_that_may_not_send_stores_nothing(
    api: Api,
    settings: Settings,
    factory: Factory,
    http: httpx.AsyncClient,
    database: Database,
    tmp_path: Path,
) -> None:
    said = await written(api, settings, factory, http, tmp_path, origin="https://www.example.com")

    assert said["detail"] == {}
    assert said["shown"].endswith("That did not work. Try again.")
    assert await rows(database) == []
