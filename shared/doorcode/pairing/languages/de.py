"""German."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "request_sent": "Deine Anfrage wurde zur Freigabe an den Besitzer geschickt.",
        "code": "Dein Code: {code}. Bitte den Besitzer, dies auszuführen: doorcode pairing approve {platform} {code}",
        "declined": "Deine Anfrage wurde abgelehnt.",
        "private": "Dieser Bot ist privat.",
        "direct_only": "Schreib mir in einer Direktnachricht.",
        "went_wrong": "Etwas ist schiefgegangen. Bitte versuche es noch einmal.",
        "approved": "Du bist freigegeben!",
        "invited": "Du bist dabei!",
        "write": "Schick mir eine Nachricht.",
        "write_with": "Schick mir eine Nachricht mit {command}.",
        "in_already": "Du bist schon dabei.",
        "ticket_is_over": "Das gilt nicht mehr. Bitte um einen neuen Code.",
        "only_text": "Ich kann bisher nur Text lesen.",
        "nothing_said": "Dazu habe ich nichts zu sagen.",
        "too_long": "Das ist mehr, als ich auf einmal lesen kann. Bitte fass dich kürzer.",
        "gave_up": "Das konnte ich leider nicht beantworten. Bitte versuche es später noch einmal.",
        "answered_below": "(Antwort weiter unten)",
        "stale_button": "Diese Schaltfläche funktioniert nicht mehr.",
        "only_the_owner": "Das kann nur der Besitzer.",
        "claimed": "Dieser Bot gehört jetzt dir. Ab jetzt wirst du gefragt, wer mit ihm sprechen darf.",
        "owner_already": "Dieser Bot gehört dir schon.",
        "nobody_waits": "Niemand wartet auf deine Antwort.",
        "waiting": "Es warten auf deine Antwort: {number}.",
        "last_to_ask": "Zuletzt gefragt hat: {who}.",
        "your_page": "Deine Seite. Der Link gilt einmal, fünf Minuten lang; wer ihn öffnet, entscheidet, wer hereinkommt:",
        "no_page": "Alle siehst du mit: doorcode pairing list --pending",
    }
)
