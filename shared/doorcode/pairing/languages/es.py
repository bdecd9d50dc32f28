"""Spanish."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "request_sent": "Tu solicitud se ha enviado al propietario para que la apruebe.",
        "code": "Tu código: {code}. Pide al propietario que ejecute: doorcode pairing approve {platform} {code}",
        "declined": "Tu solicitud ha sido rechazada.",
        "private": "Este bot es privado.",
        "direct_only": "Escríbeme por mensaje directo.",
        "went_wrong": "Algo ha salido mal. Inténtalo de nuevo.",
        "approved": "¡Tu solicitud ha sido aprobada!",
        "invited": "¡Ya tienes acceso!",
        "write": "Envíame un mensaje.",
        "write_with": "Envíame un mensaje con {command}.",
        "in_already": "Ya tienes acceso.",
        "ticket_is_over": "Eso ya no funciona. Pide uno nuevo.",
        "only_text": "Por ahora solo puedo leer texto.",
        "nothing_said": "No tengo nada que decir a eso.",
        "too_long": "Es más de lo que puedo leer de una vez. Dilo con menos palabras, por favor.",
        "gave_up": "Lo siento, no he podido responder a eso. Inténtalo más tarde.",
        "answered_below": "(respondido más abajo)",
        "stale_button": "Este botón ya no funciona.",
        "only_the_owner": "Solo el propietario puede hacer esto.",
        "claimed": "Este bot ya es tuyo. A partir de ahora se te preguntará quién puede hablar con él.",
        "owner_already": "Este bot ya era tuyo.",
        "nobody_waits": "Nadie espera tu respuesta.",
        "waiting": "Esperan tu respuesta: {number}.",
        "last_to_ask": "Última solicitud: {who}.",
        "your_page": "Tu página. El enlace funciona una vez, durante cinco minutos; quien lo abra decide quién entra:",
        "no_page": "Para verlas todas: doorcode pairing list --pending",
    }
)
