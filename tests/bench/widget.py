"""What the web chat's script takes of a page's main thread when it loads: compiling, running, upgrading its element."""

import json
from collections.abc import Mapping
from statistics import median
from typing import Any

from playwright.async_api import Browser

from tests.bench.report import Line
from tests.browser import CHROMIUM, chromium
from tests.webchat.shop import Shop, serving_shop

LOADS = 10
TARGET_MS = 15
NAME = "widget's script"


async def measure(channel: Mapping[str, Any]) -> Line:
    """Load a page of another origin that holds the channel's embed code, each time in a browser context of its own."""
    if not CHROMIUM.exists():
        return Line(NAME, f"not measured: there is no {CHROMIUM}")
    async with chromium() as browser, serving_shop("") as shop:
        shop.embed = channel["embed_code"]
        loads = [await _load(browser, shop) for _ in range(LOADS)]
    wall, processor = sorted(each[0] for each in loads), sorted(each[1] for each in loads)
    return Line(
        NAME,
        f"{median(processor):.1f} ms of processor time on load, {median(wall):.1f} ms on the clock, "
        f"at worst {wall[-1]:.1f} (target {TARGET_MS}); {LOADS} loads without a cache",
        {"processor_ms": processor, "clock_ms": wall},
    )


async def _load(browser: Browser, shop: Shop) -> tuple[float, float]:
    """Milliseconds on the clock and of the main thread's processor time, by the browser's own trace."""
    async with await browser.new_context() as context:
        page = await context.new_page()
        await browser.start_tracing(page=page, categories=["devtools.timeline"])
        await page.goto(shop.url)
        await page.evaluate("customElements.whenDefined('webchat-widget')")
        events = json.loads(await browser.stop_tracing())["traceEvents"]
    runs = [each for each in events if each["name"] == "EvaluateScript" and _is_ours(each)]
    return sum(each["dur"] for each in runs) / 1000, sum(each.get("tdur", 0) for each in runs) / 1000


def _is_ours(event: Mapping[str, Any]) -> bool:
    url = str(event.get("args", {}).get("data", {}).get("url", ""))
    return url.endswith("/widget.js")
