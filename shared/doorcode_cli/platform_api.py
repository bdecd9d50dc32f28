"""What the platforms' APIs share, as setting up calls them. No error holds a token or an address with one in it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec

from doorcode.pairing.contact import Platform
from doorcode.platforms.silence import silence_libraries
from doorcode_cli.deployment import Deployment
from doorcode_cli.exit_codes import CommandError
from doorcode_cli.secret_forms import Form
from doorcode_cli.shown import shown

if TYPE_CHECKING:
    import httpx

# To connect, to read, to write, and for a connection.
TIMEOUT = (5.0, 10.0, 10.0, 10.0)
OK, UNAUTHORIZED, NOT_FOUND, TOO_MANY_REQUESTS, SUCCESS, SERVER_ERROR = 200, 401, 404, 429, range(200, 300), 500
TEST_TEXT = "This is a test by doorcode doctor. Pairing requests will reach you here."


class Trouble(StrEnum):
    """Why a call did not do what it should."""

    BAD_TOKEN = "bad_token"  # noqa: S105 (a word, not a token)
    REFUSED = "refused"
    SILENT = "silent"


class PlatformError(CommandError):
    """A platform refused, or did not answer."""

    def __init__(self, message: str, trouble: Trouble) -> None:
        """Say what happened and what to do."""
        self.trouble = trouble
        super().__init__(message)


class PlatformApi(ABC):
    """One platform's API, called with the bot's token."""

    platform: ClassVar[Platform]
    token: ClassVar[Form]
    # What an owner looks to who cannot be reached; ``{user_id}`` stands for theirs.
    owner_remedy: ClassVar[str]

    def __init__(self, token: str, base_url: str) -> None:
        """Keep the token; nothing is called yet. Raises PlatformError for a token that cannot be one."""
        silence_libraries()
        self._token = token.strip()
        self._base_url = base_url.rstrip("/")
        if not re.fullmatch(self.token.must, self._token):
            raise self._bad_token()

    @classmethod
    def of(cls, deployment: Deployment, token: str | None = None) -> Self:
        """Return the API for a stack, with its token. Raises CommandError if that is not set."""
        return cls(token or deployment.parameter_store.take(cls.token.name), deployment.api_url(cls.platform))

    @abstractmethod
    def identity(self) -> str:
        """Ask whose the token is, and return it as people know it. Raises PlatformError."""

    @abstractmethod
    def reach(self, user_id: str, *, send: bool) -> str:
        """Try whether a person can be written to, unseen by them unless ``send``, and say what is known then.

        Raises PlatformError.
        """

    @property
    def name(self) -> str:
        """The platform's name, as it is written."""
        return self.platform.brand

    def _request(self, verb: str, path: str, **options: Any) -> httpx.Response:
        import httpx  # noqa: PLC0415 (loaded by whoever asks a platform, and not before)

        try:
            return httpx.request(
                verb, f"{self._base_url}{path}", timeout=TIMEOUT, follow_redirects=False, **options
            )  # fmt: skip
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Its sentence may hold the address, and that the token.
            raise PlatformError(
                f"{self.name} does not answer at {self._base_url} ({type(error).__name__}). Try again in a moment.",
                Trouble.SILENT,
            ) from None

    def _bad_token(self) -> PlatformError:
        return PlatformError(
            f"{self.name} does not accept {self.token.name}. Set it with: doorcode secrets set {self.token.name}",
            Trouble.BAD_TOKEN,
        )

    def _refused(self, what: object) -> PlatformError:
        said = shown(str(what).replace(self._token, "…"))
        return PlatformError(f"{self.name} refused: {said}", Trouble.REFUSED)

    def _strange(self, answer: httpx.Response) -> PlatformError:
        if answer.status_code == TOO_MANY_REQUESTS:
            wait = shown(answer.headers.get("retry-after", "some"), 10)
            return PlatformError(f"{self.name} asks to wait {wait} s. Try again then.", Trouble.SILENT)
        return PlatformError(
            f"{self.name} answers HTTP {answer.status_code}, and nothing that can be read. Try again in a moment.",
            Trouble.SILENT,
        )

    def _decoded(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except (ValueError, RecursionError):
            raise self._strange(answer) from None
