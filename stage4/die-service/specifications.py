"""The dice, read once from dice.json. The service does not start with a file that it cannot use, and says why."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

DICE_FILE = Path(os.getenv("DICE_FILE", Path(__file__).with_name("dice.json")))


Face = Annotated[int, Field(ge=0, le=1_000_000)]


class Specification(BaseModel, extra="forbid"):
    identifier: str = Field(pattern="^[a-z0-9-]{1,32}$")
    faces: list[Face] = Field(min_length=1, max_length=100)
    error_rate: float = Field(ge=0, le=1)
    shakes: int = Field(ge=0, le=1000)


Specifications = TypeAdapter(Annotated[list[Specification], Field(min_length=1)])


def load(file: Path) -> dict[str, Specification]:
    try:
        listed = Specifications.validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise SystemExit(f"die-service: cannot use {file}: {error}") from None
    dice = {specification.identifier: specification for specification in listed}
    if len(dice) < len(listed):
        raise SystemExit(f"die-service: cannot use {file}: an identifier is there twice")
    return dice
