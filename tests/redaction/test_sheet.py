"""The sheet shows no value, is the same every time, and gives precision back."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from stackcurate.cli.main import cli
from stackcurate.errors import ConfigError
from stackcurate.redaction import sheet
from stackcurate.redaction.examples import expand
from stackcurate.redaction.settings import Settings

TOKENS = [expand("ghp_{A-Za-z0-9*30}{crc*6}", f"sheet{number}") for number in range(30)]
MAIL = "m.keller@uni-weimar.de"
RECORDS = [
    {"id": number, "path": f"/f{number}.py", "text": f'# é {MAIL}\nTOKEN = "{token}"\nx = 1\n'}
    for number, token in enumerate(TOKENS)
]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, dialect="excel-tab"))


def test_values_are_masked_and_rules_share_the_sample(tmp_path: Path) -> None:
    drawn = sheet.of_texts(RECORDS, Settings(), 20)
    path = tmp_path / "sheet.tsv"
    assert sheet.write(drawn, path) == 20
    text = path.read_text()
    assert MAIL not in text and not any(token in text for token in TOKENS)
    found = rows(path)
    assert {row["rule"] for row in found} == {"email-address", "github-token"}
    assert sum(row["rule"] == "github-token" for row in found) == 10
    assert all(row["findings"] == "30" for row in found)
    email = next(row for row in found if row["rule"] == "email-address")
    assert "«a.aaaaaa@aaa-aaaaaa.aa»" in email["context"] and email["line"] == "1"
    again = tmp_path / "again.tsv"
    sheet.write(sheet.of_texts(list(reversed(RECORDS)), Settings(), 20), again)
    assert again.read_text() == text


def test_a_judged_sheet_gives_precision(tmp_path: Path) -> None:
    path = tmp_path / "sheet.tsv"
    sheet.write(sheet.of_texts(RECORDS, Settings(), 20), path)
    head, *lines = path.read_text().splitlines()
    words = ["y"] * 10 + ["y"] * 7 + ["n"] * 2 + ["?"]
    path.write_text("\n".join([head, *(a + b for a, b in zip(words, lines, strict=True))]) + "\n")
    email, token = sheet.read(path)
    assert (email.right, email.judged, email.findings) == (10, 10, 30)
    assert (token.right, token.judged) == (7, 9) and token.interval[0] < 7 / 9 < token.interval[1]
    assert sheet.overall([email, token]) == pytest.approx((1 + 7 / 9) / 2)
    done = CliRunner().invoke(cli, ["redact", "--judged", str(path)])
    assert done.exit_code == 0 and "0.78" in done.output and "19 judged" in done.output


@pytest.mark.parametrize("change", [lambda text: text, lambda text: text.replace("judgement", "x")])
def test_what_is_no_judged_sheet_says_so(change, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "sheet.tsv"
    sheet.write(sheet.of_texts(RECORDS, Settings(), 5), path)
    path.write_text(change(path.read_text()))
    with pytest.raises(ConfigError, match="sheet"):
        sheet.read(path)
    path.write_text(path.read_text().replace("\t", "maybe\t", 1))
    with pytest.raises(ConfigError):
        sheet.read(path)


def test_a_release_shows_what_ships() -> None:
    text = '# é <EMAIL>\nTOKEN = "<KEY>"\n'
    one = {"rule": "email-address", "kind": "email", "confidence": 0.95, "start": 5, "end": 12}
    (entry,) = sheet.of_release([("/a.py", text, [one])], 5).entries()
    assert entry.context.startswith("# é «<EMAIL>»⏎TOKEN") and entry.line == 1


def test_command_samples_files(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(RECORDS[0]["text"])
    out = tmp_path / "sheet.tsv"
    done = CliRunner().invoke(
        cli, ["redact", str(tmp_path / "a.py"), "--sample", "9", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert len(rows(out)) == 2 and TOKENS[0] not in out.read_text()
    assert "2 of 2 findings by 2 rules" in done.output
