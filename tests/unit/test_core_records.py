"""The book of releases: numbers, what is kept, what is gone back to, which tags are left over."""

from __future__ import annotations

import pytest

from slipway.core import records, schema


def record(number: int, time: str = "then") -> records.Record:
    images = {"ui": f"sha256:{number}"}
    return records.Record(release=str(number), time=time, revision="", images=images, services={}, schema={})


BOOK = [record(number) for number in (12, 11, 9, 2)]


@pytest.mark.parametrize(
    ("recorded", "tags", "number"),
    [([], [], "1"), ([9, 10], ["3"], "11"), ([], ["latest", "build-0123456789ab", "7"], "8"), ([2], ["10"], "11")],
)
def test_a_number_is_given_once_also_where_the_records_were_lost(
    recorded: list[int], tags: list[str], number: str
) -> None:
    assert records.next_number([record(each) for each in recorded], tags) == number


def test_a_record_comes_back_from_the_state_as_it_was() -> None:
    assert records.Record.of({**record(3).written(), "of a later version": 1}) == record(3)


def test_records_are_newest_first_by_number_and_not_by_spelling() -> None:
    book: list[records.Record] = []
    for number in (9, 10, 2):
        book = records.with_record(book, record(number))
    assert [each.release for each in book] == ["10", "9", "2"]


def test_a_release_that_serves_again_keeps_its_record() -> None:
    assert records.with_record(BOOK, record(9, "now")) == BOOK


@pytest.mark.parametrize(
    ("number", "serving", "left"), [(2, "12", "12 11"), (1, "2", "12 2"), (3, "9", "12 11 9"), (9, "", "12 11 9 2")]
)
def test_the_newest_are_kept_and_always_the_one_that_serves(number: int, serving: str, left: str) -> None:
    assert [each.release for each in records.kept(BOOK, number, serving)] == left.split()


@pytest.mark.parametrize(("serving", "before"), [("12", "11"), ("11", "9"), ("10", "9"), ("2", None), ("", None)])
def test_back_is_to_the_release_before_the_one_that_serves(serving: str, before: str | None) -> None:
    found = records.before(BOOK, serving)
    assert (found and found.release) == before


def test_only_tags_that_slipway_set_for_this_stack_are_left_over() -> None:
    own = {service: records.repository("shop", "prod", service) for service in ("ui", "edge")}
    tags = [
        *("shop-prod-ui:latest", "shop-prod-ui:3", "shop-prod-ui:2", "shop-prod-ui:build-0123456789ab"),
        *("shop-prod-ui:mine", "shop-prod-ui:build-mine", "shop-prod-ui:04", "shop-prod-edge:build-0123456789ab"),
        *("shop-prod-ui-2:2", "shop-dev-ui:2", "registry.test:5000/shop-prod-ui:2", "ui:2"),
    ]
    assert records.surplus(tags, [record(3)], own) == {
        "shop-prod-ui:2",
        "shop-prod-ui:build-0123456789ab",
        "shop-prod-edge:build-0123456789ab",
    }


def test_an_image_that_was_built_is_named_by_its_own_digits() -> None:
    tag = records.build_tag("sha256:" + "0123456789abcdef" * 4)
    assert tag == "build-0123456789ab"
    assert records.made_here(tag)


def test_the_fingerprint_of_a_schema_is_of_its_lines_in_whatever_order() -> None:
    assert schema.fingerprint("a\nb\n") == schema.fingerprint("b\na\n") != schema.fingerprint("a\n")
