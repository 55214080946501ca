"""A service's folder in the volume of static files: what is in it, and what a release and the retention change.

    .content/SHA-256    each content once; everything else is a hard link to one
    RELEASE/…           the files of a release; its time says when the release was last known to be in force
    files/…             those of all releases whose names hold a hash (statics.FORMER)
    .staged/            of a run that is under way, or was cut off

Commands that nginx's image has, Debian's or Alpine's, do what must be done in the volume.
"""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
import time
from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from docker.models.containers import Container

from slipway.core import fingerprints
from slipway.engine.errors import Failure
from slipway.engine.execution import NOT_RUNNING, execute, run_with_input
from slipway.engine.image_files import ImageFiles
from slipway.nginx import statics
from slipway.nginx.statics import FORMER

CONTENT, STAGED = ".content", ".staged"
CHUNK = 1 << 20
"""Bytes in memory at a time."""
END = "whole\n"
LOOK = """
date +%s
if cd "$1" 2> /dev/null; then
    [ -z "$2" ] || find . -type f -exec stat -c '%Y %s %n' {} +
    stat -c '%Y 0 %n' */ 2> /dev/null || :
fi
echo whole
"""
LOOKS = 3
"""How often a list is asked for of which the engine has lost a part: Docker 20.10 does so now and then, when busy."""
LAY = f"""
cd "$1"
release=$2
shift 2
[ $# = 0 ] || touch -c "$@"
xargs -0 -r rm -rf
[ ! -d {FORMER} ] || find {FORMER} -depth -type d -exec rmdir {{}} + 2> /dev/null || :
if [ -n "$release" ]; then
    mkdir -p {FORMER} {CONTENT} {STAGED}/content {STAGED}/release {STAGED}/{FORMER}
    find {STAGED}/content -type f -exec sh -c 'mv -f "$@" {CONTENT}' sh {{}} +
    [ ! -e "$release" ] || mv "$release" {STAGED}/replaced
    mv {STAGED}/release "$release"
    cp -rlf {STAGED}/{FORMER}/. {FORMER}
fi
rm -rf {STAGED}
[ ! -d {CONTENT} ] || find {CONTENT} -type f -links 1 -exec rm -f {{}} +
"""
"""Arguments: the folder, the release to put in place ("": none), the folders in force. Input: what goes, each ended by
a null character."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is there at `now`. Times are in seconds since the epoch, by the clock of the container that looked.

    contents {SHA-256: bytes}; times {folder of a release: its time}; files {such a folder: paths}; former {path: time}
    """

    now: float = 0.0
    contents: Mapping[str, int] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, set[str]] = field(default_factory=dict)
    former: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: str) -> Layout:
        """From what LOOK writes."""
        now, *lines = listed.splitlines()
        contents, times, former = dict[str, int](), dict[str, float](), dict[str, float]()
        files: dict[str, set[str]] = {}
        for line in lines:
            changed, size, name = line.split(" ", 2)
            folder, _, path = name.removeprefix("./").partition("/")
            if folder == CONTENT:
                contents[path] = int(size)
            elif folder == FORMER and path:
                former[path] = float(changed)
            elif path and folder != STAGED:
                files.setdefault(folder, set()).add(path)
            elif folder not in {FORMER, STAGED}:
                times[folder] = float(changed)
        return cls(now=float(now), contents=contents, times=times, files=files, former=former)

    def expired(self, in_force: Collection[str], retention: float) -> set[str]:
        """The folders of releases that have not been in force for longer; none where nobody knows which are."""
        if not in_force:
            return set()
        return {name for name, last in self.times.items() if name not in in_force and last < self.now - retention}


