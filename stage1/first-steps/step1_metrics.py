"""+ metrics: the service counts its rolls, and shows the counts to whoever asks."""

import asyncio
import random

from fastapi import FastAPI
from prometheus_client import Counter, make_asgi_app

ROLLS = Counter("dice_rolls", "Rolls by what the die showed.", ["face"])

app = FastAPI()
app.mount("/metrics", make_asgi_app())


@app.get("/roll")
async def roll() -> dict[str, int]:
    await asyncio.sleep(random.uniform(0, 1))
    value = random.randint(1, 6)
    ROLLS.labels(value).inc()
    return {"roll": value}
