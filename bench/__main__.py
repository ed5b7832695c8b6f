"""`python -m bench [NAME]`: run a benchmark and print its table."""

import asyncio
import sys


def _writes(_: list[str]) -> None:
    from bench import writes  # noqa: PLC0415

    asyncio.run(writes.main())


def _stats(_: list[str]) -> None:
    from bench import stats  # noqa: PLC0415

    asyncio.run(stats.main())


def _http(arguments: list[str]) -> None:
    from bench.http import command  # noqa: PLC0415

    command.main(arguments)


def _live(arguments: list[str]) -> None:
    from bench.live import command  # noqa: PLC0415

    command.main(arguments)


def _loss(arguments: list[str]) -> None:
    from bench import loss  # noqa: PLC0415

    loss.main(arguments)


def _soak(arguments: list[str]) -> None:
    from bench import soak  # noqa: PLC0415

    soak.main(arguments)


def _reconnect(arguments: list[str]) -> None:
    from bench import reconnect  # noqa: PLC0415

    reconnect.main(arguments)


def _chaos(arguments: list[str]) -> None:
    from bench.chaos import command  # noqa: PLC0415

    command.main(arguments)


def _imports(arguments: list[str]) -> None:
    from bench.imports import command  # noqa: PLC0415

    command.main(arguments)


def _ingest(arguments: list[str]) -> None:
    from bench.ingest import command  # noqa: PLC0415

    command.main(arguments)


def _inference(arguments: list[str]) -> None:
    from bench.inference import command  # noqa: PLC0415

    command.main(arguments)


def _jobs(arguments: list[str]) -> None:
    from bench.jobs import command  # noqa: PLC0415

    command.main(arguments)


def _scoring(arguments: list[str]) -> None:
    from bench import scoring  # noqa: PLC0415

    scoring.main(arguments)


def _caching(arguments: list[str]) -> None:
    from bench import caching  # noqa: PLC0415

    caching.main(arguments)


_BENCHMARKS = {
    "writes": (_writes, "what one stored feedback costs (half a minute)"),
    "stats": (
        _stats,
        "statistics from the hours and row by row, and what counting costs (two minutes)",
    ),
    "http": (_http, "GraphQL servers over HTTP, ours and others' (twenty minutes)"),
    "loss": (_loss, "whether live clients miss anything while servers are killed (two minutes)"),
    "imports": (
        _imports,
        "a large file in and out while the worker is killed (two minutes per 100,000 rows)",
    ),
    "ingest": (_ingest, "signed webhooks, ours, Node's and pgbench's (two minutes)"),
    "inference": (
        _inference,
        "scoring texts: our way, a bare loop and transformers (three minutes)",
    ),
    "jobs": (_jobs, "background jobs, ours and others' (three minutes)"),
    "scoring": (
        _scoring,
        "stored texts scored twice while the worker is killed (half a minute per 1,000 texts)",
    ),
    "caching": (_caching, "the response cache, found and not found (two minutes)"),
    "chaos": (_chaos, "whether jobs are lost or done twice while all is killed (six minutes)"),
    "reconnect": (_reconnect, "thousands of clients coming back at once (half a minute)"),
    "soak": (
        _soak,
        "memory over millions of deliveries, and clients that do not read (five minutes)",
    ),
    "live": (_live, "one event to thousands of subscribers, ours and others' (fifteen minutes)"),
}

name, *rest = sys.argv[1:] or ["writes"]
if name not in _BENCHMARKS:
    sys.exit(f"{name}: there are {', '.join(_BENCHMARKS)}")
_BENCHMARKS[name][0](rest)
if len(sys.argv) == 1:
    print("\nOthers, each run by `python -m bench NAME`:")
    for other, (_, text) in _BENCHMARKS.items():
        print(f"  {other:<8} {text}")
