"""The Django admin as a platform admin uses it: open a page, fill in its form, send it."""

from __future__ import annotations

from html.parser import HTMLParser
from types import TracebackType
from typing import Self

import httpx
from ems_stack.stack import Stack


class Form:
    """One form of a page, as a browser would send it untouched."""

    def __init__(self) -> None:
        self.action = ""
        self.fields: dict[str, str] = {}


class _Forms(HTMLParser):
    """Collects the forms of a page. Fields without a name and unchecked boxes are not sent, so they are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.found.append(Form())
            self.found[-1].action = given.get("action", "")
        elif self.found and tag == "input" and name:
            silent = given.get("type") in {"submit", "button"}
            unchecked = given.get("type") in {"checkbox", "radio"} and "checked" not in given
            if not silent and not unchecked:
                self.found[-1].fields[name] = given.get("value", "")
        elif self.found and tag in {"select", "textarea"} and name:
            self._select = name
            self.found[-1].fields[name] = ""
        elif self.found and tag == "option" and "selected" in given:
            self.found[-1].fields[self._select] = given.get("value", "")


class Admin:
    """Signed in with a session cookie of its own. Raises LookupError, httpx.HTTPError."""

    def __init__(self, stack: Stack, who: str = "platform_admin") -> None:
        account = stack.account(who)
        self._http = httpx.Client(base_url=stack.url("backend"), timeout=30, trust_env=False)
        self.submit("/admin/login/", username=account.email, password=account.password)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def open(self, path: str, *needed: str) -> Form:
        """The form of this page that has these fields."""
        page = self._http.get(path).raise_for_status()
        forms = _Forms()
        forms.feed(page.text)
        for form in forms.found:
            if {"csrfmiddlewaretoken", *needed} <= form.fields.keys():
                form.action = str(page.url.join(form.action)) if form.action else str(page.url)
                return form
        raise LookupError(f"{path} has no form with {', '.join(needed)}")

    def send(self, form: Form, **values: str) -> None:
        """Returns when the answer is there. A form that is shown again was refused: LookupError with its complaint."""
        answer = self._http.post(form.action, data={**form.fields, **values})
        if not answer.is_redirect:
            complaint = answer.text.partition("errorlist")[2].partition("</ul>")[0]
            raise LookupError(f"{form.action} answered {answer.status_code}: {complaint[:300]}")

    def submit(self, path: str, **values: str) -> None:
        self.send(self.open(path, *values), **values)
