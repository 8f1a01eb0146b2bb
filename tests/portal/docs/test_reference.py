"""Reading an OpenAPI document into groups and operations."""

from __future__ import annotations

from portal.docs.openapi import read_reference
from tests.portal.docs.document import DOCUMENT, GOOD

REFERENCE = read_reference(DOCUMENT)


def test_groups_follow_the_tags_and_empty_ones_are_left_out():
    assert [group.slug for group in REFERENCE.groups] == ["customers", "invoices", "public-leads", "tokens", "other"]


def test_an_operation_stands_under_its_tag_and_the_second_part_of_its_id():
    assert REFERENCE.by_id["customers.list"].url == "/reference/customers/list"
    assert REFERENCE.by_id["leads.submit"].url == "/reference/public-leads/submit"


def test_an_operation_without_an_id_or_tag_still_has_a_page():
    assert REFERENCE.operation("other", "get-untold").title == "GET /untold"


def test_two_operations_that_would_share_an_address_are_told_apart():
    paths = {f"/{name}": {"get": {"operationId": "a.list", "tags": ["a"]}} for name in ("one", "two", "three")}
    found = read_reference({"paths": paths})
    assert [operation.slug for operation in found.operations] == ["list", "list-2", "list-3"]


def test_parameters_of_the_path_reach_each_of_its_operations():
    assert [row.name for row in REFERENCE.by_id["customers.read"].parameters["path"]] == ["id"]


def test_a_parameter_of_the_operation_wins_over_that_of_the_path():
    parameters = REFERENCE.by_id["invoices.pay"].parameters["path"]
    assert [row.example for row in parameters] == ["inv_1/a b"]


def test_public_is_marked_or_follows_from_no_security():
    assert REFERENCE.by_id["leads.submit"].is_public
    assert not REFERENCE.by_id["customers.list"].is_public
    document = {"security": [{"key": []}], "paths": {"/a": {"get": {"operationId": "a.b", "security": []}}}}
    assert read_reference(document).by_id["a.b"].is_public


def test_the_path_of_the_server_opens_every_path():
    document = {"servers": [{"url": "https://x.example/v1/"}], "paths": {"/a": {"get": {"operationId": "a.b"}}}}
    operation = read_reference(document).by_id["a.b"]
    assert operation.path == "/v1/a" and operation.call.path == "/v1/a"


def test_credentials_are_named_by_what_the_caller_sends():
    found = REFERENCE.by_id["customers.list"].credentials
    assert [(one.kind, one.name) for one in found] == [("bearer", "Authorization"), ("header", "x-api-key")]


def test_a_response_may_be_a_reference():
    answers = {answer.status: answer for answer in REFERENCE.by_id["invoices.pay"].answers}
    assert answers["409"].description == "Its state forbids it" and answers["409"].is_error


def test_no_anchor_of_a_page_is_used_twice():
    for operation in REFERENCE.operations:
        anchors = [row.anchor for row in operation.rows]
        assert len(anchors) == len(set(anchors)), operation.id


def test_a_description_that_repeats_the_summary_is_left_out():
    assert REFERENCE.by_id["customers.list"].description == ""
    assert REFERENCE.by_id["customers.create"].description.startswith("Saves")


def test_an_empty_document_gives_an_empty_reference():
    assert read_reference({}).groups == ()


def test_header_parameters_of_answers_have_rows():
    answer = {**GOOD, "headers": {"X-Request-Id": {"schema": {"type": "string"}}}}
    document = {**DOCUMENT, "paths": {"/a": {"get": {"operationId": "a.b", "responses": {"200": answer}}}}}
    (row,) = read_reference(document).by_id["a.b"].answers[0].headers
    assert (row.name, row.anchor) == ("X-Request-Id", "200.header.X-Request-Id")


def test_answers_without_an_example_repeat_what_the_samples_of_their_tag_sent():
    schema = {
        "type": "object",
        "properties": {
            "success": {"const": True},
            "data": {"type": "array", "items": {"properties": {"name": {"type": "string"}, "id": {"type": "integer"}}}},
        },
    }
    read = {"tags": ["a"], "responses": {"200": {"content": {"application/json": {"schema": schema}}}}}
    write = {"operationId": "a.create", "tags": ["a"], "x-sample": {"name": "Ada", "lines": [{"qty": 2}]}}
    document = {"paths": {"/a": {"get": {**read, "operationId": "a.list"}, "post": write}}}
    (example,) = read_reference(document).by_id["a.list"].answers[0].bodies[0].examples
    assert example.value == {"success": True, "data": [{"name": "Ada", "id": 1}]}


def test_groups_stand_in_chapters_and_those_without_one_come_last():
    order = [{"name": "Public", "tags": ["Public leads", "unknown"]}, {"name": "Empty", "tags": []}]
    chapters = read_reference({**DOCUMENT, "x-tagGroups": order}).chapters
    assert [(chapter.title, [group.slug for group in chapter.groups]) for chapter in chapters] == [
        ("Public", ["public-leads"]),
        ("", ["customers", "invoices", "tokens", "other"]),
    ]
