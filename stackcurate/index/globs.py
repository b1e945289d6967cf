"""Path globs as RE2 expressions, bounded like them: no glob can take more than linear time."""

from __future__ import annotations

import re


def regex_of_glob(glob: str, stars_cross: bool = False) -> str:
    """An RE2 expression that matches whole paths as ``glob`` does.

    ``*`` and ``?`` stay within a folder, ``**`` crosses folders, everything else stands for itself.
    A glob with a ``/`` starts at the root; one without matches the last name, in any folder.
    With ``stars_cross`` all of ``text`` is one name: ``*`` matches anything, anywhere.
    """
    if stars_cross:
        return "".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in glob)
    rooted = "/" in glob
    text = glob.lstrip("/")
    out, at = [], 0
    while at < len(text):
        if text.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif text.startswith("**", at):
            out.append(".*")
            at += 2
        else:
            out.append({"*": "[^/]*", "?": "[^/]"}.get(text[at]) or re.escape(text[at]))
            at += 1
    return ("/" if rooted else "(?:.*/)?") + "".join(out)
