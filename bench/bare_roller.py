"""The roller of stage 1 with nothing observed: what the instrumented one is measured against."""

import asyncio
import random

from fastapi import FastAPI
from pydantic import BaseModel


class Roll(BaseModel):
    die: str
    roll: int


app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False})


@app.get("/roll")
async def roll(die: str) -> Roll:
    await asyncio.sleep(0)
    return Roll(die=die, roll=random.choice([1, 2, 3, 4, 5, 6]))


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}
