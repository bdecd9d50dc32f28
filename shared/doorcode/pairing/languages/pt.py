"""Portuguese, as in Brazil."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "request_sent": "Seu pedido foi enviado ao proprietário para aprovação.",
        "code": "Seu código: {code}. Peça ao proprietário que execute: doorcode pairing approve {platform} {code}",
        "declined": "Seu pedido foi recusado.",
        "private": "Este bot é privado.",
        "direct_only": "Escreva para mim por mensagem direta.",
        "went_wrong": "Algo deu errado. Tente de novo.",
        "approved": "Seu pedido foi aprovado!",
        "invited": "Você já tem acesso!",
        "write": "Envie uma mensagem para mim.",
        "write_with": "Envie uma mensagem para mim com {command}.",
        "in_already": "Você já tem acesso.",
        "ticket_is_over": "Isso não funciona mais. Peça um novo.",
        "only_text": "Por enquanto, só consigo ler texto.",
        "nothing_said": "Não tenho nada a dizer sobre isso.",
        "too_long": "É mais do que consigo ler de uma vez. Diga com menos palavras, por favor.",
        "gave_up": "Desculpe, não consegui responder a isso. Tente mais tarde.",
        "answered_below": "(respondido abaixo)",
        "stale_button": "Este botão não funciona mais.",
        "only_the_owner": "Só o proprietário pode fazer isso.",
        "claimed": "Este bot agora é seu. De agora em diante, você decide quem pode falar com ele.",
        "owner_already": "Este bot já é seu.",
        "nobody_waits": "Ninguém espera a sua resposta.",
        "waiting": "Esperando a sua resposta: {number}.",
        "last_to_ask": "Último pedido: {who}.",
        "your_page": "Sua página. O link funciona uma vez, por cinco minutos; quem o abrir decide quem entra:",
        "no_page": "Para ver todos: doorcode pairing list --pending",
    }
)
