"""The pipeline's own arithmetic: folds, ranks, spills, slices, sums."""

from __future__ import annotations

import json
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.errors import ConfigError, IntegrityError, StopError
from stackcurate.licenses.places import NO_PLACE
from stackcurate.pipeline import choose, ledger, spill, winners
from stackcurate.pipeline.culprits import Quarantine
from stackcurate.pipeline.decode import decode
from stackcurate.storage import partitions
from stackcurate.storage.exchange import read_exchange
from stackcurate.storage.journal import Journal

# --- choose ---------------------------------------------------------------------------------------

places = st.tuples(
    st.integers(0, 5),  # which content
    st.booleans(),  # dropped
    st.booleans(),  # open
    st.integers(-1, 3),  # stars
    st.one_of(st.none(), st.integers(-(2**62), 2**62)),  # date
    st.sampled_from(["a", "b", "https://example.org/é", "z"]),  # origin
    st.binary(max_size=3),  # path
    st.integers(0, 3),  # marks
)


def records(rows) -> pa.Table:
    """A record per place, as `decide` writes them; the address is the row."""
    count = len(rows)
    dates = [choose.NO_DATE if row[4] is None else row[4] for row in rows]
    ranks = choose.rank(
        np.array([2 if row[7] else int(row[1]) for row in rows]),
        np.array([row[2] for row in rows], bool),
        np.zeros(count, bool),
        np.zeros(count, bool),
        np.array([row[3] for row in rows], np.int64),
        np.full(count, -1, np.int64),
        np.array(dates, np.int64),
        pa.array([row[5] for row in rows], pa.string()),
        pa.array([row[6] for row in rows], pa.binary()),
    )
    columns = [
        pa.array([bytes([row[0]]) * 20 for row in rows], pa.binary(20)),
        ranks,
        pa.array([-1 if row[7] else n for n, row in enumerate(rows)], pa.int64()),
        *(pa.array(np.full(count, -1)) for _ in range(choose.PLACES - 1)),
        pa.array(np.ones(count, np.int64)),
        pa.array([1 << row[0] for row in rows], pa.int64()),
        pa.array(dates, pa.int64()),
        pa.array([NO_PLACE if row[2] else date for row, date in zip(rows, dates, strict=True)]),
        pa.array([date if row[2] else NO_PLACE for row, date in zip(rows, dates, strict=True)]),
        pa.array([n if row[2] and not row[7] else NO_PLACE for n, row in enumerate(rows)]),
        pa.array([row[7] for row in rows], pa.int8()),
    ]
    return pa.Table.from_arrays(columns, schema=choose.RECORD)


@settings(max_examples=100, deadline=None)
@given(st.lists(places, min_size=1, max_size=30, unique_by=lambda r: (r[0], r[5], r[6])), st.data())
def test_a_fold_of_folds_is_the_fold(rows, data) -> None:
    whole = records(rows)
    cut = data.draw(st.integers(0, len(rows)))
    again = data.draw(st.integers(0, cut))
    parts = [whole.slice(0, again), whole.slice(again, cut - again), whole.slice(cut)]
    folded = pa.concat_tables([choose.fold(part)[0] for part in parts])
    mixed = folded.take(pa.array(np.random.default_rng(1).permutation(folded.num_rows)))
    one, two = choose.fold(mixed)[0], choose.fold(whole)[0]
    spare = [f"place{n}" for n in range(choose.PLACES)]
    assert one.drop_columns(spare).equals(two.drop_columns(spare))
    # The best place is the same where one is alive. The others are some of the content's, as many
    # as there are; which of them, a record cannot tell.
    for mine, right in zip(one.to_pylist(), two.to_pylist(), strict=True):
        content = mine["content_id"][0]
        if mine["rank"][0] == 0:
            assert mine["place0"] == right["place0"] >= 0
        found = [mine[name] for name in spare if mine[name] >= 0]
        assert len(found) == len(set(found)) == sum(right[name] >= 0 for name in spare)
        assert all(rows[n][0] == content and not rows[n][7] for n in found)


