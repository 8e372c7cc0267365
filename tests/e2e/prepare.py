"""Makes what the virtual dock stands on, and says what it is doing: it takes minutes."""

import time
from collections.abc import Callable

from tests.e2e import product, warm
from tests.e2e.base_image import base_image


def main() -> None:
    _step("the guest's Debian", base_image)
    _step("a guest that has booted", lambda: warm.bare(base_image()))
    _step("a guest with the product, by make install", product.installed)


def _step(what: str, make: Callable[[], object]) -> None:
    begun = time.monotonic()
    make()
    print(f"{what}: there after {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
