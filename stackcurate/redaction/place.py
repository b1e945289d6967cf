"""A candidate in its surroundings: what every judge gets to see."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_TEST_PATH = re.compile(
    r"(?i)(?:^|[/_.-])(?:tests?|testing|specs?|fixtures?|testdata|mocks?|examples?|samples?|demos?"
    r"|docs?|__tests__|e2e|benchmarks?)(?:[/_.-]|$)"
)
_CONFIG_NAME = re.compile(
    r"(?i)(?:^|/)(?:\.env[\w.-]*|env|dockerfile[\w.-]*|containerfile|(?:gnu)?makefile|jenkinsfile[\w.-]*|vagrantfile|procfile|fstab|crontab|chap-secrets|\.netrc|_netrc"
    r"|\.npmrc|\.pypirc|\.htpasswd|\.pgpass|\.my\.cnf|credentials|config|\.dockercfg|hosts|inventory"
    r"|[^/]*\.(?:env|ini|cfg|cnf|conf|cf|config|properties|props|toml|ya?ml|eyaml|sh|bash|zsh|ksh|fish"
    r"|bat|cmd|psm?1|tfvars|tf|hcl|mk|mak|nix|http|rest|plist|j2|tmpl|tpl|eml|vcf|service|desktop|rc|prefs|reg|txt|md|rst|log))$"
)
_LOCK = re.compile(
    r"(?i)(?:^|/)(?:[^/]*\.lock|[^/]*-lock\.(?:json|ya?ml)|[^/]*\.lock\.(?:json|hcl)|go\.sum"
    r"|npm-shrinkwrap\.json|package\.resolved|cartfile\.resolved|record|sha\d*sums?|[^/]*\.map"
    r"|[^/]*\.svg|[^/]*\.sum)$"
)


@dataclass(slots=True, repr=False)  # its text must not reach a log; frozen ones are made slowly
class Place:
    """A value at ``region[start:end]`` in a file at ``path``; ``head`` is where the match began.

    A region is a line or a piece of a long one, never more than one file. ``asked`` tells whether
    somebody wanted to know the path: an answer without it holds in every file.
    """

    region: bytes
    head: int
    start: int
    end: int
    file: str
    rule: str
    asked: bool = False

    @property
    def path(self) -> str:
        """The path of the file."""
        self.asked = True
        return self.file

    @property
    def value(self) -> bytes:
        return self.region[self.start : self.end]

    def before(self, length: int = 200) -> bytes:
        """Up to ``length`` bytes before the value."""
        return self.region[max(0, self.start - length) : self.start]

    def after(self, length: int = 80) -> bytes:
        """Up to ``length`` bytes behind the value."""
        return self.region[self.end : self.end + length]


@lru_cache(maxsize=4096)
def is_test_path(path: str) -> bool:
    """Tests, examples and documentation, by the names of the folders and the file."""
    return _TEST_PATH.search(path) is not None


# Code, markup and data, in which a word without quotes is no value.
# ruff: noqa: SIM905  (lists of words read best as one string that is split)
_CODE = frozenset(
    "py pyi pyx pxd js mjs cjs jsx ts tsx mts cts java kt kts scala sc go rs c h cc cpp cxx"
    " hh hpp hxx inl cs php phtml rb swift dart groovy gradle lua pl pm t r jl ex exs erl hrl"
    " hs lhs elm ml mli fs fsx vb vbs bas clj cljs cljc edn lisp el scm rkt m mm sol zig nim"
    " cr d pas pp adb ads v sv vhd vhdl f f90 f95 for f03 cob cbl asm s sql pgsql proto thrift"
    " graphql gql css scss sass less styl html htm xhtml xml xsd xsl xslt svg wsdl vue svelte"
    " astro mdx jsp asp aspx cshtml razor ejs erb haml jade pug twig hbs liquid json json5"
    " jsonc jsonl ndjson geojson ipynb csv tsv psv map lock po pot tex bib sty cls awk tcl"
    " coffee ps eps cmake vim ino pde y yy l ll cu cuh glsl hlsl wgsl wat ad as hx ahk au3"
    " applescript pem crt pub sum snap resx hex lst map asm xaml csproj vbproj fsproj"
    " props targets storyboard xib pbxproj idl har mbox dump ics vcf kml gpx".split()
)


@lru_cache(maxsize=4096)
def is_config_path(path: str) -> bool:
    """A file whose values may stand without quotes: configuration, shell, notes, unknown forms."""
    if _CONFIG_NAME.search(path):
        return True
    _, dot, ending = path.lower().rpartition("/")[2].rpartition(".")
    return not dot or ending not in _CODE


@lru_cache(maxsize=4096)
def is_lock_path(path: str) -> bool:
    """A file of checksums or encoded data that a tool wrote."""
    return _LOCK.search(path) is not None


_PROSE = (".md", ".txt", ".rst", ".adoc", ".markdown", "readme", ".smbcredentials")


@lru_cache(maxsize=4096)
def is_written_plainly(path: str) -> bool:
    """A file of configuration, or one in which people write to each other."""
    return is_config_path(path) or path.lower().endswith(_PROSE)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


FILES: dict[str, Callable[[str], bool]] = {
    "config": is_config_path,
    "netrc": lambda path: path.endswith((".cfg", ".ios")) or _name(path).endswith("netrc"),
    "pgpass": lambda path: _name(path) in (".pgpass", "pgpass", "pgpass.conf"),
    "plain": is_written_plainly,
}
"""Sorts of files that a rule can be limited to: elsewhere its matches are not even looked at."""