@settings(max_examples=100, deadline=None)
@given(st.lists(places, min_size=1, max_size=30, unique_by=lambda r: (r[0], r[5], r[6])))
def test_a_fold_is_what_a_plain_loop_says(rows) -> None:
    found = {row["content_id"][0]: row for row in choose.fold(records(rows))[0].to_pylist()}
    for content in {row[0] for row in rows}:
        mine = sorted((rank_tuple(row), n) for n, row in enumerate(rows) if row[0] == content)
        got = found[content]
        addresses = [n for _, n in mine if not rows[n][7]][: choose.PLACES]
        addresses += [-1] * (choose.PLACES - len(addresses))
        assert [got[f"place{n}"] for n in range(choose.PLACES)] == addresses
        assert got["places"] == len(mine)
        assert got["marks"] == np.bitwise_or.reduce([rows[n][7] for _, n in mine])
        dates = [rows[n][4] for _, n in mine if rows[n][4] is not None]
        assert got["oldest"] == min(dates, default=choose.NO_DATE)
        for key, is_open in (("oldest_allowed", False), ("oldest_refused", True)):
            some = [rank_tuple(rows[n])[3] for _, n in mine if rows[n][2] == is_open]
            assert got[key] == min(some, default=NO_PLACE)
        refused = [(rank_tuple(rows[n])[3], NO_PLACE if rows[n][7] else n)
                   for _, n in mine if rows[n][2]]  # fmt: skip
        assert got["refused_at"] == min(refused, default=(0, NO_PLACE))[1]


def rank_tuple(row):
    date = choose.NO_DATE if row[4] is None else row[4]
    return (2 if row[7] else int(row[1]), row[2], -row[3], date, row[5].encode(), row[6])


@settings(max_examples=200, deadline=None)
@given(st.lists(places, min_size=2, max_size=20))
def test_the_order_of_rank_bytes_is_the_order_of_ranks(rows) -> None:
    ranks = records(rows)["rank"].to_pylist()
    by_bytes = sorted(range(len(rows)), key=lambda n: (ranks[n], n))
    by_tuple = sorted(range(len(rows)), key=lambda n: (rank_tuple(rows[n]), n))
    assert [rank_tuple(rows[n]) for n in by_bytes] == [rank_tuple(rows[n]) for n in by_tuple]


def test_targets_share_all_contents_out_and_grow_with_rows_alone() -> None:
    ids = np.random.default_rng(3).bytes(20 * 1000)
    column = pa.chunked_array([pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(20), 1000, [None, pa.py_buffer(ids)])])  # fmt: skip
    for targets in (1, 2, 7):
        found = choose.target_of(column, targets)
        assert found.min() == 0 and found.max() == targets - 1
    rows = (0, 1, 250_000, 2_000_000, 20_000_001)
    assert [choose.targets_for(n) for n in rows] == [1, 1, 2, 8, 11]


def test_the_empty_blob_in_a_million_places_is_one_record(tmp_path) -> None:
    count = 200_000
    one = records([(0, False, False, 0, None, "o", b"p", 0)])
    many = one.take(pa.array(np.zeros(count, np.int64)))
    many = many.set_column(2, "place0", pa.array(np.arange(count)))
    choose.write_records(tmp_path / "records.arrow", many, 3)
    back = pa.concat_tables([read_exchange([tmp_path / "records.arrow"], n) for n in range(3)])
    assert back.num_rows == 1 and back["places"].to_pylist() == [count]


