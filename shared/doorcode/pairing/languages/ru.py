"""Russian."""

# ruff: noqa: RUF001 (Cyrillic is meant)

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "request_sent": "Ваш запрос отправлен владельцу на одобрение.",
        "code": "Ваш код: {code}. Попросите владельца выполнить: doorcode pairing approve {platform} {code}",
        "declined": "Ваш запрос отклонён.",
        "private": "Это закрытый бот.",
        "direct_only": "Напишите мне в личные сообщения.",
        "went_wrong": "Что-то пошло не так. Попробуйте ещё раз.",
        "approved": "Ваш запрос одобрен!",
        "invited": "Теперь у вас есть доступ!",
        "write": "Отправьте мне сообщение.",
        "write_with": "Отправьте мне сообщение командой {command}.",
        "in_already": "У вас уже есть доступ.",
        "ticket_is_over": "Это больше не действует. Попросите новое приглашение.",
        "only_text": "Пока я умею читать только текст.",
        "nothing_said": "Мне нечего на это ответить.",
        "too_long": "Это больше, чем я могу прочитать за один раз. Скажите короче, пожалуйста.",
        "gave_up": "К сожалению, я не смог на это ответить. Попробуйте позже.",
        "answered_below": "(ответ ниже)",
        "stale_button": "Эта кнопка больше не работает.",
        "only_the_owner": "Это может сделать только владелец.",
        "claimed": "Теперь этот бот ваш. С этого момента вас будут спрашивать, кому можно с ним говорить.",
        "owner_already": "Этот бот уже ваш.",
        "nobody_waits": "Никто не ждёт вашего ответа.",
        "waiting": "Ждут вашего ответа: {number}.",
        "last_to_ask": "Последний запрос: {who}.",
        "your_page": "Ваша страница. Ссылка сработает один раз, в течение пяти минут; кто её откроет, тот решает, кого впустить:",
        "no_page": "Чтобы увидеть всех: doorcode pairing list --pending",
    }
)
