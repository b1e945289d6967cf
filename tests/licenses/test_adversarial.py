"""Known texts, and what takes a part of them back; whole texts that sound open; and open ones.

Each was judged before it was read. Restrictions by purpose, person, place, price, time and taste,
in many languages and in other dress; none may come out permissive.
"""

import re

import pytest

from stackcurate.licenses.alone import scan_records
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.policy import OPEN
from tests.licenses.conftest import NoJudge, body

OWNER = "Copyright (c) 2021 Nordlicht Systems\n\n"


def classes(texts, path="LICENSE"):
    records = ({"id": n, "path": path, "text": text} for n, text in enumerate(texts))
    found = scan_records(records, Cache(), NoJudge())
    return [(one["license_class"], one["license_expression"]) for one in found]


def changed(key, old, new):
    """A known text with some words changed, however it breaks its lines."""
    pattern = r"\s+".join(map(re.escape, old.split()))
    assert re.search(pattern, body(key)), old
    return OWNER + re.sub(pattern, lambda _: new, body(key))


CHANGED = [
    ("mit", "to deal", "to view"),
    ("mit", "any person obtaining", "any natural person (but no legal entity) obtaining"),
    ("mit", "any person obtaining", "any person resident in the European Economic Area obtaining"),
    ("mit", "any person obtaining", "any organization with little revenue obtaining"),
    ("mit", "any person obtaining", "any vegan person obtaining"),
    ("mit", "any person obtaining", "any nonprofit organization obtaining"),
    ("mit", "free of charge", "free of charge during an evaluation of 90 days"),
    ("mit", "free of charge, to any person", "free of charge, to any active Patreon supporter"),
    ("mit", "sublicense, and/or sell", "and/or sublicense"),
    ("mit", "without restriction", "for hobby projects without restriction"),
    ("mit", "Permission is hereby granted", "A revocable permission is hereby granted"),
    ("mit", "subject to the following", "subject to registration with us and the following"),
    ("bsd-new", "are permitted", "are permitted upon payment of a fee"),
    ("bsd-new", "are permitted", "are permitted outside of Cuba, Iran and North Korea"),
    ("bsd-simplified", "are permitted", "for non-profit purposes are permitted"),
    ("isc", "for any purpose", "for any domestic purpose"),
    ("isc", "for any purpose", "for any peaceful purpose"),
    ("zlib", "Permission is granted to anyone", "Permission is granted to enrolled students"),
    ("zlib", "including commercial applications", "excluding commercial applications"),
    ("boost-1.0", "to any person or organization", "to any academic person or organization"),
    ("apache-2.0", "perpetual, worldwide", "one-year, worldwide"),
    ("apache-2.0", "publicly display, publicly perform, sublicense, and distribute",
     "privately display"),
    ("unlicense", "Anyone is free to copy", "Anyone except the armed forces is free to copy"),
]  # fmt: skip


def test_changed_words():
    texts = [changed(*one) for one in CHANGED]
    lax = [one for one, said in zip(CHANGED, classes(texts), strict=True) if said[0] in OPEN]
    assert lax == []


