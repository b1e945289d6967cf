"""Which files are asked about licenses, by name alone: a fiftieth of all files, no bytes read.

A name is evidence only when the whole name says so: ``LICENSE-MIT.txt`` is a license file,
``license_manager.rs`` and ``copyright_check.py`` are code.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LICENSE_FILE = "license_file"
LICENSE_TEXT = "license_text"  # in a LICENSES folder: a text that files may point to, no statement
NOTICE = "notice"  # weak: names parts, seldom the license of the whole
MANIFEST = "manifest"
REUSE = "reuse"  # .reuse/dep5, REUSE.toml and x.license: statements about paths
README = "readme"  # weak
MODULES = "modules"  # .gitmodules: no license, but folders that stand on their own
INSTALLED = "installed"  # RECORD and its like: no license, but what an installed package holds
LAYOUT_KINDS = (MODULES, INSTALLED)
KINDS = (LICENSE_FILE, LICENSE_TEXT, NOTICE, MANIFEST, REUSE, README, *LAYOUT_KINDS)
TAG = "spdx-tag"  # matcher (and rule) of an SPDX tag
PAPER_KINDS = (LICENSE_FILE, LICENSE_TEXT, NOTICE)  # what must go with the code

_DOC = r"(?:\.(?:txt|text|md|markdown|mdown|rst|html?|rtf|adoc|asciidoc|org|textile|tex|utf-?8|in))"
# Words that may stand beside "license" in a lower-case name: names of licenses, languages, and what
# the license is for.
_WORD = (
    r"(?:mit|isc|x11|apache|asl|al|bsd|bsl|boost|gnu|[al]?gpl(?:v?\d(?:\.\d)?)?|mpl|epl|cddl|eupl|zlib|"
    r"cc|cc0|by|sa|nc|nd|ofl|wtfpl|psf|python|perl|artistic|ruby|unlicense|unicode|openssl|ncsa|curl|"
    r"v?\d+(?:[.\-]\d+)*|clause|lib|lesser|library|runtime|exception|only|or|later|"
    r"code|doc|docs|documentation|content|data|font|fonts|images|assets|media|software|source|"
    r"third|party|thirdparty|3rd|3rdparty|3rd-party|bundled|full|main|project|public|dual|commercial|"
    r"en|de|fr|es|it|pt|pt-br|ru|zh|cn|zh-cn|tw|zh-tw|ja|jp|ko|kr|pl|nl|tr|and|for|the|of|text|file|"
    r"readme|terms|user|end|agreement|header)"
)
_KEY = r"(?:un)?licen[cs]es?|copying(?:v?\d)?|copyrights?|copyleft|eula|licensing"
_CODE = (
    r"\.(?:py|pyi|pyx|pyc|js|mjs|cjs|jsx|ts|tsx|c|h|cc|hh|cpp|hpp|cxx|m|mm|go|rs|rb|php|java|kt|kts|"
    r"scala|swift|cs|fs|vb|pl|pm|lua|r|jl|hs|ml|mli|ex|exs|erl|clj|lisp|el|sh|bash|zsh|fish|ps1|bat|"
    r"cmd|sql|css|scss|sass|less|vue|svelte|json|xml|yml|yaml|toml|ini|cfg|conf|csv|tsv|svg|png|jpe?g|"
    r"gif|ico|webp|pdf|docx?|odt|xlsx?|zip|gz|bz2|xz|tar|jar|class|so|dll|exe|o|a|spec|tmpl|template|"
    r"tpl|j2|erb|ejs|hbs|snap|patch|diff|lock|log|map|dart|proto|gradle|groovy|cmake|mk|asm|s|f90|f|"
    r"pas|d|nim|zig|v|sv|vhd|ipynb|resx|strings|po|pot|mo|key|pem|crt|lic|dat|bin|sig|asc|sha256|"
    r"check|test|spdx|license|licenses\.json)$"
)
_LICENSE_LOWER = rf"^(?:{_WORD}[-_. ])*(?:{_KEY})(?:[-_. ]{_WORD})*{_DOC}?$"
# Capitals say that a person wrote it for people: any words may stand beside it.
_LICENSE_UPPER = (
    r"^(?:(?:UN)?LICEN[CS]ES?|COPYING(?:V?\d)?|COPYRIGHTS?|EULA)(?:[-_. ][^/]{0,60})?$"
    r"|^[^/]{1,40}[-_. ](?:(?:UN)?LICEN[CS]ES?|COPYING|COPYRIGHT)(?:\.[A-Za-z]{2,8})?$"
)
_BY_LICENSE = r"^(?:[al]?gpl|mpl|epl|apache|bsd|mit|isc|cc0|ofl|eupl)(?:[-_ ]?v?\d+(?:\.\d+)*)?(?:\.(?:txt|md))$"  # noqa: E501
_BARE = r"^(?:[al]?gpl|mpl|epl|apache|bsd)[-_ ]?v?\d+(?:\.\d+)*$"
_NOTICE = r"^(?:(?:third|3rd)[-_ ]?party[-_ ]?)?(?:notices?|licenses?-notices?|patents?|legal(?:[-_ ]?notices?)?|credits|authors)" + _DOC + r"?$"  # fmt: skip  # noqa: E501
_OTHERS = r"third[-_. ]?part|3rd[-_. ]?part|bundled|vendored"  # licenses of parts, not of the whole
_README = rf"^readme(?:[-_. ][a-z]{{2}}(?:[-_][a-z]{{2}})?)?{_DOC}?$"
_MANIFEST = (
    r"^(?:package\.json|pyproject\.toml|setup\.cfg|setup\.py|cargo\.toml|pom\.xml|composer\.json|"
    r"bower\.json|meta\.json|meta\.ya?ml|package\.xml|pkg-info|opam|build\.gradle(?:\.kts)?|"
    r"pubspec\.yaml|recipe\.yaml|haxelib\.json|elm(?:-package)?\.json|vcpkg\.json|dub\.(?:json|sdl)|"
    r"jsr\.json|deno\.json|codemeta\.json|metadata\.(?:json|rb)|shard\.yml|package\.yaml|"
    r"snapcraft\.yaml|citation\.cff|mix\.exs|dist\.ini|conanfile\.py|ivy\.xml|apkbuild|pkgbuild|"
    r"[^/]*\.(?:gemspec|cabal|nuspec|podspec|podspec\.json|opam|rockspec|csproj|fsproj|vbproj|nimble|"
    r"spec|app\.src|metainfo\.xml|appdata\.xml))$"
)


def _has(values: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(values, pattern)


def without_header(paths: pa.Array | pa.ChunkedArray, matchers: pa.Array) -> pa.Array:
    """Which of the headers that were found at the tops of files are none, by the files' names.

    What is at the top of a license's text is that license. A readme speaks of licenses, its own
    and those of others; only a tag (``matchers``) is a word about the readme itself.
    """
    if isinstance(paths, pa.ChunkedArray):
        paths = paths.combine_chunks()
    kinds = control_files(paths)
    # THIRD-PARTY-LICENSES is one too, though it speaks for no folder.
    notices = pc.and_(pc.equal(kinds, NOTICE), _has(paths, r"(?i)licen[cs]e[^/]*$"))
    texts = pc.or_(pc.is_in(kinds, pa.array([LICENSE_FILE, LICENSE_TEXT])), notices)
    readmes = pc.and_(pc.equal(kinds, README), pc.not_equal(matchers, TAG))
    return pc.or_(pc.fill_null(texts, False), pc.fill_null(readmes, False))


def control_files(paths: pa.Array) -> pa.Array:
    """The kind of license evidence each path is by name, or null.

    ``paths`` are full paths in a repository with "/" between names. Case counts only where capitals
    mark a file that people wrote for people.
    """
    if isinstance(paths, pa.ChunkedArray):
        paths = paths.combine_chunks()
    name = pc.replace_substring_regex(paths, r"^(?s:.*)/", "")
    # Everything we look for is short, and one regex over all names pays for the many others.
    likely = _has(
        name,
        r"(?i)licen[cs]|copying|copyright|copyleft|eula|notice|patents|legal|credits|authors|gpl|mpl|"
        r"epl|apache|bsd|^mit|^isc|cc0|ofl|eupl|readme|^package\.|pyproject|^setup\.|cargo\.toml|pom\.xml|"
        r"composer|bower|^meta|gemspec|cabal|nuspec|podspec|opam|rockspec|^description$|pkg-info|"
        r"gradle|pubspec|^dep5$|^reuse\.toml$|^recipe\.yaml$|^haxelib|^elm[.-]|^vcpkg|^dub\.|^jsr\.|"
        r"^deno\.json|^codemeta|^shard\.yml|^snapcraft|^citation\.cff|^mix\.exs|^dist\.ini|^conanfile|"
        r"^\.gitmodules$|^record$|^top_level\.txt$|^installed-files\.txt$|"
        r"^ivy\.xml|^(?:apk|pkg)build$|\.(?:[cfv][sb]proj|nimble|spec|app\.src|metainfo\.xml|appdata\.xml)$",
    )
    in_licenses = _has(paths, r"(?:^|/)LICENSES/[^/]+$")
    rows = pc.indices_nonzero(pc.or_(pc.fill_null(likely, False), pc.fill_null(in_licenses, False)))
    kinds = _kinds(paths.take(rows), name.take(rows), in_licenses.take(rows))
    found = pa.nulls(len(paths), pa.string())
    mask = np.zeros(len(paths), bool)
    mask[rows.to_numpy()] = True
    return pc.replace_with_mask(found, pa.array(mask), kinds)


def _kinds(paths: pa.Array, name: pa.Array, in_licenses: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(name)
    code = _has(lower, _CODE)
    license_file = pc.or_(_has(lower, _LICENSE_LOWER), _has(name, _LICENSE_UPPER))
    license_file = pc.or_(license_file, pc.or_(_has(lower, _BY_LICENSE), _has(lower, _BARE)))
    manifest = _has(lower, _MANIFEST)
    manifest = pc.or_(manifest, _has(paths, r"(?:^|/)DESCRIPTION$"))
    manifest = pc.or_(manifest, _has(paths, r"(?:^|/)debian/copyright$"))
    manifest = pc.or_(manifest, _has(paths, r"\.dist-info/METADATA$"))
    reuse = _has(paths, r"(?:^|/)(?:\.reuse/dep5|REUSE\.toml|[^/]*[^/.]\.license)$")
    plain = pc.invert(code)
    modules = _has(paths, r"(?:^|/)\.gitmodules$")
    installed = _has(paths, r"\.(?:dist|egg)-info/(?:RECORD|installed-files\.txt|top_level\.txt)$")
    cases = [
        (modules, MODULES),
        (installed, INSTALLED),
        (reuse, REUSE),
        (manifest, MANIFEST),
        (pc.and_(in_licenses, plain), LICENSE_TEXT),
        (pc.and_(pc.and_(license_file, plain), _has(lower, _OTHERS)), NOTICE),
        (pc.and_(license_file, plain), LICENSE_FILE),
        (pc.and_(_has(lower, _NOTICE), plain), NOTICE),
        (pc.and_(_has(lower, _README), plain), README),
    ]
    conditions = pa.StructArray.from_arrays([case for case, _ in cases], [k for _, k in cases])
    return pc.case_when(conditions, *(pa.scalar(kind, pa.string()) for _, kind in cases))


def folders_above(path: str) -> Iterator[str]:
    """The folders above "/a/b", the nearest first: "/a" and "", which is the root."""
    while path:
        path = path.rpartition("/")[0]
        yield path
