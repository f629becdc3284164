"""What an attack is, and the list of them: a module of this folder adds its own by the decorator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.attacks.checkout import Checkout

Figure = float | int | str


@dataclass(frozen=True)
class Outcome:
    """`figures` by name with unit (`peak MB`, `seconds`, `lost`); `held` is the verdict on them."""

    held: bool
    figures: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Attack:
    name: str
    run: Callable[[Checkout], Outcome]


ATTACKS: list[Attack] = []


def attack(name: str) -> Callable[[Callable[[Checkout], Outcome]], Callable[[Checkout], Outcome]]:
    """Registers `run` under a name that says what is done, as in "a query that prints 10^9 characters"."""

    def register(run: Callable[[Checkout], Outcome]) -> Callable[[Checkout], Outcome]:
        ATTACKS.append(Attack(name, run))
        return run

    return register
