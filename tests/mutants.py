"""Breaks each promise of docs/threat-model.md on purpose, and sees a test go red: ``make mutants``, or some by number.

Each mutant is one change of the sources, made in a copy, and the tests that are to notice it. One that survives means a
promise without a test; one that no longer applies means that the source has moved on, and the mutant has to follow.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# Longer than any of these tests takes on a busy machine: what hangs has been noticed, too.
SECONDS = 300


class Mutant(NamedTuple):
    """A promise, by its number; the file below ``shared/``, what stands there and what it becomes; which tests to run."""

    promise: int
    file: str
    old: str
    new: str
    tests: str


MUTANTS = (
    Mutant(1, "doorcode/entrypoints/webhook.py", "return http.UNAVAILABLE", "return WebhookAnswer()", "tests/edge/test_trouble.py tests/edge/test_hostile.py"),
    Mutant(2, "doorcode/pairing/keyring.py", "hmac.compare_digest(hashlib.sha256(left).digest(), hashlib.sha256(right).digest())", "left == right", "tests/unit/pairing tests/unit/platforms"),
    Mutant(3, "doorcode/entrypoints/webhook.py", "if not self._verified(webhook, now):", "self._platform.parse(webhook, '')\n            if not self._verified(webhook, now):", "tests/edge/test_hostile.py"),
    Mutant(4, "doorcode/pairing/transitions.py", "if delivery_id in contact.former_deliveries.split():", "if False:", "tests/edge tests/unit/pairing"),
    Mutant(4, "doorcode/entrypoints/large_request.py", "min(before.done, len(parts))", "0", "tests/edge/test_large_request.py"),
    Mutant(4, "doorcode/entrypoints/large_request.py", "if self._tries < TRIES:", "if self._tries:", "tests/edge/test_large_request.py"),
    Mutant(5, "doorcode/pairing/settings.py", "return bool(user_id) and (platform, user_id) in self.owners", "return any(user_id in owner for _, owner in self.owners)", "tests/unit/pairing"),
    Mutant(6, "doorcode/pairing/settings.py", "return (platform, username.lower()) in self.allowed_usernames", "return username.lower() in {name for _, name in self.allowed_usernames}", "tests/unit/pairing"),
    Mutant(6, "doorcode/platforms/whatsapp/inbound.py", "    if len(ids) > 1:", "    if False:", "tests/unit/platforms/test_whatsapp.py"),
    Mutant(7, "doorcode/pairing/settings.py", "if (platform, user_id) in self.allowed:", "if user_id in {who for _, who in self.allowed}:", "tests/unit/pairing"),
    Mutant(8, "doorcode/aws/waiting_room.py", "return os.urandom(NONCE_BYTES).hex()", "return random.randbytes(NONCE_BYTES).hex()", "tests/unit/pairing/test_credentials.py"),
    Mutant(9, "doorcode/pairing/codes.py", 'f"{platform}|{user_id}|{nonce}"', 'f"{platform}|{nonce}"', "tests/unit/pairing"),
    Mutant(10, "doorcode/pairing/decisions.py", "        code = codes.normalise(order.code)\n        if actor.via", "        self._guesses.count(actor.via, actor.id, now)\n        code = codes.normalise(order.code)\n        if actor.via", "tests/unit/pairing tests/admin"),
    Mutant(11, "doorcode/pairing/decisions.py", "        if self._fits(contact, code, now):\n            return contact\n        other", "        if contact:\n            return contact\n        other", "tests/unit/pairing tests/admin"),
    Mutant(12, "doorcode/web/decisions.py", "raise UnknownCodeError(UNKNOWN_CODE) from None", "raise", "tests/web"),
    Mutant(13, "doorcode/aws/lockout.py", '"ConditionExpression": unchanged,', '"ConditionExpression": "attribute_exists(pk) OR attribute_not_exists(pk)",', "tests/contract/test_waiting_room.py tests/contract/test_races.py tests/admin/test_guessing.py"),
    Mutant(14, "doorcode/pairing/contact.py", "now >= self.code_expires_at", "now > self.code_expires_at", "tests/unit/pairing"),
    Mutant(15, "doorcode/pairing/decisions.py", "if (actor.platform, actor.id) == (order.platform, order.user_id):", "if False:", "tests/unit/pairing"),
    Mutant(16, "doorcode/pairing/callbacks.py", 'body = f"{PREFIX}:{callback.action}:{callback.platform}:{callback.user_id}:{callback.code}"\n    return f"{body}:{_signature(keyring.newest, body)}"', 'body = f"{PREFIX}:{callback.action}:{callback.platform}:{callback.user_id}:{callback.code}"\n    return f"{body}:{_signature(keyring.newest, callback.code)}"', "tests/unit/pairing/test_callbacks.py"),
    Mutant(17, "doorcode/aws/transaction_parts.py", 'return "#was_rev = :read_rev" if before.rev', 'return "#was_rev = #was_rev AND :read_rev = :read_rev" if before.rev', "tests/contract/test_races.py tests/contract/test_waiting_room.py"),
    Mutant(18, "doorcode/pairing/transitions.py", "Standing.NONE: (    _TAKE, Refusal.NOT_PENDING,", "Standing.NONE: (    _TAKE, Move(State.PAIRED, _UNTOUCHED),", "tests/unit/pairing"),
    Mutant(19, "doorcode/web/decisions.py", "contact = call.services().desk.decide(actor, order, call.now)", "from doorcode.pairing.transitions import Decision  # noqa: PLC0415\n    room = call.services().room\n    contact = room.move(room.get(order.platform, order.user_id), order.operation, call.now, Decision(by=actor.id, via=actor.via))", "tests/web/test_decisions.py tests/unit/pairing/test_one_way_to_decide.py"),
    Mutant(20, "doorcode/web/guard.py", "if needed and not set(needed) & set(principal.scopes):", "if False:", "tests/web"),
    Mutant(21, "doorcode/pairing/settings.py", "return bool(user_id) and (platform, user_id) in self.owners", "return bool(user_id) and (not self.owners or (platform, user_id) in self.owners)", "tests/unit/pairing"),
    Mutant(22, "doorcode/pairing/gate.py", "    if in_group:\n        return Verdict(GateAction.DROP, Reason.GROUP_UNKNOWN)\n", "", "tests/unit/pairing/test_gate.py"),
    Mutant(23, "doorcode/aws/table.py", "ConsistentRead=True", "ConsistentRead=False", "tests/contract tests/edge/test_conversations.py"),
    Mutant(23, "doorcode/pairing/transitions.py", "_OWN, _LET_IN, Refusal.NOT_OWNER, Refusal.NOT_PAIRED)", "_OWN, _LET_IN, Refusal.NOT_OWNER, _LET_IN)", "tests/web/test_decisions.py tests/unit/pairing"),
    Mutant(24, "doorcode/pairing/transitions.py", "Move(State.PAIRED, _FREE, _CLEAR), Move(State.DENIED, _FREE, _DOUBLE),\n", "Move(State.PAIRED, _FREE, _CLEAR), Move(State.PAIRED, _FREE, _DOUBLE),\n", "tests/unit/pairing"),
    Mutant(25, "doorcode/aws/transaction_parts.py", '"the cooldown is over": "attribute_not_exists(#was_next) OR #was_next <= :now",', '"the cooldown is over": "attribute_not_exists(#was_next) OR #was_next <= :now OR #was_next > :now",', "tests/contract/test_waiting_room.py"),
    Mutant(26, "doorcode/aws/waiting_room.py", "                return self._full(contact, now)\n", "                raise\n", "tests/contract/test_trouble.py tests/edge/test_trouble.py"),
    Mutant(26, "doorcode/aws/waiting_room.py", "self._settings.max_pending - (standing is Standing.PENDING)", "self._settings.max_pending + MAX_TRIES", "tests/contract/test_squatters.py"),
    Mutant(26, "doorcode/pairing/cooldown.py", "next_code_at=ended_at + min(2 * cooldown, LONGEST)", "next_code_at=contact.next_code_at", "tests/contract/test_squatters.py"),
    Mutant(27, "doorcode/pairing/consequences.py", "    if not new.reply:\n        return None\n", "", "tests/unit/pairing"),
    Mutant(28, "doorcode/pairing/names.py", "if category in UNSHOWABLE_CATEGORIES or character in INVISIBLE:", "if character in INVISIBLE:", "tests/unit/pairing"),
    Mutant(29, "doorcode/entrypoints/follow_up.py", "thread.join(TIMEOUT_SECONDS)", "thread.join()", "tests/edge/test_start.py"),
    Mutant(30, "doorcode/aws/secrets.py", "return None if self._texts.get(name) == before else self._found(name)", "return None", "tests/unit/aws/test_secrets.py"),
    Mutant(31, "doorcode/entrypoints/prompter.py", "self._secrets.keyring(CALLBACK_SECRET, now)", "self._secrets.keyring('gateway-secret', now)", "tests/behind/test_pairing.py"),
    Mutant(32, "doorcode/aws/waiting_room.py", "        return self._read(self._table, platform, user_id)\n", "        self._table.partition(contact_pk(platform, user_id))\n        return self._read(self._table, platform, user_id)\n", "tests/infra/test_least_privilege.py tests/edge/test_conversations.py"),
    Mutant(33, "doorcode/pairing/consequences.py", '"label": contact.label,', '"label": contact.label or contact.name,', "tests/behind/test_pairing.py tests/unit/pairing/test_consequences.py"),
    Mutant(33, "doorcode/aws/event_bus.py", 'if answer.get("FailedEntryCount"):', "if False:", "tests/behind/test_trouble.py"),
    Mutant(34, "doorcode/entrypoints/webhook.py", "        self._log(message, verdict)\n        return self._platform.dropped", "        return self._platform.dropped", "tests/edge"),
    Mutant(44, "doorcode/aws/transaction_parts.py", '"uses_left > :none"', '"uses_left >= :none"', "tests/contract/test_tickets.py"),
    Mutant(44, "doorcode/aws/waiting_room.py", '"lock": not_locked(contact.platform, contact.user_id, now)', "", "tests/contract/test_tickets.py"),
    Mutant(44, "doorcode/entrypoints/ticket_office.py", "        if had_its_effect(contact, message.delivery_id):\n", "        if False:\n", "tests/edge/test_tickets.py"),
    Mutant(46, "doorcode/entrypoints/courier.py", "        self._kept.forget(contact)\n", "", "tests/behind/test_first_message.py"),
    Mutant(46, "doorcode/entrypoints/courier.py", "is_in = present.standing(now) in {Standing.PAIRED, Standing.OWNER}", "is_in = True", "tests/behind/test_first_message.py"),
    Mutant(46, "doorcode/aws/kept_messages.py", "size(messages) < :most AND NOT ", "NOT ", "tests/behind/test_first_message.py"),
    Mutant(35, "doorcode/wiring/edge.py", "    log.info(settings.summary())\n", "", "tests/edge/test_start.py tests/edge/test_log.py"),
    Mutant(40, "doorcode/platforms/whatsapp/deeds.py", "or [] if _is_of(one, message)]", "or []]", "tests/unit/platforms/test_whatsapp.py"),
    Mutant(41, "doorcode/pairing/reply_address.py", "if raw[:1] != VERSION or _written(raw) != text:", "if raw[:1] != VERSION:", "tests/unit/pairing/test_reply_address.py"),
    Mutant(40, "doorcode/pairing/gate.py", "    if isinstance(event, Ignored) or not event.user_id:\n", "    if isinstance(event, Ignored):\n", "tests/unit/pairing/test_gate.py"),
    Mutant(40, "doorcode/platforms/telegram/deeds.py", "if len(kinds) != 1 or kinds[0] not in KINDS:", "if not kinds or kinds[0] not in KINDS:", "tests/unit/platforms/test_deeds.py"),
    Mutant(40, "doorcode/platforms/slack/deeds.py", "people.pop() if len(people) == 1 else", "people.pop() if people else", "tests/unit/platforms/test_deeds.py"),
    Mutant(40, "doorcode/platforms/discord/deeds.py", "people[0].id if len(people) == 1 else", "people[0].id if people else", "tests/unit/platforms/test_deeds.py"),
    Mutant(40, "doorcode/entrypoints/bot_door.py", "return callbacks.is_ours(event.data) or", "return not event.data or", "tests/edge/test_bot.py"),
    Mutant(40, "doorcode/entrypoints/bot_proxy.py", 'name.replace("_", "-").startswith(OF_OURS)', "name.startswith(OF_OURS)", "tests/edge/test_bot.py"),
    Mutant(40, "doorcode/entrypoints/bot_proxy.py", "if not (comes_again and error.kept) or _is_late(error):", "if not error.kept:", "tests/edge/test_bot.py"),
    Mutant(41, "doorcode/entrypoints/answers.py", "if SENT in noted:", "if False:", "tests/behind/test_answers.py"),
    Mutant(41, "doorcode/platforms/discord/sender.py", "if not number and not self._further:", "if not number:", "tests/behind/test_answers.py"),
    Mutant(43, "doorcode/entrypoints/gate_door.py", "            if verdict.action is GateAction.ADMIT:", "            if verdict.action is not GateAction.DROP:", "tests/behind/test_gate_api.py"),
    Mutant(43, "doorcode/web/gate.py", "access=Access.PRESSES,", "access=Access.GATE,", "tests/behind/test_gate_api.py"),
    Mutant(43, "doorcode/web/gate.py", "user_id = checked_user_id(body.platform, body.user_id)", "user_id = body.user_id", "tests/behind/test_gate_api.py"),
    Mutant(47, "doorcode/asking/moves.py", "_CANCELLED, _NOT_OVERDUE, _NOT_APPROVED, _NOT_OVERDUE),\n    _APPROVED", "_CANCELLED, _NOT_OVERDUE, _USED, _NOT_OVERDUE),\n    _APPROVED", "tests/unit/asking/test_question_moves.py"),
    Mutant(47, "doorcode/asking/question.py", "now >= self.expires_at", "now > self.expires_at", "tests/unit/asking/test_question_moves.py"),
    Mutant(47, "doorcode/aws/question_parts.py", '"#was_rev = :read_rev"', '"#was_rev = #was_rev AND :read_rev = :read_rev"', "tests/contract/test_question_races.py"),
    Mutant(47, "doorcode/aws/question_store.py", 'mine = key or f"~{uuid.uuid4().hex}"', "mine = key", "tests/contract/test_questions.py"),
    Mutant(48, "doorcode/asking/moves.py", "    if digest != question.digest:\n        raise QuestionRefusedError(AskRefusal.DIGEST_MISMATCH)\n    if question.state is", "    if question.state is", "tests/unit/asking/test_question_moves.py"),
    Mutant(48, "doorcode/asking/visible.py", "            category in UNSHOWABLE_CATEGORIES\n            or character", "            character", "tests/unit/asking/test_question_words.py"),
    Mutant(49, "doorcode/asking/moves.py", "if voter.caller and voter.caller == question.asker:", "if False:", "tests/unit/asking/test_question_moves.py"),
    Mutant(49, "doorcode/asking/moves.py", "if not one.account or is_owner(one.account)", "if one", "tests/unit/asking/test_question_moves.py"),
    Mutant(49, "doorcode/aws/question_store.py", " | parts.still_owners(sorted(counted))", "", "tests/contract/test_questions.py"),
    Mutant(49, "doorcode/wiring/admin.py", 'len(arn.split(":")) > ARN_PARTS', "False", "tests/admin/test_questions.py"),
    Mutant(48, "doorcode/asking/cards.py", "    if not whole:\n", "    if words is None:\n", "tests/unit/platforms/test_questions.py"),
    Mutant(48, "doorcode/platforms/discord/asking.py", "return text.replace(*APART).replace(*APART)", "return text", "tests/unit/platforms/test_questions.py"),
    Mutant(48, "doorcode/platforms/telegram/asking.py", '"text": unlinked(card.text)', '"text": card.text', "tests/unit/platforms/test_questions.py"),
    Mutant(49, "doorcode/entrypoints/asking/presses.py", "if question is None or not self._fits(button, question, now):", "if question is None:", "tests/behind/test_questions.py"),
    Mutant(49, "doorcode/web/gate.py", "reported_by=call.caller.id", 'reported_by=""', "tests/behind/test_gate_api.py"),
    Mutant(49, "doorcode/entrypoints/question_office.py", "(asker and question.asker != asker)", "False", "tests/web/test_questions.py"),
    Mutant(49, "doorcode/entrypoints/asking/presses.py", "        if press.said is not None:\n", "        if False:\n", "tests/behind/test_questions.py"),
    Mutant(49, "doorcode/asking/cards.py", "asks_why = question.decided_account == canvas.account and", "asks_why =", "tests/unit/platforms/test_questions.py"),
    Mutant(50, "doorcode/entrypoints/asking/courier.py", "            if name in done:\n", "            if False:\n", "tests/behind/test_questions.py"),
    Mutant(50, "doorcode/entrypoints/asking/courier.py", "                trouble.append(error)\n                _log(question, name, error)", "                _log(question, name, error)", "tests/behind/test_question_crashes.py"),
    Mutant(50, "doorcode/entrypoints/asking/callbacks.py", "not all(map(is_public, addresses))", "not any(map(is_public, addresses))", "tests/behind/test_question_callbacks.py"),
    Mutant(50, "doorcode/entrypoints/asking/callbacks.py", "connect((addresses[0], PORT)", "connect((resolve(host)[0], PORT)", "tests/behind/test_question_callbacks.py"),
    Mutant(50, "doorcode/entrypoints/effects.py", "patience = CALLED_FOR_SECONDS if isinstance(error, CallbackFailedError) else PARKED_AFTER_SECONDS", "patience = PARKED_AFTER_SECONDS", "tests/behind/test_question_callbacks.py"),
    Mutant(50, "doorcode/aws/effects_queue.py", 'f"{name}#{pk}", another', "pk, another", "tests/unit/aws/test_effects_queue.py"),
    Mutant(47, "doorcode/asking/moves.py", "if match != question.match:", "if not match:", "tests/unit/asking/test_question_moves.py"),
    Mutant(47, "doorcode/entrypoints/question_office.py", "matching=question.asker == asker", "matching=True", "tests/web/test_questions.py"),
    Mutant(50, "doorcode/entrypoints/asking/courier.py", "if RESUMED in self._book.notes(question.id).done or", "if", "tests/behind/test_question_resume.py"),
    Mutant(47, "doorcode_cli/asking/ask.py", "return ENDS.get(state, Exit.PENDING)", "return Exit.DONE", "tests/asking/test_ask.py"),
    Mutant(47, "doorcode/asking/client.py", 'if record.get("state") != "used" or record.get("digest") != question.digest:', "if False:", "tests/asking/test_client.py"),
    Mutant(48, "doorcode/asking/client.py", 'if record.get("digest") != digest(body, str(record.get("asker") or "")):', "if False:", "tests/asking/test_client.py"),
    Mutant(51, "doorcode_cli/asking/tool.py", 'if question.digest != digest({"title": title, **body}, str(question.record.get("asker") or "")):', "if False:", "tests/asking/test_mcp.py"),
    Mutant(51, "doorcode_cli/asking_checks.py", "if decides := token.scopes & DECIDES:", "if decides := token.scopes & frozenset():", "tests/unit/cli/test_asking_check.py"),
)  # fmt: skip


def survives(mutant: Mutant) -> bool | None:
    """Tell whether the tests pass although the promise is broken; None if there is nothing left to break that way."""
    source = (ROOT / "shared" / mutant.file).read_text(encoding="utf-8")
    if mutant.old not in source:
        return None
    with tempfile.TemporaryDirectory() as folder:
        # The tools stand beside the sources, and are looked for there.
        for other in ROOT.iterdir():
            Path(folder, other.name).symlink_to(other)
        shared = Path(folder, "shared")
        shared.unlink()
        shutil.copytree(ROOT / "shared", shared, ignore=shutil.ignore_patterns("__pycache__"))
        (shared / mutant.file).write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
        tests = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests.split()]
        # Before what is installed, which is the tree itself.
        environment = os.environ | {"PYTHONPATH": str(shared)}
        try:
            done = subprocess.run(
                tests, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def main(numbers: Sequence[str]) -> int:
    """Try every mutant, or those of some promises; return how many were not noticed."""
    unnoticed = 0
    for mutant in MUTANTS:
        if numbers and str(mutant.promise) not in numbers:
            continue
        outcome = survives(mutant)
        unnoticed += outcome is not False
        told = {False: "noticed", True: "SURVIVED", None: "DOES NOT APPLY"}[outcome]
        change = mutant.new.strip().splitlines()[0] if mutant.new else "removed"
        sys.stdout.write(f"{mutant.promise:>3}  {told:<15} {mutant.file}: {change}\n")
        sys.stdout.flush()
    return unnoticed


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 125))
