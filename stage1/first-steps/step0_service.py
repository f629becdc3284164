"""A service that rolls a die. Nothing tells what it does."""

import asyncio
import random

from fastapi import FastAPI

app = FastAPI()


@app.get("/roll")
async def roll() -> dict[str, int]:
    await asyncio.sleep(random.uniform(0, 1))
    value = random.randint(1, 6)
    return {"roll": value}
