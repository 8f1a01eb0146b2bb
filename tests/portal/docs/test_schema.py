"""Flattening JSON Schema into rows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.docs.examples import example_value
from portal.docs.schema import Resolver, rows, type_words
from tests.portal.docs.document import DOCUMENT

RESOLVER = Resolver(DOCUMENT)
CUSTOMER = {"$ref": "#/components/schemas/Customer"}
INVOICE = {"$ref": "#/components/schemas/Invoice"}


def flat(schema, place="body", writing=True, resolver=RESOLVER):
    return {row.path: row for top in rows(resolver, schema, place, writing) for row in top.walk()}


def test_a_body_leaves_out_what_may_only_be_read():
    assert "id" not in flat(CUSTOMER) and "secret" in flat(CUSTOMER)


def test_an_answer_leaves_out_what_may_only_be_written():
    answer = flat(CUSTOMER, "200", writing=False)
    assert "id" in answer and "secret" not in answer


def test_every_row_has_an_anchor_with_its_dotted_path():
    assert flat(INVOICE)["items.amount"].anchor == "body.items.amount"


def test_required_is_read_from_every_part_of_all_of():
    found = flat(INVOICE)
    assert found["customer_id"].required and found["items"].required and found["items.amount"].required
    assert not found["items.labels"].required


def test_limits_examples_and_values_are_kept_exactly():
    found = flat(INVOICE)
    assert found["items"].limits == (("minItems", "1"), ("maxItems", "100"))
    assert found["items.amount"].limits == (("exclusiveMinimum", "0"),)
    assert found["items.amount"].example == "1500.00"
    assert flat(CUSTOMER)["status"].values == ("active", "closed")


def test_words_beside_a_reference_win_over_what_it_names():
    assert flat(CUSTOMER)["status"].description == "Where it stands."


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "date"}, "string (date)"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "integer or string"),
        ({"type": "array", "items": {"type": "string"}}, "array of string"),
        ({"type": ["array", "null"], "items": {"type": "string"}}, "array of string or null"),
        ({"items": CUSTOMER}, "array of object"),
        ({"const": "Paid"}, "string"),
        ({"const": True}, "boolean"),
        ({"enum": [1, "a"]}, "any"),
        ({"additionalProperties": {"type": "string"}}, "object"),
        ({"$ref": "https://elsewhere.example/schema.json"}, "any"),
        (True, "any"),
        ({}, "any"),
    ],
)
def test_a_type_is_said_in_words(schema, words):
    assert type_words(RESOLVER, schema) == words


def test_a_schema_that_contains_itself_ends_at_its_second_appearance():
    found = flat(CUSTOMER)
    assert found["parent"].children == () and found["parent"].type == "object (Customer, as above)"


def test_a_circle_of_bare_references_ends():
    circle = {
        "components": {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}}
    }
    assert flat({"$ref": "#/components/schemas/A"}, resolver=Resolver(circle)) == {}


def test_choices_between_objects_become_rows_named_by_title():
    found = flat(INVOICE)
    assert {"items.payee.Person.name", "items.payee.Firm.gst_no"} <= set(found)
    assert "items.payee.Code" not in found


def test_free_members_are_shown_as_a_star():
    assert flat(INVOICE)["items.labels.*"].type == "string"


def test_pointers_are_unescaped():
    resolver = Resolver({"a/b": {"c~d e": {"type": "integer"}}})
    assert type_words(resolver, {"$ref": "#/a~1b/c~0d%20e"}) == "integer"


def test_an_example_is_made_where_none_is_given():
    made = example_value(RESOLVER, INVOICE, writing=True)
    assert made == {
        "customer_id": 1,
        "items": [{"description": "text", "amount": Decimal("1500.00"), "payee": {"name": "text"}, "labels": {}}],
    }
