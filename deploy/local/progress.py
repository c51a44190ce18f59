"""What a person sees while the product comes up: one line for each step, with the time it took."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Progress:
    """Writes steps and announcements so that neither runs into the other, from any thread."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    _step_is_open: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step while it lasts, then how long it took."""
        began = time.monotonic()
        self._write(f"  {title:<44} ", leaves_open=True)
        try:
            yield
        except BaseException:
            self.say("")
            raise
        seconds = f"{time.monotonic() - began:.1f} s\n"
        self._write(seconds if self._step_is_open else f"  {title:<44} {seconds}")

    def say(self, text: str) -> None:
        """Show a line of its own."""
        self._write(("\n" if self._step_is_open else "") + (f"{text}\n" if text else ""))

    def _write(self, text: str, *, leaves_open: bool = False) -> None:
        with self._lock:
            self._step_is_open = leaves_open
            # Where the terminal has been closed, stopping in order matters more than telling about it.
            with suppress(OSError):
                self.out.write(text)
                self.out.flush()
