"""The checks of ``doorcode doctor``. Each looks at one thing and returns what it found; none stops another."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from doorcode.aws.items import seat_from_item, seats_pk
from doorcode.aws.provisioning import MADE_HERE
from doorcode.errors import SettingsError
from doorcode.pairing.agents import WEBHOOK_SECRET
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import same
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET
from doorcode.pairing.seats import SEAT_NAMES
from doorcode.pairing.settings import NOBODY, NOBODY_ASKED, NOBODY_KNOWS, Policy, Settings, parse_settings
from doorcode_cli.deployment import ANY_EDGE, EDGES
from doorcode_cli.examination import Examination, Finding, ok, warn, wrong
from doorcode_cli.exit_codes import CommandError
from doorcode_cli.known_secrets import FORMS
from doorcode_cli.own_texts import StoredTexts, problems, read
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.secret_forms import Form, doubt, lines, problem, values_of
from doorcode_cli.shown import counted, duration

# Signed requests to AWS fail at five minutes.
CLOCK_WARN, CLOCK_WRONG = 30, 240
NEARLY_FULL = 0.8
# An old secret that is accepted for longer than this was probably forgotten.
FORGOTTEN_SECONDS = 7 * 86_400
DEPLOY = "make deploy"
QUEUES = {"AgentDeadLetters": "agent", "EffectsDeadLetters": "courier"}
# For what is the same on all of them.
SOME_PLATFORM = next(iter(PLATFORMS))


def stack(examined: Examination) -> Iterator[Finding]:
    """Look whether the stack is there and at rest."""
    name, state = examined.deployment.target.stack, str(examined.deployment.stack["StackStatus"])
    text = f"{name} is {state}"
    if state.endswith("_IN_PROGRESS"):
        yield warn("stack", f"{text}: what follows may change yet", "doorcode doctor")
    elif "FAILED" in state or "ROLLBACK" in state or state.startswith("DELETE"):
        yield wrong("stack", f"{text}: the last deployment did not succeed", DEPLOY)
    else:
        yield ok("stack", text)


def clock(examined: Examination) -> Iterator[Finding]:
    """Compare this machine's clock with that of AWS."""
    said = examined.deployment.described.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        skew = abs(examined.now - parsedate_to_datetime(said).timestamp())
    except ValueError:
        yield ok("clock", "AWS did not say what time it is")
        return
    text = f"this machine's clock is {duration(skew)} from AWS's"
    if skew > CLOCK_WRONG:
        yield wrong("clock", text, "set the clock of this machine")
    elif skew > CLOCK_WARN:
        yield warn("clock", text, "set the clock of this machine")
    else:
        yield ok("clock", text)


def functions(examined: Examination) -> Iterator[Finding]:
    """Look whether every function is there and ready."""
    found = examined.deployment.functions
    expected = [*EDGES.values(), "RelayFunction", "CourierFunction", "AgentFunction", "AdminFunction"]
    missing = [name for name in expected if name not in found]
    if missing:
        yield wrong("functions", f"missing: {', '.join(missing)}", DEPLOY)
    bad = 0
    for name, physical in sorted(found.items()):
        answer = examined.deployment.client("lambda").get_function_configuration(FunctionName=physical)
        states = {answer.get("State", "Active"), answer.get("LastUpdateStatus", "Successful")}
        # Inactive ones have not been called for weeks, and wake up by themselves.
        if not states <= {"Active", "Inactive", "Successful"}:
            bad += 1
            yield wrong("functions", f"{name} is {', '.join(sorted(states))}", DEPLOY)
    if not missing and not bad:
        yield ok("functions", f"{counted(len(found), 'function')} ready")


