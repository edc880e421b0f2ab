"""A page open in a browser."""

from pathlib import Path


class Opened:
    """The page in a browser that reaches nothing; `errors` and `requests` hold what went wrong or tried to leave."""

    def __init__(self, browser, file: Path, **options) -> None:
        self.context = browser.new_context(**options)
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page = self.context.new_page()
        self.page.set_default_timeout(600_000)  # ms; a busy machine is no fault of the page
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.context.route("**/*", self._guard)
        self.address = f"file://{file}"
        self.page.goto(self.address)

    def _guard(self, route) -> None:
        if route.request.url == self.address or route.request.url.startswith("data:"):
            route.continue_()
        else:
            self.requests.append(route.request.url)
            route.abort()

    def drawn(self, what: str) -> None:
        """Wait until the pictures of `clip/frame` are on the stage."""
        self.page.wait_for_selector(f'#stage[data-drawn="{what}"]')
