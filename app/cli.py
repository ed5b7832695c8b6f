"""The command line: `python -m app <command>`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from app import settings as settings_
from app.settings import Settings, SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 2 when the settings or the arguments are wrong."""
    parser = argparse.ArgumentParser(prog="earful", description="Hears every customer, live.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="start everything that is not given by URL, and serve")
    run.add_argument("--exit-with-parent", action="store_true", help=argparse.SUPPRESS)
    for name, (_, text) in _COMMANDS.items():
        commands.add_parser(name, help=text)
    documents = commands.add_parser("documents", help="print a manifest of a folder's operations")
    documents.add_argument("folder", type=Path, help="where their .graphql files are")
    chosen = parser.parse_args(arguments)
    if chosen.command == "documents":
        return _documents(chosen.folder)
    if chosen.command == "run":
        from app.run import run as run_everything  # noqa: PLC0415

        return run_everything(exit_with_parent=chosen.exit_with_parent)
    try:
        _COMMANDS[chosen.command][0](settings_.load())
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


# Each command imports only what it needs: the API needs no Dramatiq, the relay no model.


def _documents(folder: Path) -> int:
    from graph import manifest  # noqa: PLC0415
    from graph.schema import schema  # noqa: PLC0415

    try:
        text = manifest.written(folder, schema._schema)  # noqa: SLF001 - Strawberry keeps graphql-core's schema there
    except manifest.ManifestError as error:
        print(error, file=sys.stderr)
        return 1
    print(text.decode(), end="")
    return 0


def _api(settings: Settings) -> None:
    from app import telemetry  # noqa: PLC0415
    from app.main import serve  # noqa: PLC0415

    telemetry.configure(settings)
    serve(settings)


def _worker(settings: Settings) -> None:
    from app import telemetry  # noqa: PLC0415
    from app.worker import work  # noqa: PLC0415

    telemetry.configure(settings)
    work(settings)


def _relay(settings: Settings) -> None:
    from app import telemetry  # noqa: PLC0415
    from app.relay import relay  # noqa: PLC0415

    telemetry.configure(settings)
    relay(settings)


def _migrate(settings: Settings) -> None:
    from app.setup import prepare  # noqa: PLC0415

    prepare(settings)


def _seed(settings: Settings) -> None:
    from app.seed import seed  # noqa: PLC0415

    seed(settings)


def _score_demo(settings: Settings) -> None:
    from app.seed import score_demo  # noqa: PLC0415

    score_demo(settings)


def _rotate_keys(settings: Settings) -> None:
    from app.signing import rotate  # noqa: PLC0415

    rotate(settings)


def _replace_keys(settings: Settings) -> None:
    from app.signing import replace  # noqa: PLC0415

    replace(settings)


def _schema(_: Settings) -> None:
    from graph.schema import schema  # noqa: PLC0415

    print(schema.as_str())


_COMMANDS: dict[str, tuple[Callable[[Settings], None], str]] = {
    "api": (_api, "serve GraphQL and webhooks"),
    "worker": (_worker, "do the work in the background"),
    "relay": (_relay, "deliver events and keep the schedules"),
    "migrate": (_migrate, "bring the database and the bucket to this version"),
    "seed": (_seed, "put the demo in, once"),
    "score-demo": (_score_demo, "score the demo's texts anew, after a change of the model"),
    "rotate-keys": (_rotate_keys, "sign access tokens with a new key in ten minutes"),
    "replace-keys": (_replace_keys, "forget the keys that sign access tokens, if one has leaked"),
    "schema": (_schema, "print the GraphQL schema"),
}
