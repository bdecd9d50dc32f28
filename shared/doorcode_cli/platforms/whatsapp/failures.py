"""Why Meta does not deliver what it took, by its codes, and what mends it.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from doorcode_cli.platforms.port import Failure
from doorcode_cli.platforms.whatsapp.checks import MANAGER
from doorcode_cli.platforms.whatsapp.commands import CREATE

PACING = "nothing: it passes; fewer messages at once, or a higher limit in the WhatsApp Manager"
TEMPLATE = "doorcode whatsapp template status"

FAILURES: Mapping[str, Failure] = MappingProxyType(
    {
        "131047": Failure(
            said="they had not written to the number for 24 hours",
            for_owners=f"{CREATE}, unless there is one; or have them write anything to the number, or be an owner elsewhere, too",
        ),
        "131026": Failure(
            said="WhatsApp cannot deliver it to them: no account, an app that is too old, or they have blocked the number",
            for_owners="have them update WhatsApp and write to the number, or an owner on another platform, too",
        ),
        "131030": Failure(
            said="a test number writes to five confirmed phones alone",
            mends=f"confirm that phone, or use a number of your own: {MANAGER}",
        ),
        "131049": Failure(said="Meta delivers no more of that kind to them today", for_owners="an owner on another platform, too"),
        "131050": Failure(said="they take no messages of that kind", for_owners="an owner on another platform, too"),
        "131062": Failure(said="messages of that kind cannot be sent by Meta's id", mends=f"a utility template: {TEMPLATE}"),
        "131042": Failure(
            said="the account has no way to pay, or it was refused", mends=f"Payment settings in {MANAGER}", stops_all=True
        ),
        "131031": Failure(said="Meta has locked the account", mends=f"Account quality in {MANAGER}", stops_all=True),
        "368": Failure(
            said="Meta has restricted the account for its policies", mends=f"Account quality in {MANAGER}", stops_all=True
        ),
        "131048": Failure(
            said="Meta takes the number's messages for spam", mends=f"the number's quality in {MANAGER}", stops_all=True
        ),
        "131064": Failure(said="Meta has restricted the account's templates", mends=f"see the templates in {MANAGER}"),
        "133010": Failure(said="the number is not registered", mends=f"register it in {MANAGER}", stops_all=True),
        "132001": Failure(said="there is no such template in that language", mends=CREATE),
        "132015": Failure(said="the template is paused for its quality", mends=TEMPLATE),
        "132016": Failure(said="the template is disabled for its quality", mends=CREATE),
        "131056": Failure(said="too many messages to one person in too short a time", mends=PACING),
        "130429": Failure(said="too many messages at once from the number", mends=PACING),
        "80007": Failure(said="too many calls for the account", mends=PACING),
        "131016": Failure(said="a service of Meta's did not answer", mends="nothing: it passes"),
        "131000": Failure(said="Meta does not know why", mends="nothing, if it passes; else Meta's support"),
        "131057": Failure(said="the account was under maintenance", mends="nothing: it passes"),
    }
)  # fmt: skip
