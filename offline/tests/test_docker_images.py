"""docker.Image and docker.RemoteImage on a real engine."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from slipway_offline.docker_provider.engine import Engine
from slipway_offline.docker_provider.image import Image
from slipway_offline.docker_provider.remote_image import RemoteImage
from slipway_offline.resource import Call, OperationError, Values

from tests.support.base_images import base_image

DOCKERFILE = """\
FROM {base}
ARG WORD=nothing
RUN --mount=type=tmpfs,target=/scratch echo building with $WORD && echo $WORD > /word
"""


def spec(folder: Path, name: str, text: str, **more: Any) -> Values:
    (folder / "Dockerfile").write_text(text.format(base=base_image("python")))
    return {"imageName": f"{name}:1", "skipPush": True, "build": {"context": str(folder)} | more}


def test_an_image_is_built_with_buildkit_and_shown_while_it_is(
    engine: Engine, name: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    given, image = spec(tmp_path, name, DOCKERFILE, args={"WORD": name}), Image(engine)
    assert not image.check(given)
    _, outputs = image.create(call, given)
    try:
        assert outputs["repoDigest"] == engine.image(f"{name}:1")["Id"]
        assert outputs["baseImageName"] == f"{name}:1"
        assert f"building with {name}" in capsys.readouterr().out
        assert image.update(call, f"{name}:1", outputs, given)["repoDigest"] == outputs["repoDigest"]
    finally:
        engine.remove_image(f"{name}:1")


def test_a_failing_build_shows_its_last_lines(engine: Engine, name: str, call: Call, tmp_path: Path) -> None:
    given, image = spec(tmp_path, name, "FROM {base}\nRUN echo the reason; exit 9\n"), Image(engine)
    assert not image.check(given)
    with pytest.raises(OperationError) as caught:
        image.create(call, given)
    assert str(caught.value).startswith("build: ")
    assert "exit code: 9" in str(caught.value)
    assert "\nthe reason" in str(caught.value)


def test_a_build_is_given_up_when_the_run_is_interrupted(engine: Engine, name: str, call: Call, tmp_path: Path) -> None:
    given, image = spec(tmp_path, name, "FROM {base}\nRUN echo " + name + "; sleep 60\n"), Image(engine)
    assert not image.check(given)
    threading.Timer(2, call.cancelled.set).start()
    start = time.monotonic()
    with pytest.raises(OperationError, match="build: "):
        image.create(call, given)
    assert time.monotonic() - start < 30


def test_a_change_in_the_context_is_an_update_of_which_nothing_is_known_before(
    engine: Engine, name: str, tmp_path: Path,
) -> None:
    image = Image(engine)
    old = spec(tmp_path, name, DOCKERFILE)
    assert not image.check(old)
    (tmp_path / "new").write_text("")
    new = spec(tmp_path, name, DOCKERFILE)
    assert not image.check(new)
    assert [(c.path, c.replaces) for c in image.changes(old, {}, new)] == [("build.contextDigest", False)]
    assert set(map(repr, image.planned_update(old, new).values())) == {"UNKNOWN"}


def test_what_an_image_lacks_is_refused_before_anything_is_built(engine: Engine, name: str, tmp_path: Path) -> None:
    image = Image(engine)
    nowhere = {"imageName": name, "skipPush": True, "build": {"context": str(tmp_path / "nowhere")}}
    assert "build.context: there is no folder" in image.check(nowhere)[0].reason
    assert [p.path for p in image.check({"imageName": name, "build": {"context": str(tmp_path)}})] == ["skipPush"]


@pytest.mark.parametrize("keep", [True, False])
def test_an_image_that_is_there_is_not_pulled_and_stays_if_the_program_says_so(
    engine: Engine, name: str, call: Call, keep: bool,
) -> None:
    tag, remote = f"{name}:1", RemoteImage(engine)
    engine.tag(base_image("python"), name, "1")
    given = {"name": tag, "keepLocally": keep}
    try:
        image_id, outputs = remote.create(call, given)
        assert image_id == outputs["imageId"] + tag
        assert outputs["imageId"] == engine.image(base_image("python"))["Id"]
        assert remote.read(call, image_id, outputs, given) == (outputs, given)
        remote.delete(call, image_id, outputs)
        assert (remote.read(call, image_id, outputs, given) is not None) == keep
    finally:
        if keep:
            engine.remove_image(tag)