ADDED = """
The Software must not become part of any corpus from which a neural network learns.
OpenAI, Anthropic, Google and Meta are excluded from this license.
Notwithstanding the above, you may not offer the Work as a hosted or managed service.
Products that compete with Nordlicht may not embed the Software.
Organizations whose yearly revenue exceeds $5,000,000 need to purchase a license.
None of the following organizations may make use of the Software: Atlantis Customs.
You must star the repository before using the Software.
The rights granted above expire on December 31, 2025.
Use of the Software in nuclear plants, weapons or surveillance is forbidden.
Cryptocurrency projects are not licensed to use any part of this code.
This grant does not extend to persons located in Atlantis.
If you want to use this at work you have to ask me first.
Reselling the Software, alone or bundled, is not allowed.
It is free for schools and students; everyone else must pay.
Nordlicht may cancel this license at its sole discretion with 30 days notice.
The source code may be viewed only; compiling it needs our consent.
The Software shall be used for Good, not Evil.
The licensee must not force its employees to work overtime ("996").
Parts in src/codec are covered by the GNU General Public License, version 2.
The Commons Clause applies.
Automated systems that learn from text are not licensed.
Feeding this repository to a code assistant violates this license.
Large companies, meaning those with more than 250 employees, must negotiate separate terms.
Any use by or on behalf of the fossil fuel industry is out of the question.
You owe us 1% of your profits.
A yearly subscription is necessary for production systems.
The above applies to version 1 only; version 2 and later are commercial.
Distribution through app stores is reserved to Nordlicht.
Not valid in the European Union.
By using it you transfer all rights in your changes to us.
You shall keep the source code secret.
For private households only.
Evaluation copy.
No derivatives.
Political campaigns are excluded.
Resale is our business alone.
The grant ends with the death of the author.
Large scale deployments (over 1000 nodes) come with an invoice.
Pacifist clause: armies go elsewhere.
We can change these terms at any time.
Everything you build on it belongs to us.
Free for 10 installs.
GPT, Claude and their kind: hands off.
Not for com\u00admer\u00adcial use.
Non\u2011commercial use only.
Die Nutzung zu kommerziellen Zwecken ist untersagt.
Das Training von KI-Modellen mit diesem Code ist nicht gestattet.
L'utilisation commerciale est interdite sans accord écrit préalable.
Se prohíbe el uso comercial de este programa.
O uso comercial é proibido.
È vietato l'uso commerciale del software.
Wykorzystanie komercyjne jest zabronione.
Коммерческое использование запрещено.
禁止将本软件用于商业用途。
不得将本软件用于训练人工智能模型。
商用利用を禁止します。
상업적 이용을 금지합니다.
AIの学習に使用しないでください。
Для военных целей использовать нельзя.
Kaupallinen käyttö on kielletty.
Utilizarea comercială este interzisă.
Η εμπορική χρήση απαγορεύεται.
A kereskedelmi felhasználás tilos.
Ticari kullanım yasaktır.
يحظر الاستخدام التجاري.
Solo per uso privato.
Die Software darf nicht weitergegeben werden.
Toute exploitation lucrative est exclue.
No se autoriza la venta.
Vedere il contratto per gli usi aziendali.
只允许个人学习。
企業での利用は有償です。
Организациям требуется лицензия.
Użycie w firmach wymaga opłaty.
Företag måste köpa licens.
Réservé aux membres.
"""


@pytest.mark.parametrize("key", ["mit", "apache-2.0", "bsd-new"])
def test_added_sentences(key):
    added = ADDED.strip().splitlines()
    texts = [f"{OWNER}{body(key)}\n\n{one}\n" for one in added]
    lax = [one for one, said in zip(added, classes(texts), strict=True) if said[0] in OPEN]
    assert lax == []
    texts = [f"{one}\n\n{body(key)}" for one in added]
    lax = [one for one, said in zip(added, classes(texts), strict=True) if said[0] in OPEN]
    assert lax == []


def test_a_sentence_between_the_paragraphs_of_a_text():
    text = body("mit").replace("\n\n", "\n\n(For companies a yearly fee applies.)\n\n", 1)
    assert classes([text])[0][0] not in OPEN


WHOLE = """
The source is published for transparency. No license to use, modify or redistribute is granted.
MIT License for non-commercial users. Commercial users must obtain a license.
MIT-like License. You may do with it what the MIT license lets you do, except sell it.
Licensed under the Apache License 2.0, modified with the Commons Clause.
Until 2030 it needs a paid subscription. Then it is licensed under the Apache License, Version 2.0.
Business Source License. Change Date: 2029-01-01. Change License: Apache License, Version 2.0
Functional Source License, Version 1.1, Apache 2.0 Future License
Permission to use this is granted to those who respect human rights; war revokes this permission.
Cette œuvre est sous licence Creative Commons Attribution - Pas d'Utilisation Commerciale 4.0
BSD License. Redistribution in source form is permitted for noncommercial use only.
MIT License. This is the property of Nordlicht. You may not copy, alter or pass it on.
Freeware. This program is free for personal use. Companies need a license.
The MIT license applies, unless you are Amazon.
All code here is MIT licensed for open source projects and requires a seat license elsewhere.
Licensed under the Fjord License, which is the Apache License 2.0 with a field-of-use restriction.
License: MIT (community edition), commercial (enterprise edition)
Code: MIT. Models: CC BY-NC 4.0.
Dual licensed: under the AGPL-3.0, and under a commercial license for everyone else.
"""


