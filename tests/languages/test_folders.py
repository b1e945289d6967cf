"""Folders and configs after languages."""

from stackcurate.languages.folders import UNKNOWN, config_name, folder_name, language_of_folder
from stackcurate.languages.table import language_names


def test_unique_also_where_case_does_not_count():
    folders = [folder_name(name).casefold() for name in (*language_names(), None)]
    assert len(set(folders)) == len(folders)


def test_safe_on_every_file_system():
    for name in (*language_names(), None):
        folder = folder_name(name)
        assert not set(folder) & set('<>:/\\|?*"\0\n'), folder
        assert folder == folder.strip(". ") and folder not in ("", ".", "..")
        assert config_name(name) == folder
        assert language_of_folder(folder) == name


def test_names_that_need_care():
    assert folder_name(None) == UNKNOWN == "_unknown"
    assert folder_name("F*") == "F_star" and folder_name("F#") == "F#"
    assert folder_name("C++") == "C++"
    assert folder_name("con") == "language_con" and folder_name("_unknown") == "language__unknown"
    assert language_of_folder("nothing such") is None
