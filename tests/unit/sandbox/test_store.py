"""The sandbox's store: one sandbox at a time, whole states, and nothing touched that is somebody else's."""

import json
import os
import time
from pathlib import Path

import pytest

from doorcode.pairing.contact import Platform
from doorcode_sandbox import emulator
from doorcode_sandbox import store as stores
from doorcode_sandbox.store import Deployed, Store
from doorcode_sandbox.trouble import SandboxError
from tests.backends.emulators import free_port

POSITIONS = {"__ministack_format__": 1, "payload": {"esms": {"a": 1}, "dynamodb_stream_positions": {"a": 7}}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give a store that is not there yet."""
    return Store(tmp_path / "store")


def ended_well(store: Store, deployed: Deployed) -> None:
    """Have a run that deployed, and saved as it ended."""
    store.prepare()
    (store.new / "dynamodb.json").write_text(deployed.key)
    store.mark(deployed)
    store.new.rename(store.kept)


def test_a_store_is_one_sandbox_s(store: Store) -> None:
    """A second one is refused with what to do; it is free again afterwards."""
    with store.held(), pytest.raises(SandboxError, match=r"running already .* doorcode run --store-dir"), store.held():
        pass
    with store.held():
        assert store.folder.stat().st_mode & 0o077 == 0


def test_only_its_owner_reads_it(store: Store) -> None:
    """Security 37: a folder that was there before, open to all and with all that a sandbox keeps, is closed, file by file."""
    before = os.umask(0)
    try:
        kept = store.kept / "blobs/deep"
        kept.mkdir(parents=True)
        for path in (kept / "code.zip", store.kept / "ssm.json", store.folder / "discord.key", store.folder / "lock"):
            path.write_text("{}")
        (store.folder / "tools").mkdir()
        (store.folder / "tools/script").touch(0o755)
        (store.folder / "emulator/link").symlink_to(store.folder / "tools")
        with store.held():
            store.prepare()
            store.mark(Deployed("one"))
            store.announce({"secret": "x"})
            store.seed(Platform.DISCORD)
            modes = {path: path.lstat().st_mode & 0o777 for path in (store.folder, *store.folder.rglob("*"))}
    finally:
        os.umask(before)
    # What is not the sandbox's stays as it is, in a folder that nobody else gets into.
    assert (modes.pop(store.folder / "tools/script"), modes.pop(store.folder / "tools")) == (0o755, 0o777)
    modes.pop(store.folder / "emulator/link")
    wrong = {str(path): oct(mode) for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)}
    assert wrong == {}


@pytest.mark.parametrize("whose", ["folder", "link"])
def test_somebody_else_s_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str) -> None:
    """Security 37: nothing is kept where another user could read or change it, nor found through a link of theirs."""
    folder = tmp_path / "store"
    if whose == "folder":
        folder.mkdir()
        monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    else:
        (tmp_path / "ours").mkdir()
        folder.symlink_to(tmp_path / "ours")
        if os.geteuid() != 0:
            pytest.skip("only root gives a link away")
        os.chown(folder, 65534, 65534, follow_symlinks=False)
    with pytest.raises(SandboxError, match="belongs to another user"), Store(folder).held():
        pass
    assert not list(folder.iterdir())


def test_an_emulator_s_files_are_its_owner_s(tmp_path: Path) -> None:
    """Security 37: what it logs and writes, whatever this machine's umask."""
    before = os.umask(0)
    try:
        with (
            pytest.raises(SandboxError),
            emulator.running(["/bin/sh", "-c", "mkdir a; echo no >a/state"], free_port(), {}, tmp_path),
        ):
            pass
    finally:
        os.umask(before)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.rglob("*")} == {
        "log": "0o600", "a": "0o700", "state": "0o600"
    }  # fmt: skip


def test_a_former_emulator_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was killed leaves an emulator that saves: its lock outlives theirs."""
    with store.held() as held:
        saving = os.dup(held)
    waits: list[float] = []

    def until_it_has_saved(seconds: float) -> None:
        waits.append(seconds)
        os.close(saving)

    monkeypatch.setattr(time, "sleep", until_it_has_saved)
    with store.held():
        assert len(waits) == 1


def test_a_former_emulator_is_not_waited_for_without_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is an end to it."""
    monkeypatch.setattr(stores, "SAVING_SECONDS", -20)
    with store.held() as held:
        saving = os.dup(held)
    with pytest.raises(SandboxError, match="still uses"), store.held():
        pass
    os.close(saving)


