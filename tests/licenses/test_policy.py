import hashlib
import pickle
from importlib.metadata import version
from importlib.resources import files

import pytest

from stackcurate.errors import ConfigError
from stackcurate.licenses.policy import CLASSES, LicenseSettings, table


def test_table_is_of_the_installed_scancode():
    assert table().sources["scancode-toolkit"] == version("scancode-toolkit")
    assert len({row.id for row in table().licenses.values()}) > 2000
    data = (files("stackcurate") / "tables" / "licenses.json").read_bytes()
    assert table().digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("name", "class_"),
    [("MIT", "permissive"), ("Unlicense", "public_domain"), ("MPL-2.0", "weak_copyleft"),
     ("GPL-3.0-only", "copyleft"), ("AGPL-3.0-or-later", "network_copyleft"),
     ("BUSL-1.1", "source_available"), ("SSPL-1.0", "source_available"),
     ("LicenseRef-scancode-proprietary-license", "proprietary"),
     ("LicenseRef-scancode-unknown", "unknown")],
)  # fmt: skip
def test_classes(name, class_):
    found = table().find(name)
    assert found is not None and found.license_class == class_


def test_spdx_ids_come_before_keys_that_are_spelt_alike():
    assert table().find("BSL-1.0").id == "BSL-1.0"
    assert table().find("LicenseRef-scancode-bsl-1.0").id == "LicenseRef-scancode-bsl-1.0"


def test_every_class_is_one_of_the_house():
    assert {row.license_class for row in table().licenses.values()} <= set(CLASSES)


def test_settings_are_checked():
    assert LicenseSettings().allowed == {"permissive", "public_domain"}
    assert LicenseSettings(allow=("weak_copyleft",)).allowed == {"weak_copyleft"}
    for wrong in ({"look_inside": "all"}, {"policy": "nice"}, {"allow": ("nice",)},
                  {"overrides": {"MIT": "nice"}}):  # fmt: skip
        with pytest.raises(ConfigError):
            LicenseSettings(**wrong)


def test_settings_have_a_digest_and_pickle():
    one = LicenseSettings(allow=("permissive",), overrides={"JSON": "permissive"})
    assert pickle.loads(pickle.dumps(one)).digest() == one.digest()
    assert one.digest() != LicenseSettings(allow=("permissive",)).digest()