# --- slices ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 100), max_size=50), st.integers(1, 120))
def test_cuts_cover_every_row_once_and_are_no_larger_than_one_row_needs(sizes, limit) -> None:
    found = list(spill.cuts(np.cumsum(np.array(sizes, np.int64)), limit))
    assert [n for begin, end in found for n in range(begin, end)] == list(range(len(sizes)))
    for begin, end in found:
        assert end > begin
        assert end - begin == 1 or sum(sizes[begin:end]) <= limit


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3)), max_size=40), st.data())
def test_slices_cut_between_units_unless_one_is_huge(rows, data) -> None:
    weights = np.array([weight for weight, _ in rows], np.int64)
    units = np.cumsum(np.array([step == 0 for _, step in rows], np.int64))
    limit = data.draw(st.integers(20, 200))
    old, winners.SLICE_BYTES = winners.SLICE_BYTES, limit
    try:
        found = winners.slice_cuts(weights, units)
    finally:
        winners.SLICE_BYTES = old
    assert [n for begin, end in found for n in range(begin, end)] == list(range(len(rows)))
    sizes = {unit: int(weights[units == unit].sum()) for unit in units.tolist()}
    for begin, end in found:
        assert end > begin
        size = int(weights[begin:end].sum())
        assert size <= max(2 * limit, int(weights[begin:end].max()))
        cut_inside = end < len(rows) and units[end] == units[end - 1]
        assert not cut_inside or sizes[int(units[end])] > 2 * limit


# --- decode ---------------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_decoded_text_is_utf8_or_the_verdict_says_why(data) -> None:
    text, said = decode(data)
    if text is None:
        assert said in ("fetch:binary", "fetch:undecodable")
    else:
        text.decode("utf-8")
        assert said


@given(st.text(max_size=100).filter(lambda t: "\0" not in t and t.isprintable()))
def test_unicode_in_its_common_forms_comes_back(text) -> None:
    assert decode(text.encode()) == (text.encode(), "UTF-8")
    for codec in ("utf-16", "utf-32"):
        found, name = decode(text.encode(codec))
        assert found.decode() == text and name == codec.upper()


FOREIGN = [
    ("cp1252", "Déjà vu: le garçon naïf a mangé une crème brûlée"),
    ("cp1252", "Größe der Datei, Übergabe an die Prüfung für später"),
    ("cp1252", "año nuevo, mañana será otro día"),
    ("cp1252", "Configuração de ações do usuário não é válida"),
    ("cp1252", "“quotes” – and dashes… it’s fine"),
    ("cp1250", "Zażółć gęślą jaźń, proszę wpisać hasło"),
    ("cp1254", "Kullanıcı şifresi geçersiz, lütfen tekrar giriş yapın"),
    ("cp1251", "Проверка пароля пользователя, если он не задан"),
    ("koi8-r", "Проверка пароля пользователя, если он не задан"),
    ("gb18030", "用户名和密码不能为空，请重新输入"),
    ("big5", "使用者名稱與密碼不能為空，請重新輸入"),
    ("shift_jis", "ユーザー名とパスワードを入力してください"),
    ("euc_jp", "ユーザー名とパスワードを入力してください"),
    ("euc_kr", "사용자 이름과 비밀번호를 입력하세요"),
    ("cp1253", "Έλεγχος του κωδικού του χρήστη"),
]


@pytest.mark.parametrize("around", ["", "def f(x):\n    return x + 1\n\n" * 40])
@pytest.mark.parametrize(("codec", "comment"), FOREIGN)
def test_comments_in_old_encodings_come_back(codec, comment, around) -> None:
    text = f"{around}# {comment}\n{around}"
    found, said = decode(text.encode(codec))
    assert found is not None and found.decode() == text
    assert text.encode(said) == text.encode(codec), "the encoding on record gives the bytes back"


def test_bytes_that_only_lack_a_nul_are_no_text() -> None:
    noise = bytes(random.Random(5).choices(range(1, 256), k=5000))
    assert decode(noise) == (None, "fetch:undecodable")


@pytest.mark.parametrize(
    ("data", "verdict"),
    [(b"a\0b", "fetch:binary"), (b"\xff\xfea", "fetch:binary"), (b"caf\xc3\xa9\0", "fetch:binary")],
)
def test_what_is_no_text(data, verdict) -> None:
    text, said = decode(data)
    assert (text, said) == (None, verdict) or said not in ("UTF-8",)


# --- the ledger -----------------------------------------------------------------------------------


