"""One roll: the delay, the span around it, and what is counted and logged of it."""

import asyncio
import logging
import os
import random
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE

import metrics
from dice import Die
from shaking import shake

logger = logging.getLogger("dice-roller")
tracer = trace.get_tracer("dice-roller")


class RollError(Exception):
    """The die fell off the table."""


def delay_from_environment() -> float:
    text = os.getenv("ROLL_DELAY_MAX_SECONDS", "1")
    if text.replace(".", "", 1).isdecimal() and float(text) <= 60:
        return float(text)
    raise SystemExit(f"dice-roller: ROLL_DELAY_MAX_SECONDS must be between 0 and 60, not {text!r}")


DELAY_MAX_SECONDS = delay_from_environment()


async def throw(die: Die, attributes: Mapping[str, int] = {}) -> int:
    with tracer.start_as_current_span(
        "roll die", attributes={"dice.die_type": die.identifier, **attributes}
    ) as span:
        try:
            await asyncio.sleep(random.uniform(0, DELAY_MAX_SECONDS))
            await shake(die.shakes)
        except asyncio.CancelledError:
            span.set_attribute(ERROR_TYPE, "CancelledError")
            raise
        if random.random() < die.error_rate:
            span.set_attribute(ERROR_TYPE, RollError.__qualname__)
            metrics.ROLLS.labels(die.identifier, "failure").inc()
            reason = f"The {die.identifier} die fell off the table."
            logger.error("roll failed", extra={"die_type": die.identifier, "reason": reason})
            raise RollError(reason)
        value = random.choice(die.faces)
        span.set_attribute("dice.roll_value", value)
        metrics.ROLLS.labels(die.identifier, "success").inc()
        metrics.VALUE.labels(die.identifier).observe(value)
        logger.info("rolled", extra={"die_type": die.identifier, "roll_value": value})
        return value
