"""AWS workflows that pause for the owner and cost nothing meanwhile: Step Functions and Lambda durable functions.

Two ways. Where the stack's parameter ``ResumeAsks`` lets it, the workflow calls ``ask_to_be_resumed`` with its own token, and Doorcode lets it
go on: that is all. Else it calls ``ask``, and ``decided``, a second function behind a function URL, is called by Doorcode's callback and
lets it go on: for a stack in another account, or one that is not yours. What goes on calls ``use`` before it does what was asked.
"""

import base64
import json
import os
from dataclasses import replace
from urllib.parse import parse_qs, quote

import boto3

from doorcode.asking.client import AskClient, verified

LONGEST_URL = 2000


def owner():
    return AskClient(os.environ["DOORCODE_URL"], os.environ["DOORCODE_TOKEN"])


def ask_to_be_resumed(event, context):
    """Take ``{"kind": "task" or "durable", "token", "title", "arguments"}``: a task token, or a durable callback's id.

    What comes back as the task's output, or the callback's result, is JSON: ``{"id", "state", "digest", …}``, whatever the answer.
    """
    name = "token" if event["kind"] == "task" else "callback_id"
    asked = owner().ask(
        event["title"], arguments=event["arguments"], resume={"kind": event["kind"], name: event["token"]}
    )
    return asked.id


def ask(event, context):
    """Take the same, and have ``decided`` called."""
    url = f"{os.environ['DECIDED_URL']}?kind={event['kind']}&token={quote(event['token'], safe='')}"
    if len(url) > LONGEST_URL:
        raise ValueError("The token is too long for an address: keep it in a table, and put its key here.")
    return (
        owner()
        .ask(event["title"], arguments=event["arguments"], callback_url=url, key=event["token"][-64:].strip("="))
        .id
    )


def decided(event, context):
    """Take the callback. Denied and expired are told as success, too: a failure is tried again by those who called."""
    body = event["body"].encode() if not event.get("isBase64Encoded") else base64.b64decode(event["body"])
    try:
        told = verified(os.environ["DOORCODE_CALLBACK_SECRET"], event["headers"], body)
    except ValueError:
        return {"statusCode": 401}
    query = parse_qs(event["rawQueryString"])
    kind, token, output = query["kind"][0], query["token"][0], json.dumps(told["data"])
    if kind == "task":
        gone = resume(boto3.client("stepfunctions").send_task_success, taskToken=token, output=output)
    else:
        client = boto3.client("lambda")
        gone = resume(client.send_durable_execution_callback_success, CallbackId=token, Result=output.encode())
    # Gone: nobody waits any more. The callback is not sent again.
    return {"statusCode": 410 if gone else 204}


def resume(call, **arguments):
    try:
        call(**arguments)
    except Exception as error:
        if type(error).__name__ in {"TaskTimedOut", "TaskDoesNotExist", "CallbackTimeoutException"}:
            return True
        raise
    return False


def use(event, context):
    """Take ``{"id", "digest"}`` of an approval, right before what was asked is done. Raises unless it may be, once."""
    client = owner()
    client.use(replace(client.look(event["id"]), digest=event["digest"]))
