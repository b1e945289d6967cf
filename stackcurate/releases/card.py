"""The dataset card: what the Hugging Face hub, `load_dataset` and a first reader need to know."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jinja2
import yaml

from stackcurate.releases.columns import MEANINGS
from stackcurate.releases.facts import ReleaseFacts
from stackcurate.schema import FILE, STACK_V2
from stackcurate.text import as_size, visible, with_commas

# The hub's size categories: rows below which each one holds.
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
    (10**10, "1B<n<10B"),
    (10**11, "10B<n<100B"),
    (10**12, "100B<n<1T"),
)

# What Markdown tables and inline code would take for their own.
_MARKUP = str.maketrans({c: "\\" + c for c in "\\|`*_<>[]"})


def card(facts: ReleaseFacts, manifest: Mapping[str, Any]) -> str:
    """README.md of the release that ``manifest`` describes."""
    counts, totals = manifest["counts"], manifest["totals"]
    return _template().render(
        header=header(facts, manifest),
        heading=facts.heading,
        description=facts.description,
        manifest=manifest,
        counts=counts,
        totals=totals,
        named=[entry for entry in totals["languages"] if entry["language"] is not None],
        drops=list(drops(counts)),
        policy=_pairs(facts.config.get("license")),
        optout=_pairs(facts.optout),
        stack_columns=len(STACK_V2),
        columns=[
            {"name": field.name, "type": str(field.type), "meaning": MEANINGS[field.name]}
            for field in FILE
        ],
    )


def header(facts: ReleaseFacts, manifest: Mapping[str, Any]) -> str:
    """The card's YAML: one config per language folder, and ``default`` over all of them."""
    totals = manifest["totals"]
    folders = sorted(entry["folder"] for entry in totals["languages"])
    fields = {
        "pretty_name": facts.heading,
        "license": "other",
        "license_name": "per-file",
        "license_link": "README.md",
        "language": ["code"],
        "task_categories": ["text-generation"],
        "tags": ["code", "source-code", "stackcurate"],
        "size_categories": [size_category(totals["files"])],
        "configs": [
            _config("default", "data/*/*.parquet") | {"default": True},
            *(_config(folder, f"data/{folder}/*.parquet") for folder in folders),
        ],
    }
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{text}---\n"


def size_category(rows: int) -> str:
    """The hub's name for a number of rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>1T")


def drops(counts: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, int]]]:
    """(stage, reason, count) of the manifest's counts, in the order of the road."""
    order = {stage: at for at, stage in enumerate(("source", *counts["stages"]))}
    stages = counts["dropped"]
    for stage in sorted(stages, key=lambda name: (order.get(name, len(order)), name)):
        for reason in sorted(stages[stage]):
            yield stage, reason, stages[stage][reason]


def _config(name: str, pattern: str) -> dict[str, Any]:
    return {"config_name": name, "data_files": [{"split": "train", "path": pattern}]}


def _pairs(value: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    pairs = sorted((value or {}).items())
    return [(key, one if isinstance(one, str) else json.dumps(one)) for key, one in pairs]


def _cell(value: Any) -> str:
    """A value for a cell of a Markdown table; emphasis of our own (``*none*``) stays."""
    text = visible(str(value))
    own = text.startswith("*") and text.endswith("*") and text[1:-1].isalpha()
    return text if own else text.translate(_MARKUP)


def _code(value: str) -> str:
    """A value as inline code in a cell of a Markdown table."""
    return "`" + visible(value).replace("`", "'").replace("|", "\\|") + "`"


def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("stackcurate", "releases")
    # Markdown, not HTML: cells are escaped by their own filter.
    env = jinja2.Environment(
        loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    filters: dict[str, Callable[..., str]] = {
        "cell": _cell,
        "code": _code,
        "count": with_commas,
        "size": as_size,
        "json": json.dumps,
    }
    env.filters.update(filters)
    return env.get_template("card.md")
