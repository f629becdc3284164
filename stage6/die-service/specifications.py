"""The dice, asked for in the database each time: a change there shows at once, in every replica."""

from typing import Annotated

from pydantic import BaseModel, Field

from database import Database

LIST = "SELECT identifier FROM die_specifications ORDER BY shakes, identifier"
GET = "SELECT identifier, faces, error_rate, shakes FROM die_specifications WHERE identifier = $1"
COUNT = "SELECT count(*) FROM die_specifications"

Face = Annotated[int, Field(ge=0, le=1_000_000)]


class Specification(BaseModel, extra="forbid"):
    identifier: str = Field(pattern="^[a-z0-9-]{1,32}$")
    faces: list[Face] = Field(min_length=1, max_length=100)
    error_rate: float = Field(ge=0, le=1)
    shakes: int = Field(ge=0, le=1000)


async def identifiers(database: Database) -> list[str]:
    async with database.connection("list") as connection:
        return [row["identifier"] for row in await connection.fetch(LIST)]


async def find(database: Database, identifier: str) -> Specification | None:
    async with database.connection("get") as connection:
        row = await connection.fetchrow(GET, identifier)
    return Specification.model_validate(dict(row)) if row else None
