"""Manifests whose license is one plain field: of many ecosystems, one line each.

Where others use the same file name, the reader asks for a second field that only this format has.
"""

from __future__ import annotations

from collections.abc import Callable

from stackcurate.licenses.fields import Stated, assignment, json_of, local, strings, xml

Reader = Callable[[bytes], Stated | None]


def _json_field(*beside: str) -> Reader:
    """The ``license`` of a JSON document that has one of the keys ``beside`` too."""

    def read(data: bytes) -> Stated | None:
        document = json_of(data)
        if beside and not any(key in document for key in beside):
            return None
        return Stated(strings(document.get("license")), "license")

    return read


def _project_xml(data: bytes) -> Stated | None:
    """MSBuild projects: NuGet's expression."""
    for element in xml(data).iter():
        if local(element) == "packagelicenseexpression" and element.text:
            return Stated([element.text.strip()], "PackageLicenseExpression")
    return None


def _ivy(data: bytes) -> Stated | None:
    names = [
        element.get("name") or "" for element in xml(data).iter() if local(element) == "license"
    ]
    return Stated(names, "info.license.name", "OR")


def _metainfo(data: bytes) -> Stated | None:
    """AppStream; ``metadata_license`` is that of the description."""
    for element in xml(data):
        if local(element) == "project_license" and element.text:
            return Stated([element.text.strip()], "project_license")
    return None


_VALUE = r"(\[[^\]]{0,400}\]|\([^)]{0,400}\)|[^\n#]{1,200})"
_YAML_LINE = assignment(rf"^license:[ \t]*{_VALUE}")
_EQUALS = assignment(rf"^\s*license\s*=\s*{_VALUE}")
EXACT: dict[str, Reader] = {
    "haxelib.json": _json_field(), "elm.json": _json_field(), "elm-package.json": _json_field(),
    "vcpkg.json": _json_field(), "dub.json": _json_field(), "jsr.json": _json_field(),
    "deno.json": _json_field(), "codemeta.json": _json_field("@context"),
    "metadata.json": _json_field("operatingsystem_support", "operatingsystem", "cookbooks"),
    "dub.sdl": assignment(r'^license\s+("[^"\n]{1,200}")'), "shard.yml": _YAML_LINE,
    "package.yaml": _YAML_LINE, "snapcraft.yaml": _YAML_LINE, "citation.cff": _YAML_LINE,
    "mix.exs": assignment(r"\blicenses:\s*(\[[^\]]{0,400}\])"), "dist.ini": _EQUALS,
    "conanfile.py": assignment(rf"^[ \t]+license\s*=\s*{_VALUE}"), "ivy.xml": _ivy,
    "metadata.rb": assignment(r"^license\s+([\"'][^\n]{1,200})"), "apkbuild": _EQUALS,
    "pkgbuild": _EQUALS,
}  # fmt: skip
ENDINGS: dict[str, Reader] = {
    ".csproj": _project_xml, ".fsproj": _project_xml, ".vbproj": _project_xml,
    ".nimble": _EQUALS, ".spec": assignment(r"^License\s*:[ \t]*([^\n]{1,200})"),
    ".app.src": assignment(r"\{\s*licenses\s*,\s*(\[[^\]]{0,400}\])"),
    ".metainfo.xml": _metainfo, ".appdata.xml": _metainfo,
}  # fmt: skip
