"""The one outbound call of the edge: telling a presser something that only they see, where the response cannot."""

from __future__ import annotations

from threading import Thread

from doorcode.entrypoints import log
from doorcode.platforms.inbound import FollowUp

TIMEOUT_SECONDS = 1


def post(call: FollowUp) -> None:
    """Post once, for at most a second in all, to an address that the platform's module has checked; follow no redirect.

    Failure is ignored: the press has had its effect, or has none.
    """
    # A thread of its own, for a socket's time-out starts anew with every byte.
    thread = Thread(target=_post, args=(call,), daemon=True)
    thread.start()
    thread.join(TIMEOUT_SECONDS)
    if thread.is_alive():
        log.warning("Could not tell the presser", reason="follow_up", detail="time-out")


def _post(call: FollowUp) -> None:
    # Imported here: few requests come to this, and every cold start would wait for it.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415
    from urllib.parse import urlsplit  # noqa: PLC0415

    address = urlsplit(call.url)
    connect = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = connect(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", address.path, call.body, {"Content-Type": "application/json; charset=utf-8"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        log.warning("Could not tell the presser", reason="follow_up", detail=type(error).__name__)
    else:
        if status >= 300:  # noqa: PLR2004 (neither done nor followed)
            log.warning("Could not tell the presser", reason="follow_up", detail=str(status))
    finally:
        connection.close()
