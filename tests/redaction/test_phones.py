"""Telephone numbers: words of many languages, groups of many plans, files that are about them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stackcurate.redaction.find import find
from stackcurate.redaction.settings import Settings


def found(path: str, text: str) -> set[str]:
    spans = find(pa.array([text], pa.large_string()), pa.array([path]), Settings())
    raw = text.encode()
    return {raw[s.start : s.end].decode() for s in spans if s.rule.kind == "phone"}


@pytest.mark.parametrize(
    ("path", "text", "number"),
    [
        ("c.json", '{"phone": "0412 537 465"}', "0412 537 465"),
        ("x.txt", "Điện thoại: 024 3825 7941", "024 3825 7941"),
        ("x.txt", "Telefoonnummer: 020 624 1111", "020 624 1111"),
        ("x.txt", "моб.: 067 441 2870", "067 441 2870"),
        ("x.md", "# Contacts\n- Mia: 0412 537 465\n", "0412 537 465"),
        ("x.json", '{"mobile": "x", "number": "0121 812 9518"}', "0121 812 9518"),
        ("x.sh", 'curl -d "To=+12014504286" https://api.corp.io', "+12014504286"),
        (".env", "TWILIO_FROM=+12014504286", "+12014504286"),
        ("x.html", '<a href="https://wa.me/4917644857242">', "4917644857242"),
    ],
)
def test_a_number_is_told_by_word_or_plan_and_file(path: str, text: str, number: str) -> None:
    assert number in found(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("x.md", "# Orders\n- Mia: 0412 537 465\n"),  # nothing is about telephones
        ("x.md", "# Phone orders\n- 0922/895545, 08147-1015\n"),  # no plan prints these groups
        ("x.ipynb", '{"text/plain": ["0.320192  12.45656  716139"]}'),
        ("x.py", "phone = '555-0143'\nperiod = '2024-05-17'"),
    ],
)
def test_other_numbers_stay(path: str, text: str) -> None:
    assert not found(path, text)
