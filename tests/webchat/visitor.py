"""A visitor: what they do with the widget, and what they see of it."""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Error, Locator, Page, Request, expect

from tests.eventually import eventually

_AXE = Axe()


@dataclass
class Visitor:
    """Somebody with a browser of their own."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", self._note_fault)
        self.page.on("console", self._note_words)
        self.page.on("request", self._note_request)

    def _note_fault(self, error: Error) -> None:
        self.faults.append(str(error))

    def _note_words(self, message: ConsoleMessage) -> None:
        # A browser itself reports requests that were refused or cut off; those are part of many a test.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def _note_request(self, request: Request) -> None:
        self.requests.append(request.url)

    async def visit(self, path: str = "") -> None:
        """Go to a page of the shop; its script has run."""
        await self.page.goto(self.url + path)
        await self.page.evaluate("customElements.whenDefined('webchat-widget')")

    @property
    def widget(self) -> Locator:
        """The element."""
        return self.page.locator("webchat-widget").first

    @property
    def launcher(self) -> Locator:
        """The round button."""
        return self.widget.locator(".launcher")

    @property
    def panel(self) -> Locator:
        """The dialog."""
        return self.widget.get_by_role("dialog")

    @property
    def input(self) -> Locator:
        """Where one writes."""
        return self.panel.locator("textarea")

    @property
    def messages(self) -> Locator:
        """What is said, the answer in the making and the greeting left out."""
        return self.panel.locator(".log .message[data-position]")

    async def open(self) -> None:
        """Open the chat and wait until it listens."""
        await self.launcher.click()
        await self.is_ready()

    async def is_ready(self) -> None:
        """Wait until the stream has told the past, and the panel has come to rest: while it rises it is elsewhere."""
        await self.panel.locator('.log[aria-busy="false"]').wait_for(state="attached")
        await self.panel.evaluate("panel => Promise.allSettled(panel.getAnimations().map((each) => each.finished))")

    async def write(self, text: str) -> None:
        """Type a message and send it by Enter."""
        await self.input.fill(text)
        await self.input.press("Enter")

    async def ask(self, text: str) -> None:
        """Send a message and wait until the server has it."""
        await self.write(text)
        stored = self.panel.locator('.message.visitor:not([data-position="pending"])')
        await expect(stored.filter(has_text=text)).to_have_count(1)

    async def sees(self, *texts: str) -> None:
        """Wait until exactly these messages are shown, in this order."""

        async def shown() -> bool:
            assert await self.said() == list(texts)
            return True

        await eventually(shown)

    async def said(self) -> list[str]:
        """The messages without who wrote them."""
        script = "lines => lines.map(line => [...line.childNodes].slice(1).map(n => n.textContent).join(''))"
        found: list[str] = await self.messages.evaluate_all(script)
        return found

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the element."""
        return await self.widget.evaluate("(element, [name, given]) => element[name](...given)", [method, arguments])

    async def focused(self) -> str | None:
        """The name of what has the focus within the widget; None when that is elsewhere."""
        name: str | None = await self.widget.evaluate(
            "element => element.shadowRoot.activeElement?.getAttribute('aria-label') ?? null"
        )
        return name

    async def serious_findings(self, **options: Any) -> list[str]:
        """What axe finds against the widget, but for trifles."""
        results = await _AXE.run(self.page, context="webchat-widget", options=options or None)
        found = results.response["violations"]
        return [
            f"{each['id']}: {node['html']} {node['failureSummary']}"
            for each in found
            if each["impact"] in {"serious", "critical", "moderate"}
            for node in each["nodes"]
        ]
