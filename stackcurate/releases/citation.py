"""CITATION.cff: how a release is cited, by name, version and release id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from stackcurate.releases.facts import ReleaseFacts


def citation(facts: ReleaseFacts, manifest: Mapping[str, Any]) -> str:
    """The citation file (format 1.2.0). No date: a release does not know when it was made."""
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it with its version and release id.",
        "type": "dataset",
        "title": facts.heading,
        "version": facts.version,
        "authors": authors(facts),
        "identifiers": [
            {
                "type": "other",
                "value": manifest["release_id"],
                "description": "stackcurate release id; it changes with any byte of the data",
            }
        ],
    }
    if facts.description:
        fields["abstract"] = facts.description
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=1000)


def authors(facts: ReleaseFacts) -> list[dict[str, Any]]:
    """Who made the release, by the citation format's keys; its maintainers if nobody is named."""
    named = [_author(author) for author in facts.authors]
    return named or [{"name": f"The maintainers of {facts.heading}"}]


def _author(author: Any) -> dict[str, Any]:
    """A name alone, or the citation format's own keys (given-names, family-names, orcid, …)."""
    return dict(author) if isinstance(author, Mapping) else {"name": str(author)}
