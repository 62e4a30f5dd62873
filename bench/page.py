"""The page of results: prose by hand, and between markers what was measured."""

from __future__ import annotations

import re

from ml_a2.errors import UserError


def written(page: str, name: str, text: str) -> str:
    """Return a page with the text between the markers of a part.

    Raises:
        UserError: the page has no such markers, or has them more than once.
    """
    begin, end = f"<!-- bench: {name} -->", f"<!-- end of {name} -->"
    found = re.findall(f"{re.escape(begin)}\n.*?{re.escape(end)}", page, re.DOTALL)
    if len(found) != 1:
        raise UserError(f"the page has {len(found)} places for {name!r}; write one: {begin} and below it {end}")
    return page.replace(found[0], f"{begin}\n{text}\n{end}")
