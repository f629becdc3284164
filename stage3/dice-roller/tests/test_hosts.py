"""DNS rebinding: a name that somebody else may own is refused, whoever it leads to."""

import httpx
import pytest

import hosts
from main import app

OURS = ["dice-roller:8001", "localhost", "LOCALHOST:8001", "127.0.0.1:8001", "172.18.0.5:8001", "[::1]:8001"]
OURS += ["host.docker.internal:8001", "dice.localhost"]
FOREIGN = [
    "evil.example",
    "evil.example:8001",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "[::1",
    "1.2.3",
]


async def asked(host: str, path: str = "/") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        return await client.get(path, headers={"host": host})


@pytest.mark.parametrize("host", OURS)
async def test_ours(host: str) -> None:
    assert (await asked(host)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz"])
@pytest.mark.parametrize("host", FOREIGN)
async def test_foreign(host: str, path: str) -> None:
    answer = await asked(host, path)
    assert answer.status_code == 421
    assert answer.json() == {"detail": "No such host here; see ALLOWED_HOSTS."}


async def test_more_can_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "OWN", {"dice.example"})
    assert (await asked("dice.example")).status_code == 200
