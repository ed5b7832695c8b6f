"""The command line: `./earful <command>`, which is `python -m app <command>`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from app import settings as settings_
from app.settings import Settings, SettingsError

_EXIT_FAILED = 1
_EXIT_WRONG_SETTING = 2
_EPILOG = """\
Settings are environment variables; .env.example documents each. Where no URL of a store is set, the commands that
work on an instance use what `make run` has started on the same DATA_DIR. `earful COMMAND --help` says more of one.

Exit status: 0 done, 1 it failed, 2 the arguments or the settings are wrong."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status. What goes wrong and is no bug is told in a sentence."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return _EXIT_WRONG_SETTING
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        from app.sentences import sentence  # noqa: PLC0415

        if (text := sentence(error)) is None:
            raise
        print(text, file=sys.stderr)
        return _EXIT_FAILED


_Run = Callable[[argparse.Namespace], int | None]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="earful",
        description="Hears every customer, live.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(
        run: _Run, name: str, text: str, *aliases: str, more: str = ""
    ) -> argparse.ArgumentParser:
        description = f"{text[0].upper()}{text[1:]}. {more}"
        command = commands.add_parser(name, aliases=aliases, help=text, description=description)
        command.set_defaults(run=run)
        return command

    run = add(_everything, "run", "start everything that is not given by URL, and serve")
    run.add_argument("--exit-with-parent", action="store_true", help=argparse.SUPPRESS)
    add(_with_logs(_serve, "api"), "serve", "serve GraphQL and webhooks", "api")
    add(_with_logs(_worker, "worker"), "worker", "do the work in the background")
    add(
        _with_logs(_relay, "relay"),
        "relay",
        "deliver events and keep the schedules",
        more="Of several one leads and the others stand by.",
    )
    add(
        _on_instance(_migrate),
        "migrate",
        "bring the database and the bucket to this version",
        more="Again it does nothing.",
    )
    user = add(
        _create_user,
        "create-user",
        "add an account whose address needs no proof",
        more="The password is asked for; where there is no terminal it is the first line of the input.",
    )
    user.add_argument("email", help="the address to sign in with")
    user.add_argument("--name", help="what others see; the address up to the @ if missing")
    add(_on_instance(_seed), "seed", "put the demo in, once")
    doctor = add(
        _doctor,
        "doctor",
        "look for what is wrong with settings, stores and machine, and say what to do",
        more="The exit status is 1 when something is broken.",
    )
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    add(
        _on_instance(_rotate_keys),
        "rotate-keys",
        "sign access tokens with a new key in ten minutes",
        more="Nobody is signed out.",
    )
    add(
        _on_instance(_replace_keys),
        "replace-keys",
        "forget the keys that sign access tokens, if one has leaked",
        more="All access tokens end within half a minute; clients refresh theirs.",
    )
    add(_schema, "export-schema", "print the GraphQL schema", "schema")
    documents = add(_documents, "documents", "print a manifest of a folder's operations")
    documents.add_argument("folder", type=Path, help="where their .graphql files are")
    add(_on_instance(_score_demo), "score-demo", "score the demo's texts anew, for a new model")
    return parser


def _with_logs(command: Callable[[Settings], None], process: str) -> _Run:
    """For processes that stay."""

    def run(_: argparse.Namespace) -> None:
        from app import telemetry  # noqa: PLC0415

        settings = settings_.load()
        telemetry.configure(settings, process)
        try:
            command(settings)
        finally:
            telemetry.close()

    return run


def _on_instance(command: Callable[[Settings], None]) -> _Run:
    def run(_: argparse.Namespace) -> None:
        command(_instance())

    return run


def _instance() -> Settings:
    from app.running import completed  # noqa: PLC0415

    return completed(settings_.load())


# Each command imports only what it needs: the API needs no Dramatiq, the relay no model.


def _everything(chosen: argparse.Namespace) -> int:
    from app.run import run  # noqa: PLC0415

    return run(exit_with_parent=chosen.exit_with_parent)


def _serve(settings: Settings) -> None:
    from app.main import serve  # noqa: PLC0415

    serve(settings)


def _worker(settings: Settings) -> None:
    from app.worker import work  # noqa: PLC0415

    work(settings)


def _relay(settings: Settings) -> None:
    from app.relay import relay  # noqa: PLC0415

    relay(settings)


def _migrate(settings: Settings) -> None:
    from app.setup import prepare  # noqa: PLC0415

    prepare(settings)


def _create_user(chosen: argparse.Namespace) -> None:
    from app.people import create_user  # noqa: PLC0415

    create_user(_instance(), email=chosen.email, name=chosen.name)


def _doctor(chosen: argparse.Namespace) -> int:
    from app.doctor import examine  # noqa: PLC0415

    return examine(as_json=chosen.json)


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


def _schema(_: argparse.Namespace) -> None:
    from graph.schema import schema  # noqa: PLC0415

    print(schema.as_str())


def _documents(chosen: argparse.Namespace) -> None:
    from graph import manifest  # noqa: PLC0415
    from graph.schema import schema  # noqa: PLC0415

    text = manifest.written(chosen.folder, schema._schema)  # noqa: SLF001 - Strawberry keeps graphql-core's schema there
    print(text.decode(), end="")
