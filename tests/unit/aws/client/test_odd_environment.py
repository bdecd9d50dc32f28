"""What no endpoint, region or credential looks like stops the function at its start, and not each of its requests."""

import pytest

from doorcode.aws.client.endpoint import at
from doorcode.errors import SettingsError
from doorcode.wiring.edge_clients import edge_clients
from tests.cases import each
from tests.unit.aws.client.test_edge_clients import LAMBDA


@each("host", ["a..b", ".a", ".", "x" * 64, "a." + "x" * 64, "[.]", "[:.]", "[]", "[abc]", "[fe80::1%eth0]"])
def test_a_name_that_nobody_can_have_is_no_endpoint(host: str) -> None:
    """It could not even be looked up, and would fail each request in a way that nobody expects."""
    with pytest.raises(ValueError, match="no http or https address"):
        at(f"http://{host}:1")


@each("host", ["h", "a.b.", "x" * 63, "a-b.c", "10.0.0.1", "[::1]", "[2001:db8::8]"])
def test_a_name_that_somebody_can_have(host: str) -> None:
    """Names of up to 63 characters between dots, and addresses."""
    assert at(f"http://{host}:1").authority == f"{host}:1"


@pytest.mark.parametrize("region", ["us-east-1\r\nX: 1", "us east 1", "é"], ids=["a line break", "spaces", "not ASCII"])
def test_a_region_stands_in_a_header_and_cannot_begin_another(region: str) -> None:
    """Also where every endpoint is given, so that nothing else looks at it."""
    with pytest.raises(SettingsError, match="AWS_REGION holds") as refused:
        edge_clients(LAMBDA | {"AWS_ENDPOINT_URL": "http://localhost:1", "AWS_REGION": region})
    assert "X: 1" not in str(refused.value)
