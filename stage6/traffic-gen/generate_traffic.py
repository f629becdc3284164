"""Traffic for stage 6: users who sign in with a name, roll, sign out now and then, and come back."""

import itertools
import random
import time

from websockets.exceptions import WebSocketException

from traffic_gen.cli import command
from traffic_gen.outcome import Outcome
from traffic_gen.settings import Settings, frontend_url
from traffic_gen.streamlit_user import BatchUser

DICE = {"fair": 50, "risky": 30, "heavy": 20}
NAMES = ("Ada", "Alan", "Barbara", "Donald", "Edsger", "Frances", "Grace", "Katherine", "Linus", "Margaret")
SIGN_OUT_PROBABILITY = 0.05
numbers = itertools.count()


class NamedUser(BatchUser):
    """The page, not the user, remembers who is signed in: a session that broke off starts without a name."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, DICE)
        round_, place = divmod(next(numbers), len(NAMES))
        self.name = NAMES[place] + (f" {round_ + 1}" if round_ else "")

    def sees(self, label: str) -> bool:
        return self.session is not None and any(each.label == label for each in self.session.page.of("button"))

    async def act(self, rng: random.Random) -> Outcome:
        if not self.sees("Sign out"):
            return await self.sign("Sign in")
        if rng.random() < SIGN_OUT_PROBABILITY:
            return await self.sign("Sign out")
        return await super().act(rng)

    async def sign(self, label: str) -> Outcome:
        """Clicks; it worked when the page offers the opposite."""
        started = time.perf_counter()
        status = await self.attempt(label)
        return Outcome(label.lower(), status, time.perf_counter() - started)

    async def attempt(self, label: str) -> str:
        try:
            session = await self._open()
            if label == "Sign in":
                session.values[session.page.widget("text_input", "Name").id] = self.name
            await session.click(label)
        except (OSError, TimeoutError, LookupError, WebSocketException) as error:
            await self.leave()
            return type(error).__name__
        return "NotDone" if self.sees(label) else "200"


if __name__ == "__main__":
    command(NamedUser, frontend_url(), "FRONTEND_URL", __doc__)
