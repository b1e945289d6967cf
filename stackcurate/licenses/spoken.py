"""What people mean by the names they write for licenses: "Apache 2.0", "BSD", "GPLv3+".

Such words become SPDX ids through the known texts; what stays unclear is no statement.
"""

from __future__ import annotations

import re

from stackcurate.licenses import texts
from stackcurate.licenses import words as w
from stackcurate.licenses.expression import combine, known, normalize
from stackcurate.licenses.riders import RESTRICTED

UNKNOWN = "LicenseRef-scancode-unknown"  # a license is declared that cannot be read
# Values that declare nothing: they are empty, or point to a file that speaks for itself.
ELSEWHERE = re.compile(
    r"\s*(?:$|see\b|file:|unknown$|none$|noassertion$|n/?a$|todo|other$|custom$|license\b|copying\b|"
    r"dual license|[$@%{<]|(?-i:[A-Z]+(?:_[A-Z]+)+$))",  # the last ones are gaps of a template
    re.I,
)

# What trove classifiers say, where it is one license (PyPI's list of classifiers, "License ::").
TROVE = {
    "Academic Free License (AFL)": "AFL-3.0",
    "Apache Software License": "Apache-2.0",
    "Artistic License": "Artistic-2.0",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "BSD License": "BSD-3-Clause",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "CMU License (MIT-CMU)": "MIT-CMU",
    "Common Development and Distribution License 1.0 (CDDL-1.0)": "CDDL-1.0",
    "Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License (GPL)": "GPL-1.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-2.0-or-later",
    "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
    "Public Domain": "LicenseRef-scancode-public-domain",
    "Python Software Foundation License": "PSF-2.0",
    "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "University of Illinois/NCSA Open Source License": "NCSA",
    "W3C License": "W3C",
    "zlib/libpng License": "Zlib",
    "Zope Public License": "ZPL-2.1",
    "Aladdin Free Public License (AFPL)": "Aladdin",
    "Apple Public Source License": "APSL-2.0",
    "Attribution Assurance License": "AAL",
    "Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
    "CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
    "CeCILL-B Free Software License Agreement (CECILL-B)": "CECILL-B",
    "CeCILL-C Free Software License Agreement (CECILL-C)": "CECILL-C",
    "Common Public License": "CPL-1.0",
    "Eiffel Forum License": "EFL-2.0",
    "European Union Public Licence 1.0 (EUPL 1.0)": "EUPL-1.0",
    "Free For Educational Use": RESTRICTED,
    "Free For Home Use": RESTRICTED,
    "Free To Use But Restricted": RESTRICTED,
    "Free for non-commercial use": RESTRICTED,
    "GNU Free Documentation License (FDL)": "GFDL-1.1-or-later",
    "IBM Public License": "IPL-1.0",
    "MirOS License (MirOS)": "MirOS",
    "Nethack General Public License": "NGPL",
    "Nokia Open Source License (NOKOS)": "Nokia",
    "Open Software License 3.0 (OSL-3.0)": "OSL-3.0",
    "Other/Proprietary License": "LicenseRef-scancode-proprietary-license",
    "PostgreSQL License": "PostgreSQL",
    "Python License (CNRI Python License)": "CNRI-Python",
    "Qt Public License (QPL)": "QPL-1.0",
    "Sleepycat License": "Sleepycat",
    "Sun Industry Standards Source License (SISSL)": "SISSL",
    "Sun Public License": "SPL-1.0",
    "Vovida Software License 1.0": "VSL-1.0",
    "X.Net License": "Xnet",
    "Zero-Clause BSD (0BSD)": "0BSD",
}
# Declared names that no known text settles, in lower case.
_SPOKEN = {
    "apache": "Apache-2.0", "apache2": "Apache-2.0", "apache-2": "Apache-2.0", "asl2": "Apache-2.0",
    "asl 2.0": "Apache-2.0", "al2": "Apache-2.0", "bsd": "BSD-3-Clause", "new bsd": "BSD-3-Clause",
    "bsd-3": "BSD-3-Clause", "bsd3": "BSD-3-Clause", "3-clause bsd": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause", "bsd-2": "BSD-2-Clause", "bsd2": "BSD-2-Clause",
    "2-clause bsd": "BSD-2-Clause", "simplified bsd": "BSD-2-Clause", "bsd_3_clause": "BSD-3-Clause",  # noqa: E501
    "bsd_2_clause": "BSD-2-Clause", "expat": "MIT", "mit/x11": "MIT", "mit/expat": "MIT",
    "gpl": "GPL-1.0-or-later", "gplv2": "GPL-2.0-only", "gpl2": "GPL-2.0-only", "gpl-2": "GPL-2.0-only",  # noqa: E501
    "gplv3": "GPL-3.0-only", "gpl3": "GPL-3.0-only", "gpl-3": "GPL-3.0-only",
    "gplv2+": "GPL-2.0-or-later", "gplv3+": "GPL-3.0-or-later", "gpl-2+": "GPL-2.0-or-later",
    "gpl-3+": "GPL-3.0-or-later", "gpl-1+": "GPL-1.0-or-later", "lgpl": "LGPL-2.0-or-later",
    "lgplv3": "LGPL-3.0-only", "lgpl-3": "LGPL-3.0-only", "lgpl-3+": "LGPL-3.0-or-later",
    "lgpl-2.1+": "LGPL-2.1-or-later", "lgplv2.1": "LGPL-2.1-only", "lgpl-2+": "LGPL-2.0-or-later",
    "lgplv3+": "LGPL-3.0-or-later", "lgplv2+": "LGPL-2.0-or-later", "agplv3": "AGPL-3.0-only",
    "agpl-3": "AGPL-3.0-only", "agpl-3+": "AGPL-3.0-or-later", "agpl": "AGPL-3.0-or-later",
    "mpl": "MPL-2.0", "mpl2": "MPL-2.0", "mplv2": "MPL-2.0", "psf": "PSF-2.0", "perl": "Artistic-1.0-Perl OR GPL-1.0-or-later",  # noqa: E501
    "perl_5": "Artistic-1.0-Perl OR GPL-1.0-or-later", "apache_2_0": "Apache-2.0",
    "gpl_1": "GPL-1.0-only", "gpl_2": "GPL-2.0-only", "gpl_3": "GPL-3.0-only", "lgpl_2_1": "LGPL-2.1-only",  # noqa: E501
    "lgpl_3_0": "LGPL-3.0-only", "artistic_2": "Artistic-2.0", "artistic_1": "Artistic-1.0",
    "mozilla_1_1": "MPL-1.1", "agpl_3": "AGPL-3.0-only", "artistic": "Artistic-1.0-Perl",
    "cecill": "CECILL-2.1", "eupl": "EUPL-1.2", "eupl v1.2": "EUPL-1.2", "eupl 1.2": "EUPL-1.2",
    "publicdomain": "LicenseRef-scancode-public-domain",
    "allrightsreserved": "LicenseRef-scancode-proprietary-license",
    "public domain": "LicenseRef-scancode-public-domain",
    "public-domain": "LicenseRef-scancode-public-domain", "pd": "LicenseRef-scancode-public-domain",
    "proprietary": "LicenseRef-scancode-proprietary-license",
    "unlicensed": "LicenseRef-scancode-proprietary-license",
    "all rights reserved": "LicenseRef-scancode-proprietary-license",
    "commercial": "LicenseRef-scancode-commercial-license",
}  # fmt: skip