def ledger_folder(folder, counts, rows):
    folder.mkdir()
    partitions.write_json(folder / "meta.json", {"counts": counts, "ledger_files": rows})
    return folder


def test_the_ledger_adds_up_or_the_run_stops(tmp_path) -> None:
    one = ledger_folder(
        tmp_path / "1",
        {"0": {"kept": {"files": 2, "bytes": 5}, "a:b": {"files": 1, "bytes": 1}}},
        3,
    )
    two = ledger_folder(tmp_path / "2", {"1": {"kept": {"files": 4, "bytes": 7}}}, 4)
    others = [{"source": 0, "outcome": "choose:same_root", "files": 9, "bytes": 90}]
    total, by_input = ledger.add_up([one, two], others, {"files": 7, "bytes": 13})
    assert total == {
        "kept": {"files": 6, "bytes": 12},
        "a:b": {"files": 1, "bytes": 1},
        "choose:same_root": {"files": 9, "bytes": 90},
    }
    assert by_input["1"] == {"kept": {"files": 4, "bytes": 7}}
    with pytest.raises(IntegrityError, match="8 files listed, 7 decided"):
        ledger.add_up([one, two], others, {"files": 8, "bytes": 13})
    short = ledger_folder(tmp_path / "3", {"0": {"kept": {"files": 2, "bytes": 5}}}, 1)
    with pytest.raises(IntegrityError, match="2 decided, 1 in the ledger"):
        ledger.add_up([short], [], {"files": 2, "bytes": 5})


# --- quarantine, journal, partitions --------------------------------------------------------------


def test_quarantine_is_sorted_and_read_again(tmp_path) -> None:
    path = tmp_path / "quarantine.jsonl"
    held = Quarantine(path)
    held.add("fetch", "content_id", "bb" * 20, "timeout")
    held.add("control", "content_id", "aa" * 20, "crashed")
    assert [json.loads(line)["content_id"][:2] for line in path.read_text().splitlines()] == [
        "aa", "bb",
    ]  # fmt: skip
    again = Quarantine(path)
    assert again.skip(among={"aa" * 20, "00" * 20}) == {("aa" * 20, "crashed")}
    assert again.skip("fetch") == {("bb" * 20, "timeout")}
    assert again.skip("control", "decide") == {("aa" * 20, "crashed")} and not again.skip("judge")
    older = tmp_path / "older.jsonl"  # of a release that did not name the phase yet
    older.write_text(json.dumps({"content_id": "cc" * 20, "reason": "crashed"}) + "\n")
    assert Quarantine(tmp_path / "new", before=older).skip("fetch") == {("cc" * 20, "crashed")}
    older.write_text("no lines of ours\n")
    with pytest.raises(ConfigError, match=r"older\.jsonl is no quarantine"):
        Quarantine(tmp_path / "new", before=older)


def test_a_journal_that_a_kill_cut_is_still_read(tmp_path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", clock=lambda: 1.0)
    journal.write("start", workers=2)
    with journal.path.open("a") as file:
        file.write('{"time": 1.0, "eve')
    assert [event["event"] for event in journal.read()] == ["start"]


def test_an_output_is_there_whole_or_not_at_all(tmp_path) -> None:
    with pytest.raises(ZeroDivisionError), partitions.whole_folder(tmp_path / "out") as part:
        (part / "half").write_text("x")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [28, 122, 30, 13])
def test_errors_of_the_disk_are_named_by_what_to_do(tmp_path, number) -> None:
    with pytest.raises(StopError, match=r"is full|cannot write"), partitions.disk_errors(tmp_path):
        raise OSError(number, "x")


def test_names_follow_from_values_and_unknown_things_have_none() -> None:
    assert partitions.digest({"b": 1, "a": {2, 1}}) == partitions.digest({"a": {1, 2}, "b": 1})
    assert partitions.digest("1") != partitions.digest(1)
    with pytest.raises(TypeError):
        partitions.digest(object())


def test_each_error_has_its_exit_code() -> None:
    assert {error.exit_code for error in (ConfigError, IntegrityError, StopError)} == {2, 3, 4}
