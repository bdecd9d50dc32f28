"""Where a service is reached: in its region, or at an address given instead."""

from __future__ import annotations

import re

from msgspec import Struct

PORTS = {"https": 443, "http": 80}
STANDARD_SUFFIX = "amazonaws.com"
# Of the standard partition. The others have domains of their own, and more words or other beginnings in their names.
STANDARD_REGION = r"(?!cn-)[a-z]{2}-[a-z]+-[0-9]{1,2}"
REGION = "[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}"
SUFFIX = r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,3}"
LABEL = "[A-Za-z0-9-]{1,63}"
ADDRESS = rf"(https?)://({LABEL}(?:\.{LABEL})*\.?|\[[0-9A-Fa-f]*:[0-9A-Fa-f:]*\])(?::([0-9]{{1,5}}))?/?"


class Endpoint(Struct, frozen=True):
    """A host and how to speak to it."""

    host: str
    port: int
    tls: bool

    @property
    def authority(self) -> str:
        """Return what the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"


def regional(service: str, region: str, suffix: str = "") -> Endpoint:
    """Return the endpoint of a service in a region, under its partition's domain. Raises ValueError.

    Without a domain the standard partition's is taken, and nobody else's region.
    """
    if not re.fullmatch(REGION if suffix else STANDARD_REGION, region):
        raise ValueError(f"{region} is no region" if suffix else f"{region} is no region of the standard partition")
    if suffix and not re.fullmatch(SUFFIX, suffix):
        raise ValueError(f"{suffix} is no domain")
    return Endpoint(f"{service}.{region}.{suffix or STANDARD_SUFFIX}", PORTS["https"], tls=True)


def at(url: str) -> Endpoint:
    """Return the endpoint that a URL names; it has no path, user or query. Raises ValueError."""
    address = re.fullmatch(ADDRESS, url)
    if address is None or int(address[3] or 1) not in range(1, 1 << 16):
        raise ValueError(f"{url} is no http or https address with nothing but a host and port")
    return Endpoint(address[2].strip("[]"), int(address[3] or PORTS[address[1]]), tls=address[1] == "https")
