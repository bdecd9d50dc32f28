"""Where services are reached, and what cannot be meant."""

import pytest
from botocore.loaders import Loader
from botocore.session import Session

from doorcode.aws.client.endpoint import Endpoint, at, regional
from tests.cases import each


@each("region", ["us-east-1", "eu-central-1", "ap-southeast-2", "mx-central-1", "il-central-1"])
def test_a_region_s_endpoint(region: str) -> None:
    """Services of the standard partition are reached over https, at the address that botocore knows as well."""
    endpoint = regional("dynamodb", region)
    assert endpoint == Endpoint(f"dynamodb.{region}.amazonaws.com", 443, tls=True)
    assert endpoint.authority == endpoint.host


BOTOCORE = Session()
PARTITIONS = [
    (
        next(region for region in partition["regions"] if not region.endswith("-global")),
        partition["outputs"]["dnsSuffix"],
    )
    for partition in Loader().load_data("partitions")["partitions"]
]


@each(("region", "suffix"), PARTITIONS)
def test_every_partition_is_reached_at_its_own_domain(region: str, suffix: str) -> None:
    """China, GovCloud, the sovereign ones: where botocore finds them, once the stack says what their domain is."""
    for service in ("dynamodb", "ssm", "sqs"):
        client = BOTOCORE.create_client(service, region, aws_access_key_id="-", aws_secret_access_key="-")
        assert client.meta.endpoint_url == f"https://{regional(service, region, suffix).host}"


@each("suffix", ["com", "evil.org/x", "amazonaws.com@evil.org", "a b.com", "amazonaws.com:1", ".com"])
def test_what_is_no_domain(suffix: str) -> None:
    """Nothing but names and dots is ever part of a host."""
    with pytest.raises(ValueError, match="no domain"):
        regional("dynamodb", "cn-north-1", suffix)


@each("region", ["", "cn-north", "us-east-1.evil.org", "us-east-1\n", "CN-north-1"])
def test_a_domain_makes_no_region(region: str) -> None:
    """Whatever the domain, a region has a region's form."""
    with pytest.raises(ValueError, match="no region"):
        regional("dynamodb", region, "amazonaws.com.cn")


@each(
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


@each(
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


@each(
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
