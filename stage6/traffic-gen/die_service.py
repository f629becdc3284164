"""Users who ask die-service itself, so that a request is little more than its query."""

import random

from traffic_gen.outcome import Outcome
from traffic_gen.settings import base_url
from traffic_gen.users import HttpUser

DICE = ("fair", "risky", "heavy")


def die_service_url() -> str:
    return base_url("DIE_SERVICE_URL", 8002)


class DieServiceUser(HttpUser):
    """Lists the dice with probability `list_ratio`, else gets one of them."""

    def __init__(self, list_ratio: float) -> None:
        super().__init__(die_service_url())
        self.list_ratio = list_ratio

    async def act(self, rng: random.Random) -> Outcome:
        if rng.random() < self.list_ratio:
            return await self.get("list", "/dice", {})
        return await self.get("get", f"/dice/{rng.choice(DICE)}", {})
