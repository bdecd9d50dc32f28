"""Where services are reached, and what cannot be meant."""

import pytest

from doorcode.aws.client.endpoint import Endpoint, at, regional


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-southeast-2", "mx-central-1", "il-central-1"])
def test_a_region_s_endpoint(region: str) -> None:
    """Services of the standard partition are reached over https, at the address that botocore knows as well."""
    endpoint = regional("dynamodb", region)
    assert endpoint == Endpoint(f"dynamodb.{region}.amazonaws.com", 443, tls=True)
    assert endpoint.authority == endpoint.host


@pytest.mark.parametrize(
    "region",
    [
        "",
        "cn-north-1",
        "us-gov-west-1",
        "us-iso-east-1",
        "eu-isoe-west-1",
        "eusc-de-east-1",
        "us-east-1.evil.org",
        "us-east-1\n",
    ],
)
def test_other_partitions_are_not_guessed(region: str) -> None:
    """Their endpoints have other domains: a request would go to nobody knows whom."""
    with pytest.raises(ValueError, match="standard partition"):
        regional("dynamodb", region)


@pytest.mark.parametrize(
    ("url", "endpoint", "authority"),
    [
        ("http://127.0.0.1:5004", Endpoint("127.0.0.1", 5004, tls=False), "127.0.0.1:5004"),
        ("http://localhost", Endpoint("localhost", 80, tls=False), "localhost"),
        ("https://dynamodb.example.com/", Endpoint("dynamodb.example.com", 443, tls=True), "dynamodb.example.com"),
        ("https://h:8443", Endpoint("h", 8443, tls=True), "h:8443"),
        ("http://[::1]:8000", Endpoint("::1", 8000, tls=False), "[::1]:8000"),
    ],
)
def test_a_given_endpoint(url: str, endpoint: Endpoint, authority: str) -> None:
    """A host and port, with or without TLS."""
    assert at(url) == endpoint
    assert at(url).authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:5004",
        "ftp://h",
        "http://h/path",
        "http://u@h",
        "http://h?x=1",
        "http://h:0",
        "http://h:65536",
        "http://h\r\nX: 1",
        "http:// h",
    ],
)
def test_what_is_no_endpoint(url: str) -> None:
    """A path, a user, a query or another protocol is not quietly dropped."""
    with pytest.raises(ValueError, match="no http or https address"):
        at(url)
