from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from slipway.setup import paths, state, virtualenv
from slipway.setup.choices import Choices
from slipway.setup.console import SetupError

pytestmark = pytest.mark.usefixtures("tools")


def test_a_newcomer_gets_a_file_backend_and_a_passphrase_that_only_the_owner_can_read() -> None:
    choices = Choices()
    state.settle(choices, {})
    passphrase = Path(choices.environment["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert choices.environment["PULUMI_BACKEND_URL"] == (paths.data() / "state").as_uri()
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    assert len(passphrase.read_text()) >= 32


def test_the_passphrase_stays_the_same_for_ever() -> None:
    choices = Choices()
    state.settle(choices, {})
    first = Path(choices.environment["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text()
    state.settle(choices, {})
    assert Path(choices.environment["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text() == first


def test_a_lost_passphrase_is_an_error_and_never_replaced_under_existing_state() -> None:
    choices = Choices()
    state.settle(choices, {})
    stacks = paths.data() / "state" / ".pulumi" / "stacks" / "slipway"
    stacks.mkdir(parents=True)
    (stacks / "prod.json").touch()
    passphrase = Path(choices.environment["PULUMI_CONFIG_PASSPHRASE_FILE"])
    passphrase.unlink()
    with pytest.raises(SetupError, match="passphrase is missing") as caught:
        state.settle(Choices(), {})
    assert "restore" in caught.value.remedy[0]
    assert not passphrase.exists()


@pytest.mark.parametrize("environment", [{"PULUMI_BACKEND_URL": "s3://states"}, {"PULUMI_ACCESS_TOKEN": "pul-1"}])
def test_a_user_who_names_a_backend_keeps_it(environment: dict[str, str]) -> None:
    choices = Choices()
    assert state.settle(choices, environment).why.endswith("is set")
    assert choices.environment == {}
    assert not paths.data().exists()


def test_a_user_who_is_logged_in_keeps_the_backend(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text('{"current": "https://pulumi.example.org", "accounts": {}}')
    assert state.settle(Choices(), {"PULUMI_HOME": str(tmp_path)}).chosen == "https://pulumi.example.org"


def test_a_user_who_is_logged_out_gets_the_embedded_backend(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text('{"current": "", "accounts": {}}')
    choices = Choices()
    state.settle(choices, {"PULUMI_HOME": str(tmp_path)})
    assert "PULUMI_BACKEND_URL" in choices.environment


def test_a_passphrase_of_the_users_own_is_kept() -> None:
    choices = Choices()
    state.settle(choices, {"PULUMI_CONFIG_PASSPHRASE": "mine"})
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in choices.environment


def test_an_environment_without_its_stamp_was_not_finished_and_counts_as_missing(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    assert not virtualenv.current(tmp_path)
    (tmp_path / virtualenv.STAMP).write_text(virtualenv.fingerprint())
    assert virtualenv.current(tmp_path)


def test_a_changed_lock_makes_the_environment_out_of_date(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("a==1")
    first = virtualenv.fingerprint(lock)
    lock.write_text("a==2")
    assert virtualenv.fingerprint(lock) != first


def test_a_half_written_passphrase_of_an_interrupted_run_is_never_used() -> None:
    paths.data().mkdir(parents=True)
    (paths.data() / f"passphrase.{os.getpid() + 1}").write_text("half")
    choices = Choices()
    state.settle(choices, {})
    assert Path(choices.environment["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text() != "half"