def secrets(examined: Examination) -> Iterator[Finding]:
    """Look whether every secret that is needed is there, can be read, and is no placeholder."""
    kept = examined.secrets
    for name in MADE_HERE:
        if name not in kept or not lines(kept[name].value):
            # The agent's own is that of one kind, which is looked at with it.
            without = "everything is refused" if name != WEBHOOK_SECRET else "no agent could be posted to"
            yield wrong("secrets", f"{name} is missing: {without}", f"{DEPLOY}, or doorcode secrets set {name}")
    used = [platform for platform in PLATFORMS if _uses(examined, platform)]
    if not used:
        yield wrong("secrets", "no platform is set up", PLATFORMS[SOME_PLATFORM].api.token.sets)
    for platform, parts in PLATFORMS.items():
        if platform not in used:
            yield ok("secrets", f"{platform.brand} is not in use", parts.api.token.sets)
        for name in parts.needed if platform in used else ():
            if name not in kept or not kept[name].value.strip():
                yield wrong("secrets", f"{name} is missing", FORMS[name].sets)
    for name in kept:
        yield from _form(examined, FORMS[name])
    yield from _shared(examined)


def _uses(examined: Examination, platform: Platform) -> bool:
    """Tell whether a platform is being set up, or is: one of its secrets is there."""
    return any(name in examined.secrets for name in PLATFORMS[platform].needed)


def _form(examined: Examination, form: Form) -> Iterator[Finding]:
    kept = examined.secrets[form.name]
    values = values_of(form, kept.value)
    found = next(filter(None, (problem(form, value) for value in values)), "")
    if found:
        yield wrong("secrets", found, form.sets)
    elif values:
        doubted = next(filter(None, (doubt(form, value) for value in values)), "")
        if doubted:
            yield warn("secrets", doubted, form.sets)
        if form.ring and len(values) > 1 and examined.now - kept.modified > FORGOTTEN_SECONDS:
            text = f"{form.name} goes on accepting {counted(len(values) - 1, 'old secret')}"
            yield warn(
                "secrets",
                text,
                f"doorcode secrets rotate {form.name} --drop" if form.name in MADE_HERE else form.sets,
            )
        if not doubted:
            yield ok("secrets", f"{form.name} is set")


def _shared(examined: Examination) -> Iterator[Finding]:
    rings = [
        lines(examined.secrets[name].value) for name in (GATEWAY_SECRET, CALLBACK_SECRET) if name in examined.secrets
    ]
    if len(rings) > 1 and any(same(left.encode(), right.encode()) for left in rings[0] for right in rings[1]):
        yield wrong(
            "secrets", "gateway-secret and callback-secret are the same", "doorcode secrets rotate, then with --drop"
        )


def policy(examined: Examination) -> Iterator[Finding]:
    """Look whether the settings can be used, and are probably meant."""
    try:
        settings = examined.settings
    except SettingsError as error:
        for line in error.problems:
            yield wrong("policy", line, DEPLOY)
        return
    yield ok("policy", settings.summary())
    # What they say of a stack that nobody owns is not so where somebody is an owner by claim.
    owned = bool(examined.owners)
    for line in settings.warnings():
        if owned and line in {NOBODY, NOBODY_ASKED, NOBODY_KNOWS}:
            continue
        # Here it can be seen whether that is so.
        yield _nobody(examined) if line == NOBODY else warn("policy", line, _policy_remedy(line))
    for platform in Platform:
        if _uses(examined, platform) and not any(where is platform for where, _ in examined.owners):
            who = (
                "strangers are dropped there"
                if settings.policy(platform) is Policy.DENY
                else "whoever is asked on another platform approves"
                if owned
                else "codes have to be approved by command"
            )
            yield ok("policy", f"no owner on {platform}: {who}", f"doorcode owner claim {platform}")
        if settings.is_silent(platform) and settings.policy(platform) is Policy.PAIR:
            yield ok("policy", f"strangers on {platform} are told nothing: their requests wait unsaid")
    others = {name: _gate(examined, name) for name in EDGES.values()}
    different = [name for name, found in others.items() if found != others[ANY_EDGE]]
    if different:
        yield wrong("policy", f"{', '.join(different)} runs with other settings than {ANY_EDGE}", DEPLOY)


