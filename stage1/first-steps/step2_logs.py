"""+ logs: one line of JSON for each roll, on standard output."""

import asyncio
import logging
import random
import sys

from fastapi import FastAPI
from prometheus_client import Counter, make_asgi_app
from pythonjsonlogger.json import JsonFormatter

ROLLS = Counter("dice_rolls", "Rolls by what the die showed.", ["face"])
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonFormatter("{levelname}{message}", style="{", rename_fields={"levelname": "level"}))
logging.basicConfig(level=logging.INFO, handlers=[handler])

app = FastAPI()
app.mount("/metrics", make_asgi_app())


@app.get("/roll")
async def roll() -> dict[str, int]:
    await asyncio.sleep(random.uniform(0, 1))
    value = random.randint(1, 6)
    ROLLS.labels(value).inc()
    logging.info("rolled", extra={"roll_value": value})
    return {"roll": value}