def test_whole_texts_that_sound_open():
    texts = WHOLE.strip().splitlines()
    lax = [one for one, said in zip(texts, classes(texts), strict=True) if said[0] in OPEN]
    assert lax == []


def opened():
    """Open texts in other dress: (text, expression)."""
    mit, bsd3, bsd2, isc = (body(key) for key in ("mit", "bsd-new", "bsd-simplified", "isc"))
    holder = "Nordlicht Systems GmbH"
    yield f"Copyright (c) 2012-2023 The Nordlicht Project (see AUTHORS.md)\n\n{mit}", "MIT"
    yield OWNER + mit.replace('"', "\u201c", 1).replace('"', "\u201d"), "MIT"
    yield OWNER + " ".join(mit.split()), "MIT"
    yield OWNER + "\n".join(f"> {line}" for line in mit.splitlines()), "MIT"
    yield f"MIT-Lizenz\n\nCopyright (c) 2019 Jürgen Groß\n\n{mit}", "MIT"
    yield f"Licence MIT\n\nDroit d'auteur (c) 2019 Amélie\n\n{mit}", "MIT"
    yield f"MIT 许可证\n\n版权所有 (c) 2019 李雷\n\n{mit}", "MIT"
    yield f"{OWNER}{mit}\n\nThanks to everyone who helped, and to Nordlicht for machines.\n", "MIT"
    yield (f"{OWNER}{mit}\n\nThe Nordlicht name and logo are trademarks and are not covered by "
           "this license.\n", "MIT")  # fmt: skip
    yield (
        OWNER + mit.replace("the Software", "the Library").replace('"Software"', '"Library"'),
        "MIT",
    )
    yield OWNER + mit.replace("furnished", "furnsihed").replace("merge", "mrege"), "MIT"
    yield OWNER + mit.replace("sublicense", "sub-license"), "MIT"
    yield OWNER + bsd3.replace("the copyright holder", holder), "BSD-3-Clause"
    yield OWNER + bsd2.replace("1.", "(a)").replace("2.", "(b)"), "BSD-2-Clause"
    yield OWNER + bsd2.replace("this software", "this theme"), "BSD-2-Clause"
    yield f"{OWNER}{isc.replace('THE AUTHOR', 'JOE & ANN LTD.')}", "ISC"
    yield (f"{OWNER}{mit}\n\nThe icons were drawn by Ann and are in the public domain.\n",
           "MIT AND LicenseRef-scancode-public-domain")  # fmt: skip
    yield f"Except where noted otherwise, files here are under this license:\n\n{mit}", "MIT"
    yield f"{OWNER}{mit}\n\nOriginally derived from Fjord by Ann; see AUTHORS for details.\n", "MIT"
    yield re.sub(r"\s+", "\n", mit), "MIT"
    yield f"{OWNER}{mit}\n\nvendored:\n\n{bsd3}", "MIT AND BSD-3-Clause"


def test_open_texts_stay_open():
    expected = list(opened())
    found = classes([text for text, _ in expected])
    assert [said for _, said in found] == [said for _, said in expected]


PLAIN_BESIDE = """
It also uses an alternate publicsuffix list provider package.
Constants used in the rk_double implementation by Isaku Wada.
End of terms and conditions.
Software written by Ian F. Darwin and others; maintained 1995-present by Christos Zoulas.
Code generated by the compiler is owned by the owner of the input file used when generating it.
Unless specified below, all files in the tz code and data are in the public domain.
The files in the folder third_party are covered by their own licenses.
"""


def test_what_people_write_beside_a_license_leaves_it_open():
    added = PLAIN_BESIDE.strip().splitlines()
    texts = [f"{OWNER}{body('mit')}\n\n{one}\n" for one in added]
    assert [
        one for one, said in zip(added, classes(texts), strict=True) if said[0] not in OPEN
    ] == []
