"""Builds stackcurate/tables/languages.json from a published package: facts with a source.

Usage: ``npm pack linguist-languages@9.5.0`` and then
``python scripts/make_languages.py linguist-languages-9.5.0.tgz``.

Only facts are taken: names, kinds, groups, aliases, extensions, file names, interpreters. How a
shared extension is decided is our own work and lives in languages.evidence.yaml.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tarfile
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "stackcurate" / "tables" / "languages.json"
LISTS = ("aliases", "extensions", "filenames", "interpreters")
NOTICE = (
    "Language facts from the npm package linguist-languages (MIT, Copyright (c) Ika), which "
    "takes them from GitHub Linguist (MIT, Copyright (c) 2017 GitHub, Inc.). Permission is "
    "hereby granted, free of charge, to any person obtaining a copy of this software and "
    'associated documentation files (the "Software"), to deal in the Software without '
    "restriction, including without limitation the rights to use, copy, modify, merge, "
    "publish, distribute, sublicense, and/or sell copies of the Software, and to permit "
    "persons to whom the Software is furnished to do so, subject to the following conditions:"
    " The above copyright notice and this permission notice shall be included in all copies "
    'or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT '
    "WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF"
    " MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT "
    "SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER "
    "LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR "
    "IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."
)


def parse_module(text: str) -> dict[str, object]:
    """One ``export default {...}`` module as a dict (its literals are Python's too)."""
    body = text[text.index("{") :].rstrip().rstrip(";")
    quoted = re.sub(r"^(\s+)([A-Za-z]\w*):", r'\1"\2":', body, flags=re.MULTILINE)
    for word, value in (("true", "True"), ("false", "False"), ("null", "None")):
        quoted = re.sub(rf": {word},$", f": {value},", quoted, flags=re.MULTILINE)
    return ast.literal_eval(quoted)


def read_package(path: Path) -> tuple[str, dict[str, dict[str, object]]]:
    """Version and languages (name to facts) of an ``npm pack`` file."""
    languages: dict[str, dict[str, object]] = {}
    version = ""
    with tarfile.open(path) as pack:
        for member in pack:
            file = pack.extractfile(member)
            if file is None:
                continue
            if member.name == "package/package.json":
                version = json.load(file)["version"]
            if member.name.startswith("package/data/") and member.name.endswith(".js"):
                raw = parse_module(file.read().decode("utf-8"))
                facts: dict[str, object] = {"type": raw["type"]}
                if raw.get("group"):
                    facts["group"] = raw["group"]
                facts |= {key: sorted(raw[key]) for key in LISTS if raw.get(key)}  # type: ignore[call-overload]
                languages[str(raw["name"])] = facts
    return version, languages


def render(version: str, languages: dict[str, dict[str, object]]) -> str:
    """The table as JSON with one language a line, sorted by name, so that diffs read well."""
    head = {
        "source": "npm linguist-languages",
        "version": version,
        "license": "MIT",
        "notice": NOTICE,
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    rows = [
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(languages[name], ensure_ascii=False)}"
        for name in sorted(languages)
    ]
    return "{\n" + "\n".join(lines) + '\n"languages": {\n' + ",\n".join(rows) + "\n}}\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_languages.py linguist-languages-VERSION.tgz")
    OUT.write_text(render(*read_package(Path(sys.argv[1]))), encoding="utf-8")
