"""Check digits of national numbers: python-stdnum says which numbers are right."""

from __future__ import annotations

import importlib
import random

import pyarrow as pa
import pytest

from stackcurate.redaction.checkdigits import CHECKS
from stackcurate.redaction.examples import valid
from stackcurate.redaction.find import find
from stackcurate.redaction.rules import load
from stackcurate.redaction.settings import Settings

stdnum = pytest.importorskip("stdnum", reason="python-stdnum is for tests only")

# Our check, theirs, and the form of the numbers that both are asked: # is a digit, @ a letter,
# ? either. Dates of the forms are those that all calendars have and that lie in the past.
FORMS = {
    "au-tfn": ("au.tfn", "#########"),
    "be-rijksregister": ("be.nn", "050412#####"),
    "bg-egn": ("bg.egn", "790412####"),
    "br-cpf": ("br.cpf", "###########"),
    "ca-sin": ("ca.sin", "#########"),
    "ch-ahv": ("ch.ssn", "756##########"),
    "cl-rut": ("cl.rut", "########?"),
    "cn-resident": ("cn.ric", "11010519790412###?"),
    "cz-rodne-cislo": ("cz.rc", "790412####"),
    "de-steuer-id": ("de.idnr", "###########"),
    "do-cedula": ("do.cedula", "001########"),
    "ec-cedula": ("ec.ci", "171#######"),
    "ee-isikukood": ("ee.ik", "4790412####"),
    "es-dni": ("es.dni", "########@"),
    "fi-hetu": ("fi.hetu", "120479-###?"),
    "fr-nir": ("fr.nir", "2790475########"),
    "gb-nhs": ("gb.nhs", "##########"),
    "gr-amka": ("gr.amka", "120479#####"),
    "hr-oib": ("hr.oib", "###########"),
    "ie-pps": ("ie.pps", "#######@"),
    "il-teudat": ("il.idnr", "#########"),
    "in-aadhaar": ("in_.aadhaar", "############"),
    "is-kennitala": ("is_.kennitala", "120479###9"),
    "it-codice-fiscale": ("it.codicefiscale", "BNCLRA79D12F20#@"),
    "kr-rrn": ("kr.rrn", "790412200####"),
    "lt-asmens-kodas": ("lt.asmens", "4790412####"),
    "lv-personas-kods": ("lv.pvn", "1204791####"),
    "mx-curp": ("mx.curp", "BOXW790412HNERXN##"),
    "nl-bsn": ("nl.bsn", "#########"),
    "no-fodselsnummer": ("no.fodselsnummer", "12047922###"),
    "nz-ird": ("nz.ird", "#########"),
    "pl-pesel": ("pl.pesel", "790412#####"),
    "pt-nif": ("pt.nif", "2########"),
    "ro-cnp": ("ro.cnp", "279041212####"),
    "ru-inn": ("ru.inn", "############"),
    "se-personnummer": ("se.personnummer", "790412-####"),
    "si-emso": ("si.emso", "120497950####"),
    "th-pin": ("th.pin", "#############"),
    "tr-kimlik": ("tr.tckimlik", "###########"),
    "ua-rnokpp": ("ua.rntrc", "##########"),
    "us-ssn": ("us.ssn", "#########"),
    "za-id": ("za.idnr", "790412####0##"),
}
LETTERS = {
    "#": "0123456789",
    "@": "ABCDEFGHJKLMNPRSTUVWXYZ",
    "?": "0123456789ABCDEFHJKLMNPRSTUVWXYK",
}


@pytest.mark.parametrize("name", FORMS)
def test_as_python_stdnum(name: str) -> None:
    module, form = FORMS[name]
    theirs = importlib.import_module(f"stdnum.{module}").is_valid
    draw = random.Random(name)
    right = 0
    for _ in range(5000):
        number = "".join(draw.choice(LETTERS.get(char, char)) for char in form)
        compact = number.replace("-", "")
        if name == "cl-rut" and compact[-1] not in "0123456789K":
            continue
        if set(compact) & set("0123456789") == {"0"}:
            continue  # all zeros: our patterns or the list of stand-ins see to them
        right += theirs(number)
        assert CHECKS[name](compact) == theirs(number), "another answer than python-stdnum's"
    assert right


def test_every_rule_names_a_check_that_finds_and_refuses() -> None:
    names = {
        rule.id.partition("-")[2].removesuffix("-alone")
        for rule in load().rules
        if rule.judge == "national"
    }
    assert names <= set(CHECKS) and set(CHECKS) <= names
    assert len(names) >= 50


def test_examples_draw_right_numbers() -> None:
    number = valid("pl-pesel", "790412#####", "x")
    assert number.startswith("790412") and CHECKS["pl-pesel"](number)
    assert valid("pl-pesel", "790412#####", "x") == number


def test_a_list_of_numbers_is_told_by_one_that_has_a_name() -> None:
    numbers = [valid("nl-bsn", "2########", one) for one in "abc"]
    other = str(int(numbers[2]) + 1)
    text = f'BSN = "{numbers[0]}"\nGOOD = ["{numbers[1]}",\n  "{numbers[2]}"]\nBAD = ["{other}"]\n'
    alone = text.replace("BSN", "ROW")
    texts = pa.array([text, alone], pa.large_string())
    spans = find(texts, pa.array(["a.py", "b.py"]), Settings())
    assert [(span.file, text[span.start : span.end]) for span in spans] == [
        (0, number) for number in numbers
    ]
