"""The edge's clients as the environment asks for them."""

import pytest

from doorcode.errors import SettingsError
from doorcode.wiring.edge_clients import EdgeClients, edge_clients
from tests.cases import each

LAMBDA = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "the secret", "AWS_REGION": "eu-central-1"}


def hosts(clients: EdgeClients) -> list[str]:
    """Return where each client goes."""
    return [client._service._connection.endpoint.authority for client in (clients.dynamodb, clients.ssm, clients.sqs)]


def test_each_service_of_the_region_has_a_connection_of_its_own() -> None:
    """Without endpoints of one's own: AWS's, over TLS."""
    clients = edge_clients(LAMBDA)
    assert hosts(clients) == [f"{name}.eu-central-1.amazonaws.com" for name in ("dynamodb", "ssm", "sqs")]
    connections = {client._service._connection for client in (clients.dynamodb, clients.ssm, clients.sqs)}
    assert all(connection.endpoint.tls for connection in connections)
    assert len(connections) == 3
    assert len({connection._trust for connection in connections}) == 1


def test_other_partitions_have_domains_of_their_own() -> None:
    """The stack says which: its template knows, and nothing is guessed from the region's name."""
    clients = edge_clients(LAMBDA | {"AWS_REGION": "cn-north-1", "URL_SUFFIX": "amazonaws.com.cn"})
    assert hosts(clients) == [f"{name}.cn-north-1.amazonaws.com.cn" for name in ("dynamodb", "ssm", "sqs")]


def test_one_host_has_one_connection() -> None:
    """Services at one address share its connection."""
    clients = edge_clients(LAMBDA | {"AWS_ENDPOINT_URL": "http://127.0.0.1:5004"})
    assert hosts(clients) == ["127.0.0.1:5004"] * 3
    assert clients.dynamodb._service._connection is clients.sqs._service._connection


def test_a_service_s_own_endpoint_goes_first() -> None:
    """AWS_ENDPOINT_URL_SQS before AWS_ENDPOINT_URL before the region's; an empty one is none."""
    endpoints = {"AWS_ENDPOINT_URL_SQS": "http://localhost:1", "AWS_ENDPOINT_URL": ""}
    assert hosts(edge_clients(LAMBDA | endpoints))[1:] == ["ssm.eu-central-1.amazonaws.com", "localhost:1"]
    endpoints["AWS_ENDPOINT_URL"] = "http://localhost:2"
    assert hosts(edge_clients(LAMBDA | endpoints)) == ["localhost:2", "localhost:2", "localhost:1"]


def test_the_session_token_is_sent() -> None:
    """Lambda's credentials do not work without it."""
    clients = edge_clients(LAMBDA | {"AWS_SESSION_TOKEN": "token"})
    assert clients.ssm._service._headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" not in edge_clients(LAMBDA).ssm._service._headers


@each(
    ("change", "line"),
    [
        ({"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID is not set: Lambda sets it."),
        ({"AWS_REGION": ""}, "AWS_REGION is not set: Lambda sets it."),
        (
            {"AWS_REGION": "cn-north-1"},
            "cn-north-1 is no region of the standard partition. Set AWS_ENDPOINT_URL_DYNAMODB.",
        ),
        ({"AWS_ENDPOINT_URL": "localhost:1"}, "AWS_ENDPOINT_URL: localhost:1 is no http or https address"),
        ({"AWS_SESSION_TOKEN": "a\r\nX: 1"}, "AWS_SESSION_TOKEN holds what cannot be sent."),
        ({"AWS_ACCESS_KEY_ID": "a b"}, "AWS_ACCESS_KEY_ID holds what cannot be sent."),
    ],
    ids=["no key", "no region", "another partition", "no address", "a line break", "a space"],
)
def test_what_cannot_be_used_is_said(change: dict[str, str], line: str) -> None:
    """A function without usable settings serves nothing, and says in one line why, without showing a secret."""
    with pytest.raises(SettingsError) as refused:
        edge_clients(LAMBDA | change)
    assert line in str(refused.value)
    assert "the secret" not in str(refused.value)
    assert "X: 1" not in str(refused.value)
