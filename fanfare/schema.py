"""The OpenAPI description: what drf-spectacular can't see from the views by itself."""

from typing import Any

from fanfare.http import camel


def camelize_properties(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The wire's spelling for every property of every component."""
    for component in result.get("components", {}).get("schemas", {}).values():
        if "properties" in component:
            component["properties"] = {camel(k): v for k, v in component["properties"].items()}
        if "required" in component:
            component["required"] = sorted(camel(name) for name in component["required"])
    return result