def _nobody(examined: Examination) -> Finding:
    text = "the policy is deny, nobody is an owner and nobody is in AllowedUsers"
    if examined.someone_is_paired:
        return ok("policy", f"{text}: nobody gets in but who is paired by command", "doorcode pairing add PLATFORM ID")
    # To whoever has just deployed, the bot looks broken.
    remedy = f"UnknownUserPolicy=pair, with {DEPLOY}, and doorcode owner claim; or doorcode pairing add PLATFORM ID"
    return warn("policy", f"nobody can get in: {text}, and nobody is paired", remedy)


def _gate(examined: Examination, function: str) -> Settings:
    keep = ("UNKNOWN_USER_POLICY", "UNKNOWN_REPLY", "ALLOWED_USERS", "OWNER_USER_IDS", "GROUP_POLICY", "ALLOWED_GROUPS")
    environment = examined.deployment.environment(function)
    return parse_settings({name: environment.get(name, "") for name in keep})


def _policy_remedy(line: str) -> str:
    if "OWNER_USER_IDS" in line:
        return "doorcode owner claim"
    if "ALLOWED_GROUPS" in line:
        return f"AllowedGroups={SOME_PLATFORM}:GROUP, with {DEPLOY}"
    if "ALLOWED_USERS" in line:
        return f"AllowedUsers={SOME_PLATFORM}:ID, with {DEPLOY}"
    return f"UnknownUserPolicy=pair, with {DEPLOY}"


def own_texts(examined: Examination) -> Iterator[Finding]:
    """Look whether what the owner has set can be said."""
    # Where those cannot be read, this cannot either, and is not asked for.
    _ = examined.secrets
    stored = StoredTexts(examined.deployment)
    if not stored.value:
        yield ok("texts", "people are told what ships")
        return
    try:
        own = read(stored.value)
    except CommandError:
        yield wrong(
            "texts", "the parameter is of no known form: people are told what ships", "doorcode texts reset --all"
        )
        return
    for key, why in problems(own):
        yield warn("texts", why, f"doorcode texts set {key}, or doorcode texts reset {key}")
    yield ok("texts", f"{counted(len(own), 'text')} of the owner's own", "doorcode texts list")


def dead_letters(examined: Examination) -> Iterator[Finding]:
    """Look whether anything was given up on."""
    client = examined.deployment.client("sqs")
    clean = True
    for queue, function in QUEUES.items():
        url = examined.deployment.physical(queue)
        names = ["ApproximateNumberOfMessages"]
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        many = int(answer["ApproximateNumberOfMessages"])
        if many:
            clean = False
            yield wrong(
                "dead letters",
                f"{counted(many, 'message')} in {queue}: the log of the {function} tells why",
                "doorcode parked list, and once the cause is gone: doorcode parked resend --all",
            )
    if clean:
        yield ok("dead letters", "none")


def seats(examined: Examination) -> Iterator[Finding]:
    """Count the seats that are taken in the waiting rooms."""
    deployment = examined.deployment
    most = examined.settings.max_pending
    taken = {}
    for platform in Platform:
        answer = deployment.client("dynamodb").query(
            TableName=deployment.output("TableName"),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": seats_pk(platform)}},
            ConsistentRead=True,
        )
        held = [seat_from_item(item) for item in answer["Items"] if item["sk"]["S"] in SEAT_NAMES]
        taken[platform] = sum(not seat.freed_at and examined.now < seat.expires_at for seat in held)
    for platform, many in taken.items():
        see = f"doorcode pairing list --pending --platform {platform}"
        if many >= most:
            yield wrong("seats", f"the waiting room on {platform} is full: {counted(many, 'request')}", see)
        elif many >= most * NEARLY_FULL:
            yield warn("seats", f"the waiting room on {platform} is nearly full: {many} of {most} seats", see)
    said = ", ".join(f"{platform} {many}" for platform, many in taken.items())
    yield ok("seats", f"taken, of {most}: {said}")
