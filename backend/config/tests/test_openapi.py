"""The API's description is complete for every operation: what it is called, what it takes, answers and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

Operation = dict[str, Any]

PUBLIC = {
    "forgot_password",
    "invitation_look",
    "login",
    "logout",
    "refresh",
    "reset_password",
    "setup",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[Operation]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def test_every_operation_has_a_name_of_its_own_a_tag_and_a_summary(operations: list[Operation]) -> None:
    names = [operation["operationId"] for operation in operations]
    assert len(names) > 80
    assert sorted(set(names)) == sorted(names)
    for operation in operations:
        assert len(operation["tags"]) == 1, operation["operationId"]
        assert 3 < len(operation["summary"]) < 120, operation["operationId"]
        assert not operation["summary"].endswith("."), operation["operationId"]


def test_every_operation_says_who_may_call_it(document: dict[str, Any], operations: list[Operation]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert set(schemes) == {"accessToken", "edgeKey"}
    assert {op["operationId"] for op in operations if not op.get("security")} == PUBLIC
    assert {op["operationId"] for op in operations if {} in op.get("security", [])} == {"invitation_accept"}
    for operation in operations:
        assert all(scheme in schemes for each in operation.get("security", []) for scheme in each)


def test_every_operation_names_each_status_it_answers_and_no_catch_all(operations: list[Operation]) -> None:
    for operation in operations:
        name, statuses = operation["operationId"], set(operation["responses"])
        assert all(status.isdecimal() for status in statuses), name
        assert any(status.startswith("2") for status in statuses), name
        assert "503" in statuses, name
        assert "401" in statuses or name in PUBLIC, name
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= statuses, name
        if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
            assert "404" in statuses, name


def test_every_refusal_is_a_problem_with_an_example_of_its_own_status(operations: list[Operation]) -> None:
    for operation in operations:
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], operation["operationId"]
                content = answer["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert content["example"]["status"] == int(status)
                assert content["example"]["type"].startswith("urn:ems:problem:")


def test_every_body_and_answer_has_an_example_that_its_schema_allows(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    for operation in operations:
        for where, content in contents(operation):
            examples = [content["example"]] if "example" in content else []
            examples += [each["value"] for each in content.get("examples", {}).values()]
            assert examples, f"{operation['operationId']} {where} has no example"
            validator = Draft202012Validator({**content["schema"], "components": document["components"]})
            for example in examples:
                errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(example)]
                assert not errors, f"{operation['operationId']} {where}: {errors}"


def contents(operation: Operation) -> Iterator[tuple[str, Any]]:
    """(request or the status, media type object) of everything that is JSON."""
    bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
    for where, body in bodies.items():
        for media_type, content in body.get("content", {}).items():
            if media_type in {"application/json", "application/problem+json"}:
                yield where, content