def test_a_folder_that_cannot_be_had(tmp_path: Path) -> None:
    """A file in its place is said in one line."""
    (tmp_path / "file").touch()
    with pytest.raises(SandboxError, match="cannot be used"), Store(tmp_path / "file").held():
        pass


def test_a_run_starts_from_what_was_kept(store: Store) -> None:
    """The state is there, and nothing says yet that it is complete."""
    with store.held():
        assert not store.prepare()
        assert (store.deployed(), store.saved_at) == (None, None)
        ended_well(store, Deployed("one"))
        assert not store.prepare()
        assert (store.new / "dynamodb.json").read_text() == "one"
        assert not (store.new / "complete").exists()
        assert store.deployed() == Deployed("one")
        assert store.saved_at


def test_a_run_that_was_cut_off_is_told(store: Store) -> None:
    """What is left of it is not used."""
    with store.held():
        ended_well(store, Deployed("one"))
        store.prepare()
        (store.new / "dynamodb.json").unlink()
        (store.new / "dynamodb.json").write_text("half")
        store.mark(Deployed("two"))
        assert store.prepare()
        assert (store.new / "dynamodb.json").read_text() == "one"
        assert store.deployed() == Deployed("one")


def test_a_state_is_whole_between_two_renames(store: Store) -> None:
    """Killed when the old state is aside and the new one not in its place, the new one counts: it was complete."""
    with store.held():
        ended_well(store, Deployed("one"))
        store.prepare()
        store.mark(Deployed("two"))
        store.kept.rename(store.kept.with_name("kept.former"))
        assert not store.prepare()
        assert store.deployed() == Deployed("two")
        store.new.rename(store.kept.with_name("gone"))
        store.kept.rename(store.kept.with_name("kept.former"))
        assert not store.prepare()
        assert store.deployed() == Deployed("two")


def test_links_that_cannot_be_made_are_copies(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every file system has them."""
    with store.held():
        ended_well(store, Deployed("one"))
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError))
        store.prepare()
        assert (store.new / "dynamodb.json").read_text() == "one"


def test_forgetting_deletes_only_what_is_the_sandbox_s(store: Store) -> None:
    """A folder that holds something else keeps it."""
    with store.held():
        ended_well(store, Deployed("one"))
        seed = store.seed(Platform.DISCORD)
        store.announce({"endpoint": "http://127.0.0.1:1"})
        (store.folder / "thesis.txt").write_text("mine")
        store.forget()
        assert store.deployed() is None
        assert sorted(path.name for path in store.folder.iterdir()) == ["emulator.lock", "lock", "thesis.txt"]
        assert store.seed(Platform.DISCORD) != seed


@pytest.mark.parametrize("content", ["", "zz", "00"])
def test_the_seed_is_kept_and_private(store: Store, content: str) -> None:
    """One for all runs, for nobody else's eyes; a broken one is made anew."""
    with store.held():
        (store.folder / "discord.key").write_text(content)
        seed = store.seed(Platform.DISCORD)
        assert len(seed) == 32
        assert store.seed(Platform.DISCORD) == seed
        assert (store.folder / "discord.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "line",
    [
        "ERROR [persistence] Persistence: failed to load dynamodb: Expecting value",
        "ERROR [ministack] Failed to restore persisted state for lambda; continuing fresh",
        "ERROR [lambda] Lambda persistence: code blob 00 missing",
    ],
)
def test_a_state_that_cannot_be_read_is_refused(store: Store, line: str) -> None:
    """Going on with a part of it would lose people silently: what to do is said instead."""
    with store.held():
        store.prepare()
        store.log.write_text("INFO all is well\n")
        store.check_loaded()
        store.log.write_text(f"INFO all is well\n{line}\n")
        with pytest.raises(SandboxError, match="doorcode run --fresh") as raised:
            store.check_loaded()
        assert raised.value.tail == line


def test_a_stream_is_followed_from_its_start_again(store: Store) -> None:
    """Streams do not outlive the emulator, so neither do the positions in them; what is kept stays as it was."""
    ended_well(store, Deployed("key"))
    (store.kept / "lambda.json").write_text(json.dumps(POSITIONS))
    store.prepare()
    assert json.loads((store.new / "lambda.json").read_text())["payload"] == {"esms": {"a": 1}}
    assert json.loads((store.kept / "lambda.json").read_text()) == POSITIONS


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"payload": []}', '{"payload": {"esms": {}}}'])
def test_a_state_of_another_form_is_left_alone(store: Store, state: str) -> None:
    """What a later emulator may save is its own affair."""
    ended_well(store, Deployed("key"))
    (store.kept / "lambda.json").write_text(state)
    store.prepare()
    assert (store.new / "lambda.json").read_text() == state