def spoken(text: str) -> str | None:
    """The SPDX expression that people mean by a declared ``text``, or None."""
    text = " ".join(text.split())
    if len(text) > 2000 or ELSEWHERE.match(text):
        return None
    direct = _SPOKEN.get(text.lower())
    if direct is not None:
        return direct
    expression = normalize(text)
    if expression is not None and known(expression):
        return expression
    short = re.sub(r"(?i)^the | licen[cs]es?$|, see .*$", "", text).strip()
    direct = _SPOKEN.get(short.lower())
    if direct is not None:
        return direct
    index = texts.load()
    for said in (text, f"license: {text}", f"{text} license"):
        match = texts.whole(index, w.words(said.encode("utf-8", "replace")))
        if match is not None and match.expression and known(match.expression):
            return match.expression
    # Cargo's slash and "MIT, Apache-2.0" offer and list; both sides must be known to believe it.
    for sign, word in (("/", "OR"), ("|", "OR"), (" or ", "OR"), (" and ", "AND"), (",", "AND")):
        parts = [part.strip() for part in re.split(re.escape(sign), text, flags=re.I)]
        if 1 < len(parts) <= 8 and all(parts):
            sides = [spoken(part) for part in parts]
            if all(sides):
                return combine([side for side in sides if side], word)
    return None
