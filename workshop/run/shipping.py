"""The shipper's thread in the supervisor: begins with the services, ends after them."""

from __future__ import annotations

import threading

from workshop.run.shipper import Shipper

DRAIN_SECONDS = 2.0  # for the last log lines, once the services are gone and before the pocket stack goes


class Shipping:
    def __init__(self, shipper: Shipper) -> None:
        self._shipper = shipper
        self._stop = threading.Event()
        self._thread = threading.Thread(target=shipper.run, args=(self._stop,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, *, drain: bool) -> None:
        """Blocks until the thread has ended and, with `drain`, what is left is shipped as far as time allows."""
        self._stop.set()
        self._thread.join()
        if drain:
            self._shipper.drain(DRAIN_SECONDS)
