"""Schemas of answers, bodies and events as the API document carries them."""

from __future__ import annotations

from typing import Any

from portal.api.schema import ApiModel

REFERENCE = "#/components/schemas/{model}"
_BOUNDS = {"ge": "minimum", "le": "maximum"}


class Models:
    """Collects pydantic's schemas under `components`."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}

    def refer(self, model: type[ApiModel], mode: str = "validation") -> dict[str, str]:
        schema = tidy(model.model_json_schema(ref_template=REFERENCE, mode=mode))  # type: ignore[arg-type]
        return self._keep(model.__name__, {**schema.pop("$defs", {}), model.__name__: schema})

    def refer_public(self, model: type[ApiModel]) -> dict[str, str]:
        """The schema under the model's name and `Event`, with all it contains made public."""
        schema = tidy(model.model_json_schema(ref_template=REFERENCE.replace("{model}", "{model}Event")))
        parts = {**schema.pop("$defs", {}), model.__name__: schema}
        return self._keep(
            f"{model.__name__}Event", {f"{name}Event": _made_public(part) for name, part in parts.items()}
        )

    def _keep(self, name: str, parts: dict[str, Any]) -> dict[str, str]:
        """Raises ValueError when a part has the name of another one: the document knows schemas by name."""
        for part, schema in parts.items():
            if self.schemas.setdefault(part, schema) != schema:
                raise ValueError(f"two schemas of the API document are named {part}")
        return {"$ref": REFERENCE.format(model=name)}


def _made_public(schema: dict[str, Any]) -> dict[str, Any]:
    """A record's schema as an event carries it: no `id`, every reference a public id (contract section 4)."""
    reference = {"type": ["string", "null"], "pattern": "^[a-z]{2,4}_[0-9a-f]{24}$"}
    properties = {
        name: reference if name.endswith("_id") and name != "public_id" else field
        for name, field in schema["properties"].items()
        if name != "id"
    }
    return {**schema, "properties": properties, "required": [name for name in schema["required"] if name != "id"]}


def tidy(schema: Any) -> Any:
    """Pydantic's schema without the titles it makes up and the defaults that are only absence."""
    if isinstance(schema, list):
        return [tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        _BOUNDS.get(key, key): tidy(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
    if "default" in kept and kept["default"] is None:
        del kept["default"]
    if kept.get("type") == "number" and "default" in kept:
        kept["default"] = float(kept["default"])
    return kept
