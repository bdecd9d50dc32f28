"""A table with very many paired contacts, on DynamoDB Local.

It takes a few thousand items a second, and a million would take minutes. So it writes the table and one contact itself,
into its SQLite file; that row is multiplied there, and the emulator is started over the file again.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from doorcode.aws.items import CONTACT, contact_attributes, contact_pk
from doorcode.pairing.contact import Contact, Platform, State
from tests.backends import emulators
from tests.backends.dynamodb import client, create_table
from tests.backends.in_process import REGION

TABLE = "doorcode"
FIRST = 5_000_000_001


class FilledTable:
    """The table's file. ``contacts`` is how many paired contacts it holds."""

    def __init__(self, folder: Path) -> None:
        """Make the table with one contact."""
        self._folder = folder
        self.contacts = 1
        with emulators.dynamodb_local(folder) as url:
            dynamodb = client("dynamodb", url)
            create_table(dynamodb, TABLE)
            contact = Contact(
                platform=Platform.TELEGRAM,
                user_id=str(FIRST),
                state=State.PAIRED,
                rev=2,
                name="@stranger",
                paired_at=1_776_859_000,
                decided_by="123456789",
                decided_via="button",
            )
            key = {"pk": {"S": contact_pk(contact.platform, contact.user_id)}, "sk": {"S": CONTACT}}
            dynamodb.put_item(TableName=TABLE, Item=key | contact_attributes(contact))

    def fill(self, contacts: int) -> None:
        """Have it hold so many paired contacts."""
        (file,) = self._folder.glob("*.db")
        with contextlib.closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA synchronous = OFF")
            first = f"{Platform.TELEGRAM}#{FIRST}".encode()
            found = database.execute(f'SELECT * FROM "{TABLE}" WHERE hashKey = ?', (first,))  # noqa: S608 (our name)
            row = dict(zip([column[0] for column in found.description], found.fetchone(), strict=True))
            places = ", ".join("?" * len(row))
            rows = (self._copied(row, first, number) for number in range(self.contacts, contacts))
            with database:
                database.executemany(f'INSERT INTO "{TABLE}" VALUES ({places})', rows)  # noqa: S608 (our name)
        self.contacts = contacts

    @contextlib.contextmanager
    def served(self) -> Iterator[Any]:
        """Run the emulator over the table, and give a client."""
        with emulators.dynamodb_local(self._folder) as url:
            # One answer in a thousand takes its time here, when the emulator tidies up its memory.
            patient = Config(read_timeout=60, retries={"total_max_attempts": 1})
            yield boto3.client(
                "dynamodb",
                endpoint_url=url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=patient,
            )

    @staticmethod
    def _copied(row: dict[str, Any], first: bytes, number: int) -> tuple[Any, ...]:
        key = b"%s#%d" % (Platform.TELEGRAM.encode(), FIRST + number)
        return tuple(
            {
                **row,
                "hashKey": key,
                "hashValue": hashlib.sha1(key, usedforsecurity=False).digest(),
                "hashRangeValue": hashlib.sha1(key + CONTACT.encode(), usedforsecurity=False).digest(),
                "ObjectJSON": row["ObjectJSON"].replace(first, key),
            }.values()
        )
