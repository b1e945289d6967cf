import pyarrow as pa
import pytest

from stackcurate.licenses.names import control_files

EXPECTED = {
    "license_file": [
        "/LICENSE", "/LICENCE", "/license", "/License.txt", "/LICENSE.md", "/LICENSE-MIT",
        "/LICENSE-APACHE", "/COPYING", "/COPYING.LESSER", "/COPYING.LIB", "/UNLICENSE",
        "/MIT-LICENSE.txt", "/mit-license", "/COPYRIGHT", "/a/b/Licence.rst", "/license.html",
        "/LICENSE.rtf", "/numpy_LICENSE.txt", "/gpl-3.0.txt", "/LICENSE.Apache-2.0",
        "/x-1.0.dist-info/licenses/LICENSE", "/a\nb/LICENSE",
    ],
    "license_text": ["/LICENSES/MIT.txt", "/sub/LICENSES/LicenseRef-x.txt"],
    "notice": ["/NOTICE", "/NOTICE.txt", "/ThirdPartyNotices.txt", "/AUTHORS",
               "/LICENSES.third-party"],
    "reuse": ["/.reuse/dep5", "/REUSE.toml", "/a/REUSE.toml"],
    "readme": ["/README", "/README.md", "/Readme.rst", "/README.zh-cn.md"],
    "manifest": [
        "/package.json", "/a/package.json", "/pyproject.toml", "/setup.py", "/setup.cfg",
        "/Cargo.toml", "/pom.xml", "/composer.json", "/x.gemspec", "/x.cabal", "/DESCRIPTION",
        "/META.json", "/debian/copyright", "/x.nuspec", "/x.podspec", "/x.opam", "/opam",
        "/meta.yaml", "/PKG-INFO", "/x-1.0.dist-info/METADATA", "/build.gradle",
    ],
    "modules": ["/.gitmodules", "/a/.gitmodules"],
    "installed": [
        "/x-1.0.dist-info/RECORD", "/a/x.egg-info/top_level.txt",
        "/x-1.0-py3.9.egg-info/installed-files.txt", "/x-1.0.dist-info/top_level.txt",
    ],
    None: [
        "/RECORD", "/top_level.txt", "/x.gitmodules", "/.gitmodules/a", "/x.dist-info/a/RECORD",
        "/copyright_check.py", "/about_dialog.py", "/al.c", "/license_manager.rs", "/license.go",
        "/LICENSE.py", "/legal_moves.py", "/mpl_toolkits.py", "/bsd.c", "/readme_test.go",
        "/apache.conf", "/license-checker.md", "/src/license.js", "/licenses.json", "/METADATA",
        "/description", "/copying.py", "/LICENSE/main.c", "/", "", "/notlicense", "/relicense.md",
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", EXPECTED)
def test_kinds(kind):
    paths = EXPECTED[kind]
    assert dict(zip(paths, control_files(pa.array(paths)).to_pylist(), strict=True)) == (
        dict.fromkeys(paths, kind)
    )


def test_shapes():
    assert len(control_files(pa.array([], pa.string()))) == 0
    chunked = pa.chunked_array([["/LICENSE"], ["/x.c", None]])
    assert control_files(chunked).to_pylist() == ["license_file", None, None]
