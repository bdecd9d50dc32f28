"""Telegram's stand-in, that takes this machine's names for a webhook, too."""

from typing import Any

from doorcode_sandbox.platforms.telegram.stand_in import Hook, TelegramStandIn


class NearTelegram(TelegramStandIn):
    """Telegram, that takes this machine's names for a webhook, too."""

    def _set_hook(self, form: Any) -> bool:
        self.hook = Hook(
            url=form.url,
            secret_token=form.secret_token,
            max_connections=form.max_connections,
            allowed_updates=form.allowed_updates,
        )
        return True
