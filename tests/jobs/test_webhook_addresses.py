"""Whatever an endpoint's name leads to, nothing is sent to an address that may not be called."""

import socket
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from app.resources import Api
from app.settings import Settings
from tests.factories import Factory
from tests.jobs.couriers import answer, courier, receiver

# In these tests this machine's second address stands for the world outside, and its first for what is inside.
OUTSIDE, INSIDE = "127.0.0.2", "127.0.0.1"
ALLOWED = (ip_network(f"{OUTSIDE}/32"),)


class Rebinding(AbstractResolver):
    """A name server that tells each who asks another address, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in addresses
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_changes_its_address_reaches_nothing_inside(
    settings: Settings, api: Api, factory: Factory, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    names = Rebinding([OUTSIDE], [INSIDE])
    async with (
        receiver(address=INSIDE) as inside,
        receiver(answer(500), address=OUTSIDE, port=inside.port) as outside,
        courier(settings, api, factory, tmp_path, resolver=names, allowed=ALLOWED) as worker,
    ):
        await factory.delivery(tenant, await factory.webhook(tenant, inside.url))
        await worker.work()
        lookups = names.asked
        for _ in range(3):
            await worker.next()

    assert lookups == 1
    assert len(outside.bodies) == 1
    assert inside.bodies == []
    refused = "the host's address is not one that may be called: loopback"
    assert await worker.attempts("status, error") == [(500, None)] + [(None, refused)] * 3
    assert names.asked == 4


async def test_a_name_with_one_address_inside_is_not_called_at_all(
    settings: Settings, api: Api, factory: Factory, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    names = Rebinding([OUTSIDE, INSIDE])
    async with (
        receiver(address=INSIDE) as inside,
        receiver(address=OUTSIDE, port=inside.port) as outside,
        courier(settings, api, factory, tmp_path, resolver=names, allowed=ALLOWED) as worker,
    ):
        await factory.delivery(tenant, await factory.webhook(tenant, inside.url))
        await worker.work()

    assert (inside.bodies, outside.bodies) == ([], [])


async def test_a_redirect_leads_nowhere(
    settings: Settings, api: Api, factory: Factory, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    async with receiver(address=INSIDE) as inside:
        location = f"Location: http://{INSIDE}:{inside.port}/"
        async with (
            receiver(answer(307, location), address=OUTSIDE) as outside,
            courier(
                settings,
                api,
                factory,
                tmp_path,
                resolver=Rebinding([OUTSIDE]),
                allowed=ALLOWED,
            ) as worker,
        ):
            await factory.delivery(tenant, await factory.webhook(tenant, outside.url))
            await worker.work()

    assert len(outside.bodies) == 1
    assert inside.bodies == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
    ],
)
async def test_private_loopback_link_local_and_metadata_addresses_are_refused(
    address: str, settings: Settings, api: Api, factory: Factory, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    async with courier(
        settings, api, factory, tmp_path, resolver=Rebinding([address]), allowed=()
    ) as worker:
        webhook = await factory.webhook(tenant, "https://receiver.example/hook")
        await factory.delivery(tenant, webhook)
        await worker.work()

    ((status, error),) = await worker.attempts("status, error")
    assert status is None
    assert error.startswith("the host's address is not one that may be called: ")
    assert address not in error
