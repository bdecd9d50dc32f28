"""In which words the courier and the agent's function tell people things."""

import json

import pytest

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.transitions import Operation
from doorcode.pairing.wording import shipped
from tests.behind.harness import Behind
from tests.edge.harness import PREFIX
from tests.edge.test_words import speaking
from tests.webhooks import HELLO, STRANGER, load

# Where the platform tells the language somehow.
TELLING = pytest.mark.parametrize("platform", [one for one in Platform if one is not Platform.WHATSAPP])


def says(behind: Behind, platform: Platform, language: str) -> None:
    """Have the platform say that the stranger uses that language: with each message, or when it is asked."""
    if platform is Platform.SLACK:
        behind.stand_ins[platform].users[STRANGER[platform]].locale = language  # type: ignore[attr-defined]
    behind.deliver(speaking(load(HELLO[platform]), language))


@TELLING
def test_what_became_of_a_request_is_told_in_their_language(behind: Behind, platform: Platform) -> None:
    """The receipt, the code where no owner is reached, the approval and the refusal; Slack is asked once, with the name."""
    german = shipped("de")
    says(behind, platform, "de-AT")
    behind.settle()
    assert behind.heard(platform) == [german["request_sent"]]
    assert behind.edge.contact(platform).language == "de-at"
    assert len(behind.stand_ins[platform].named("users.info")) == (platform is Platform.SLACK)
    behind.decide(Operation.DENY, platform)
    behind.settle()
    assert behind.heard(platform)[-1] == german["declined"]
    behind.decide(Operation.ADD, platform)
    behind.settle()
    write = german["write_with"].replace("{command}", "/chat") if platform is Platform.DISCORD else german["write"]
    assert behind.heard(platform)[-1] == f"{german['approved']} {write}"


@TELLING
def test_the_code_is_told_in_their_language(behind: Behind, platform: Platform) -> None:
    """Where nobody can be asked with buttons."""
    behind.cold(OWNER_USER_IDS="")
    says(behind, platform, "fr")
    behind.settle()
    code = behind.edge.code(behind.edge.contact(platform))
    told = shipped("fr")["code"].replace("{code}", code).replace("{platform}", platform)
    assert set(behind.heard(platform)) == {told}


def test_the_owner_s_own_words(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """The courier says them as the edge does; what is broken costs one line of its log, and nobody an answer."""
    texts = {"declined": {"*": "Not today.", "de": "Heute nicht."}}
    behind.edge.ssm.put_parameter(Name=f"{PREFIX}/texts", Value=json.dumps(texts), Type="String")
    behind.hello(Platform.TELEGRAM)
    says(behind, Platform.SLACK, "de-DE")
    behind.settle()
    for platform in (Platform.TELEGRAM, Platform.SLACK):
        behind.decide(Operation.DENY, platform)
    behind.settle()
    assert behind.heard(Platform.TELEGRAM)[-1] == "Not today."
    assert behind.heard(Platform.SLACK)[-1] == "Heute nicht."
    behind.edge.ssm.put_parameter(Name=f"{PREFIX}/texts", Value="[", Type="String", Overwrite=True)
    behind.cold()
    caplog.clear()
    for platform in (Platform.TELEGRAM, Platform.SLACK):
        behind.decide(Operation.ADD, platform)
    behind.settle()
    assert "approved" in behind.heard(Platform.TELEGRAM)[-1]
    assert [getattr(line, "reason", "") for line in caplog.records].count("texts_unusable") == 1


def test_an_agent_that_fails_is_excused_in_their_language(behind: Behind) -> None:
    """What the agent's function says itself, where there is no answer to give."""
    behind.edge.put(Contact(platform=Platform.TELEGRAM, user_id=STRANGER[Platform.TELEGRAM], state=State.PAIRED, rev=1))
    says(behind, Platform.TELEGRAM, "ru")
    behind.agent._responders = lambda _: lambda _: ("I can only read text so far.",)
    behind.answer()
    assert behind.heard(Platform.TELEGRAM) == [shipped("ru")["only_text"]]
