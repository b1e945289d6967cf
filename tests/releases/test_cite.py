"""A release is cited by name, version and release id, and no name becomes a command of TeX."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from stackcurate.errors import ConfigError, IntegrityError
from stackcurate.releases.cite import apa, bibtex, cite
from stackcurate.releases.manifest import read_manifest

from ..driving import call

ADA = {"family-names": "Lovelace", "given-names": "Ada King", "name-suffix": "Jr."}
JEAN = {"family-names": "Dupont", "given-names": "Jean-Luc", "name-particle": "de"}
GROUP = {"name": "The R&D group"}


def test_bibtex_of_persons_and_groups() -> None:
    text = bibtex([ADA, JEAN, GROUP], "50% of $x_1$", "1.0.0", "a-v1.0.0-0f", 2024)
    assert text.startswith("@misc{a-v1.0.0-0f,\n")
    assert r"title   = {{50\% of \$x\_1\$}}" in text
    assert (
        r"author  = {Lovelace, Jr., Ada King and de Dupont, Jean-Luc and {The R\&D group}}" in text
    )
    assert "year    = {2024}" in text
    assert text.count("{") == text.count("}")


def test_apa_of_persons_and_groups() -> None:
    assert apa([ADA, JEAN, GROUP], "T", "1.0.0", "id", None) == (
        "Lovelace, A. K., de Dupont, J.-L., & The R&D group. (n.d.). T (Version 1.0.0) [Data set]. "
        "Release id id.\n"
    )
    many = apa([{"name": f"N{n}"} for n in range(1, 25)], "T", "1", "id", 2020)
    assert many.startswith("N1, N2, ") and "N19, . . . N24. (2020)." in many and "N20" not in many


@pytest.mark.parametrize("name", ["\\input{x}", "a}b{c", "x\n\x1b[1m", "~^#&"])
def test_hostile_names_cannot_act(name: str) -> None:
    text = bibtex([{"name": name}], name, "1.0.0", name, None)
    body = text.replace(r"\textbackslash{}", "").replace(r"\{", "").replace(r"\}", "")
    assert body.count("{") == body.count("}")
    assert "\x1b" not in text and "\\input" not in text
    assert "\x1b" not in apa([{"name": name}], name, "1.0.0", "id", None)


def test_every_format_names_version_and_release_id(release: Path) -> None:
    manifest = read_manifest(release)
    for form in ("bibtex", "apa", "cff"):
        text = cite(release, form)
        assert manifest["release_id"] in text and manifest["version"] in text
    assert yaml.safe_load(cite(release, "cff"))["type"] == "dataset"


def test_the_command_and_its_mistakes(release: Path, tmp_path: Path) -> None:
    said = call("cite", release, "--format", "apa", "--year", 2025)
    assert said.code == 0 and "(2025)" in said.text
    assert call("cite", tmp_path).code == 2
    with pytest.raises(ConfigError, match="not a release"):
        cite(tmp_path)
    copy = shutil.copytree(release, tmp_path / "copy")
    (copy / "CITATION.cff").write_text("title: [")
    with pytest.raises(IntegrityError, match=r"CITATION\.cff is missing or damaged"):
        cite(copy)
