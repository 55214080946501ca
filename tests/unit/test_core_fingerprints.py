"""Which names of files hold a hash of their content."""

from __future__ import annotations

import secrets
import string

import pytest

from slipway.core.fingerprints import is_hashed, lasting

HASHED = [
    # webpack, its endings and its whole-name form; CRA; Next.js; Gatsby
    "main.8e0d62a10c151dad4f8e.js", "8e0d62a10c151dad4f8e.png", "js/vendors~main.3f2a9c1b.chunk.js",
    "main.8e0d62a1.js.map", "main.8e0d62a1.min.css", "webpack-8fa1640cc84ba8fe.js", "_app-3893aca8cac41098.js",
    # Vite, Rollup and SvelteKit
    "assets/index-BQ3X0nEl.js", "assets/foo-BRBmoGS9.js", "baz-B2H3sXNv.js", "chunks/Bf9sZq1x.js", "start.DXLVqe3P.js",
    "index-B_x-3kQz.css",
    # Flask-Assets, Django's ManifestStaticFilesStorage and WhiteNoise, gulp-rev, Sprockets, Hugo (SHA-256)
    "gen/packed.3f2a9c1b.js", "admin/css/base.27e20196a850.css", "unicorn-d41d8cd98f.css",
    "application-908e25f4bf641868d8683022a5b62f54.css", f"style.min.{'a1b2c3d4' * 8}.css",
    # esbuild and Angular; Parcel; longer base62
    "polyfills-FFHMD2TL.js", "index.2b9d3b58.js", "app-4kQ9zX7bT2mN1pLs.js",
]  # fmt: skip
NOT_HASHED = [
    # dates and times
    "agenda-20260115.txt", "agenda_2026-01-15.txt", "20260115.txt", "photo-20260115T101530.jpg",
    "backup-20260115T101530Z.zip", "IMG_20260115_101530.jpg", "minutes-15feb2026.pdf", "minutes-2026dec01.pdf",
    "plan-v20260115.txt", "report-20260115a.pdf", "log-1768471530.txt", "log-1768471530123.txt", "PXL20260115.jpg",
    # versions
    "jquery-3.7.1.min.js", "bootstrap-5.3.0-alpha1.css", "lib-10.11.12.js", "python-3.13.0rc1.tgz", "app.20.1.2.js",
    # telephone, order and picture numbers
    "card-4930123456.vcf", "card-0049-30-123456.vcf", "invoice-2026000123.pdf", "DSC01234.jpg", "photo-DSC01234.jpg",
    "form-INV2026A.pdf", "isbn-9783161484100.txt",
    # UUIDs
    "3f2a9c1b-1234-4abc-8def-0123456789ab.png", "doc-3F2A9C1B-1234-4ABC-8DEF-0123456789AB.pdf",
    # words, with and without numbers
    "document1.pdf", "chapter01.html", "Chapter10.html", "react-DataGrid.js", "xml-XMLParser.js", "defaced.css",
    "decade10.css", "facade.html", "deadbeef.css", "iPhone15.png", "logo-iPhone15Pro.png", "case-iPhone15ProMax2.png",
    "setup-Win11Pro.html", "demo-Vue3Demo.js", "video-1920x1080p60.mp4", "covid19info.pdf", "x.Foo-Bar1.js",
    "favicon.ico", "logo.svg", "LICENSE", "app.css", "3f2a9c1b", "3f2a9c1b/app.css", "a1.css", "3f2a9c1.css",
    "", "manifest.webmanifest",
]  # fmt: skip


@pytest.mark.parametrize("name", HASHED)
def test_what_bundlers_write_is_a_hash(name: str) -> None:
    assert is_hashed(name)
    assert is_hashed(f"/static/{name}")


@pytest.mark.parametrize("name", NOT_HASHED)
def test_dates_versions_numbers_and_words_are_none(name: str) -> None:
    assert not is_hashed(name)
    assert not is_hashed(f"static/{name}")


@pytest.mark.parametrize(
    ("alphabet", "length", "least"),
    [
        ("0123456789abcdef", 8, 0.85), ("0123456789abcdef", 12, 0.95), ("0123456789abcdef", 20, 0.99),
        (string.ascii_letters + string.digits + "-_", 8, 0.5), (string.ascii_letters + string.digits, 16, 0.5),
    ],
)  # fmt: skip
def test_most_hashes_are_known_by_themselves_and_the_rest_by_their_neighbours(
    alphabet: str, length: int, least: float
) -> None:
    names = [f"assets/chunk-{''.join(secrets.choice(alphabet) for _ in range(length))}.js" for _ in range(2000)]
    assert sum(map(is_hashed, names)) / len(names) > least
    known = lasting([*names, "assets/chunk-20260115.txt", "assets/jquery.min.js", "pages/chunk-Datagrid.js"])
    missed = [name for name in names if name not in known]
    assert all("-" in name.partition("chunk-")[2] for name in missed), missed
    assert known <= set(names)


def test_a_name_of_the_same_shape_needs_a_hash_beside_it() -> None:
    assert lasting(["assets/index-DiwrgTda.js", "assets/app-BQ3X0nEl.js"]) == {
        "assets/index-DiwrgTda.js", "assets/app-BQ3X0nEl.js"
    }  # fmt: skip
    assert lasting(["assets/react-DataGrid.js", "assets/jquery.js"]) == set()
    assert lasting(["assets/react-DataGrid.js", "other/app-BQ3X0nEl.js"]) == {"other/app-BQ3X0nEl.js"}
    assert lasting(["assets/agenda-20260115.txt", "assets/main-3f2a9c1b.js"]) == {"assets/main-3f2a9c1b.js"}
