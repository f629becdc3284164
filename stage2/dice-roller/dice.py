"""The dice there are."""

from pydantic import BaseModel


class Die(BaseModel):
    identifier: str
    faces: list[int]
    error_rate: float = 0


class NoDieError(Exception):
    """There is no die to roll; `status` is the HTTP status that says whose fault it is."""

    def __init__(self, status: int, result: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.result = status, result


DICE = {
    "fair": Die(identifier="fair", faces=[1, 2, 3, 4, 5, 6]),
    "risky": Die(identifier="risky", faces=[2, 3, 4, 5, 6, 7], error_rate=0.1),
}


async def find(identifier: str) -> Die:
    if identifier not in DICE:
        raise NoDieError(404, "not_found", f"There is no die {identifier!r}. There are: {', '.join(DICE)}.")
    return DICE[identifier]
