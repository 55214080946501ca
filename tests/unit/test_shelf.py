"""What a list of static files is worth of which the engine has lost a part."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from slipway.engine import shelf
from slipway.engine.errors import Failure

WHOLE = f"1700000000\n1600000000 0 release/\n{shelf.END}"


def looked(monkeypatch: pytest.MonkeyPatch, *answers: str) -> shelf.Layout:
    said = iter(answers)
    monkeypatch.setattr(shelf, "execute", lambda *_: (0, next(said)))
    container: Any = Mock(name="nginx")
    return shelf.Shelf(container, "/srv/static", "ui").look(files=False)


@pytest.mark.parametrize("lost", ["", "1700000000\n", shelf.END])
def test_a_list_that_is_not_whole_is_asked_for_again(monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    assert looked(monkeypatch, lost, WHOLE).now == 1700000000


def test_one_that_never_is_whole_is_a_failure_and_not_an_empty_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure, match="cannot look at the static files"):
        looked(monkeypatch, *[""] * shelf.LOOKS)
