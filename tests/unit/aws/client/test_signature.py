"""Signatures: AWS's own published examples, and botocore's on whatever Hypothesis makes up."""

import datetime as dt
import string
from random import Random
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from doorcode.aws.client.signature import Credentials, Signer
from tests.cases import each

SUITE = Signer(Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "us-east-1", "service")
MOMENT = "20150830T123600Z"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx"
    "7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6"
    "d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
FORM = "application/x-www-form-urlencoded"


@each(
    ("headers", "body", "signature"),
    [
        ({}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ({"my-header1": "value1"}, b"", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
        ({"my-header1": "VALUE1"}, b"", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
        (
            {"x-amz-security-token": TOKEN},
            b"",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
        (
            {"content-type": FORM},
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            {"content-type": f"{FORM}; charset=utf8"},
            b"Param1=value1",
            "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
        ),
    ],
    ids=[
        "post-vanilla",
        "post-header-key-sort",
        "post-header-value-case",
        "post-sts-header-before",
        "post-x-www-form-urlencoded",
        "post-x-www-form-urlencoded-parameters",
    ],
)
def test_the_published_examples(headers: dict[str, str], body: bytes, signature: str) -> None:
    """Every POST without a query of AWS's Signature Version 4 test suite."""
    names = {"host": "example.amazonaws.com"} | headers
    signed = ";".join(sorted({*names, "x-amz-date"}))
    assert SUITE.form(names).authorization(body, MOMENT) == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={signed}, Signature={signature}"
    )


# What may stand in a header's value, and what makes a signer's work of it: spaces, in rows and at the ends.
VALUE = string.ascii_letters + string.digits + string.punctuation + "      "
NAMES = ("content-type", "x-amz-target", "x-amz-meta", "x-b3", "a-b", "a", "zoo")


def random_text(random: Random, letters: str = string.ascii_letters + string.digits + "+/=") -> str:
    """Make up some characters."""
    return "".join(random.choices(letters, k=random.randint(1, 40)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1 << 64), st.binary(max_size=300))
def test_botocore_signs_alike(seed: int, body: bytes) -> None:
    """Whatever is signed, botocore's signature is the same to the letter: two dozen requests for each example."""
    random = Random(seed)
    moment = dt.datetime.now(dt.UTC)
    with patch("botocore.auth.get_current_datetime", lambda: moment):
        for _ in range(25):
            access, secret = random_text(random, string.ascii_uppercase), random_text(random)
            token = random.choice(["", random_text(random)])
            region, service = random.choice(["us-east-1", "eu-central-1"]), random.choice(["dynamodb", "ssm", "sqs"])
            headers = {name: random_text(random, VALUE) for name in random.sample(NAMES, random.randint(0, 4))}
            host = f"{service}.{region}.amazonaws.com"
            moment = dt.datetime.fromtimestamp(random.randint(0, 1 << 32), dt.UTC)
            request = AWSRequest("POST", f"https://{host}/", dict(headers), body)
            SigV4Auth(BotoCredentials(access, secret, token or None), service, region).add_auth(request)
            stamp = moment.strftime("%Y%m%dT%H%M%SZ")
            names = headers | {"host": host} | ({"x-amz-security-token": token} if token else {})
            ours = Signer(Credentials(access, secret, token), region, service).form(names).authorization(body, stamp)
            assert ours == request.headers["Authorization"]
            body += random.randbytes(3)


def test_a_new_day_has_a_new_key() -> None:
    """A signer that was used yesterday signs today as one that was not."""
    used, fresh = (
        Signer(SUITE._credentials, "us-east-1", "service").form({"host": "example.amazonaws.com"}) for _ in range(2)
    )
    used.authorization(b"", "20150829T235959Z")
    assert used.authorization(b"", MOMENT) == fresh.authorization(b"", MOMENT)


def test_credentials_are_not_shown() -> None:
    """A secret key or token never stands in what is printed of credentials."""
    assert "hidden" not in f"{Credentials('AKID', 'hidden', 'hidden')!r} {Credentials('AKID', 'hidden', 'hidden')}"