@dataclass
class NewRelease:
    """A release's files on their way into the volume, as one archive. Afterwards `paths` says what is in it."""

    folder: str
    release: str
    known: Mapping[str, int]
    paths: set[str] = field(default_factory=set)
    _contents: dict[str, str] = field(default_factory=dict)
    _sent: set[str] = field(default_factory=set)

    def archive(self, sources: Mapping[str, str], image: ImageFiles) -> Iterator[bytes]:
        """What the volume's root gets: contents that it has not got yet, and hard links to them; in pieces, so that it
        need not be in memory. `sources` as in StaticFiles."""
        for target, path in sorted(sources.items()):
            others = [other for other in sources if other.startswith(f"{target}/")]
            for file in image.below(path):
                if not file.path and others:
                    raise Failure(f"static files: /{others[0]}/ cannot be below /{target}, which is a single file")
                where = "/".join(part for part in (target, file.path) if part)
                if file.content:
                    self._contents[where] = yield from self._content(file.content, file.size)
                elif same := self._contents.get("/".join(part for part in (target, file.same_as) if part)):
                    self._contents[where] = same
                if where in self._contents and not any(f"{where}/".startswith(f"{other}/") for other in others):
                    self.paths.add(where)
                    yield self._link(f"release/{where}", self._contents[where])
        for where in sorted(fingerprints.lasting(self.paths)):
            yield self._link(f"{FORMER}/{where}", self._contents[where])
        yield tarfile.NUL * 2 * tarfile.BLOCKSIZE

    def _content(self, content: IO[bytes], size: int) -> Generator[bytes, None, str]:
        """The entry of a content, if the volume has not got it; returns its name."""
        digest = hashlib.sha256()
        with tempfile.SpooledTemporaryFile(max_size=CHUNK) as copy:
            while piece := content.read(CHUNK):
                digest.update(piece)
                copy.write(piece)
            name = digest.hexdigest()
            if self.known.get(name) == size or name in self._sent:
                return name
            self._sent.add(name)
            copy.seek(0)
            yield self._entry(f"content/{name}", size=size)
            while piece := copy.read(CHUNK):
                yield piece
            yield tarfile.NUL * (-size % tarfile.BLOCKSIZE)
        return name

    def _link(self, path: str, content: str) -> bytes:
        place = f"{STAGED}/content" if content in self._sent else CONTENT
        return self._entry(path, linked=f"{self.folder}/{place}/{content}")

    def _entry(self, path: str, *, size: int = 0, linked: str = "") -> bytes:
        entry = tarfile.TarInfo(f"{self.folder}/{STAGED}/{path}")
        entry.size, entry.mode, entry.mtime = size, 0o644, int(time.time())
        if linked:
            entry.type, entry.linkname = tarfile.LNKTYPE, linked
        return entry.tobuf(tarfile.PAX_FORMAT)


@dataclass(frozen=True)
class Shelf:
    """`container` has the volume at `root` and runs; `folder` is the service's in it."""

    container: Container
    root: str
    folder: str

    def look(self, *, files: bool = True) -> Layout:
        """What is there; without `files` only the folders. Nothing where the container has ended meanwhile."""
        command = ["sh", "-ec", LOOK, "sh", f"{self.root}/{self.folder}", "files" if files else ""]
        for _ in range(LOOKS):
            code, listed = execute(self.container, command)
            if code == NOT_RUNNING:
                return Layout()
            if code == 0 and listed.endswith(END) and listed != END:
                return Layout.of(listed.removesuffix(END))
        raise Failure(f"{self.container.name} cannot look at the static files: exit code {code}: {listed.strip()}")

    def clear(self) -> None:
        """Removes what a run that was cut off has staged."""
        self._run(["sh", "-ec", f'mkdir -p "$1"; rm -rf "$1/{STAGED}"', "sh", f"{self.root}/{self.folder}"])

    def lay(self, layout: Layout, new: NewRelease | None, in_force: Collection[str], retention: float) -> None:
        """Puts what was staged in place, and removes what is outdated; nothing where nobody knows which releases are in
        force."""
        stay = {*in_force, *([new.release] if new else [])} if in_force else set()
        folders = layout.expired(stay, retention)
        files = {folder: paths for folder, paths in layout.files.items() if folder not in folders}
        added = set()
        if new:
            files[new.release] = new.paths
            added = fingerprints.lasting(new.paths)
        gone = statics.in_the_way(layout.former, added)
        if in_force:
            gone |= statics.outdated(layout.former, files, before=layout.now - retention)
        paths = "".join(f"{path}\0" for path in sorted({*folders, *(f"{FORMER}/{path}" for path in gone)}))
        release = new.release if new else ""
        command = ["sh", "-ec", LAY, "sh", f"{self.root}/{self.folder}", release, *sorted(in_force)]
        self._run(command, paths)

    def _run(self, command: list[str], text: str = "") -> None:
        code, output = run_with_input(self.container, command, text, user="0", environment={})
        if code:
            raise Failure(f"{self.container.name}: exit code {code}: {output.strip()}")
