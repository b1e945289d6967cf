"""A version tells against the one before it: in its number, its changelog, and a person's words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ..driving import Site, assert_same_bytes, call, code, repository, site, write_yaml


@pytest.fixture
def first(tmp_path: Path, cache: Path) -> Site:
    repository(tmp_path / "git" / "one", {"a.py": code("one")})
    return site(tmp_path, [{"kind": "git", "path": "git"}], cache)


def after(old: Site, version: str, **more: object) -> Site:
    """The config of a later version, beside the old one."""
    path = old.config.with_name(f"v{version}.yaml")
    later = {**old.written, "version": version, "previous": old.config.name, **more}
    return Site(write_yaml(path, later))


def test_a_number_that_says_less_is_refused_and_nothing_is_published(first: Site) -> None:
    assert call("run", first.config).code == 0
    repository(first.config.parent / "git" / "two", {"b.py": code("two")})
    for version, more, right in (
        ("1.0.1", {}, "1.1.0"),
        ("1.1.0", {"language": {"keep": ["Python"]}}, "2.0.0"),
    ):
        later = after(first, version, **more)
        said = call("run", later.config)
        assert said.code == 2
        assert f"Set `version: {right}`" in said.err
        assert not later.release.exists()


def test_the_changelog_is_the_same_whether_the_previous_was_there_or_built_first(
    first: Site, tmp_path: Path
) -> None:
    later = after(
        first,
        "1.1.0",
        sources=[*first.written["sources"], {"kind": "git", "path": "more"}],
        notes="Now with more.",
    )
    repository(tmp_path / "more" / "three", {"c.py": code("three")})
    elsewhere = shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-elsewhere"))
    assert call("run", first.config).code == 0
    assert call("run", later.config).code == 0
    again = Site(elsewhere / later.config.name)
    assert call("run", again.config).code == 0  # builds 1.0.0 first
    assert_same_bytes(later.release, again.release)
    text = (later.release / "CHANGELOG.md").read_text()
    assert text.index("## 1.1.0") < text.index("Now with more.") < text.index("## 1.0.0")
    assert "| added | the source has changed | 1 |" in text
    assert "- inputs: 1 added" in text
