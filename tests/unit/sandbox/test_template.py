"""The settings of the template, read without a parser for YAML."""

from doorcode.pairing.settings import parse_settings
from doorcode_cli.checkout import Checkout
from doorcode_cli.template import settings
from tests.infra.template import template

TEXT = Checkout().template.read_text(encoding="utf-8")


def test_they_are_what_the_template_says() -> None:
    """Name by name and default by default, as a parser reads them; the functions start with all of them."""
    read = settings(TEXT)
    parameters = template()["Parameters"]
    passed_on = {
        name: value["Ref"]
        for properties in (
            template()["Globals"]["Function"],
            *(resource.get("Properties", {}) for resource in template()["Resources"].values()),
        )
        for name, value in properties.get("Environment", {}).get("Variables", {}).items()
        if isinstance(value, dict) and value.get("Ref") in parameters
    }
    assert {name: setting.parameter for name, setting in read.items()} == passed_on
    assert {setting.parameter: setting.default for setting in read.values()} == {
        name: str(parameters[name]["Default"]) for name in passed_on.values()
    }
    parse_settings({name: setting.default for name, setting in read.items()})
