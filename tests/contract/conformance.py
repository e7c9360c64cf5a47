"""Every answer that any test gets is held against the OpenAPI schema: status, words, headers, body.

`ApiClient` calls `check` after each request, so that schema and API can't part ways. What is not an
operation of the schema (another address, another method) must be a 404 or 405 in the one shape.
"""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import orjson
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from fanfare import schema

ALWAYS = {"X-Request-Id", "ETag", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The schema as it is served, with no property allowed beside those that it names."""
    found: dict[str, Any] = orjson.loads(schema.document())
    _close(found["components"]["schemas"])
    return found


def _close(node: Any) -> None:
    if isinstance(node, dict):
        if "properties" in node:
            node.setdefault("additionalProperties", False)
        node = list(node.values())
    if isinstance(node, list):
        for entry in node:
            _close(entry)


@lru_cache(maxsize=1)
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations)
        for path, operations in sorted(document()["paths"].items(), key=lambda entry: entry[0].count("{"))
    ]


def find(method: str, path: str) -> dict[str, Any] | None:
    """The operation that a request is for, if the schema has one."""
    for pattern, operations in _paths():
        if pattern.fullmatch(unquote(path)):
            found: dict[str, Any] | None = operations.get(method.lower())
            return found
    return None


@lru_cache
def _validator(reference: str) -> Any:
    root = {"$ref": reference, "components": document()["components"]}
    return OAS31Validator(root, format_checker=oas31_format_checker)


def check(method: str, path: str, response: Any) -> None:
    """Fail unless the schema describes this answer."""
    operation = find(method, path)
    if operation is None:
        assert response.status_code in (204, 404, 405), (method, path, response.status_code)
        if response.status_code != 204:
            _check_body("#/components/schemas/Error", response)
        return
    told = f"{method} {path} answered {response.status_code}: {response.content!r}"
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{told}, which the schema does not have"
    for name in described.get("headers", {}):
        assert name in response.headers or name not in ALWAYS, f"{told} without {name}"
    content = described.get("content")
    if content is None:
        assert not response.content, f"{told}, where the schema has no body"
        return
    if "application/json" not in content:
        assert response.headers["Content-Type"].partition(";")[0] in content, told
        return
    _check_body(content["application/json"]["schema"]["$ref"], response)
    if examples := content["application/json"].get("examples"):
        body = response.json()
        known = {(found["value"]["error"], found["value"]["code"]) for found in examples.values()}
        assert (body["error"], body["code"]) in known, f"{told}, in words that the schema does not have"


def _check_body(reference: str, response: Any) -> None:
    assert response.headers["Content-Type"] == "application/json"
    body = orjson.loads(response.content)
    problems = [f"{list(found.path)}: {found.message}" for found in _validator(reference).iter_errors(body)]
    assert not problems, f"{reference}: {problems} in {body}"
