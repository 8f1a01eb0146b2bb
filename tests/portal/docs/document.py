"""A small OpenAPI 3.1 document with one of everything the reference must be able to show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

CUSTOMER: dict[str, Any] = {
    "type": "object",
    "required": ["account"],
    "properties": {
        "id": {"type": "integer", "readOnly": True, "examples": [1]},
        "account": {"type": "string", "minLength": 1, "maxLength": 200, "description": "The **name**."},
        "email": {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}], "default": None},
        "country": {"type": ["string", "null"], "pattern": "^[A-Z]{2}$", "examples": ["IN"]},
        "secret": {"type": "string", "writeOnly": True},
        "status": {"$ref": "#/components/schemas/Status", "description": "Where it stands."},
        "parent": {"$ref": "#/components/schemas/Customer"},
    },
}
INVOICE: dict[str, Any] = {
    "allOf": [
        {"type": "object", "required": ["customer_id"], "properties": {"customer_id": {"type": "integer"}}},
        {
            "required": ["items"],
            "properties": {
                "items": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 100,
                    "items": {"$ref": "#/components/schemas/Item"},
                }
            },
        },
    ]
}
ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["description", "amount"],
    "properties": {
        "description": {"type": "string"},
        "amount": {"type": "number", "exclusiveMinimum": 0, "examples": [Decimal("1500.00")]},
        "payee": {
            "oneOf": [
                {"title": "Person", "type": "object", "properties": {"name": {"type": "string"}}},
                {"title": "Code", "type": "string"},
                {"title": "Firm", "type": "object", "properties": {"gst_no": {"type": "string"}}},
            ]
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
BODY = {"account": 'Jane O\'Neil "J" $HOME `id`', "email": "jane@example.com"}


def _answer(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"description": "Done", "content": content}


def _operation(identity: str, summary: str, **more: Any) -> dict[str, Any]:
    return {"operationId": identity, "summary": summary, "tags": [identity.split(".")[0]], **more}


CUSTOMER_REF = {"$ref": "#/components/schemas/Customer"}
GOOD = _answer({"type": "object", "properties": {"data": CUSTOMER_REF}}, {"data": {"id": 1, "account": "John Doe"}})
IDENTIFIER = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "example": "1"}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Test", "version": "2.0"},
    "servers": [{"url": "https://portal.example"}],
    "tags": [
        {"name": "customers", "description": "People and companies you sell to.", "x-area": "core"},
        {"name": "invoices", "description": "What customers owe.", "x-area": "core"},
        {"name": "public-leads", "description": "Inquiries."},
        {"name": "unused", "description": "Nothing here."},
    ],
    "security": [{"bearer": []}, {"apiKey": []}],
    "paths": {
        "/api/v2/customers": {
            "get": _operation(
                "customers.list",
                "List customers",
                description="List customers.",
                parameters=[
                    {
                        "name": "page",
                        "in": "query",
                        "description": "Page, from 1.",
                        "schema": {"type": "integer", "minimum": 1, "default": 1},
                    },
                    {"$ref": "#/components/parameters/Search"},
                ],
                responses={"200": GOOD},
                **{
                    "x-module": "crm",
                    "x-permission": "crm:read",
                    "x-plan": "starter",
                    "x-roles": ["administrator", "viewer"],
                    "x-sample": {"query": {"page": 1, "search": "a&b c"}},
                    "x-errors": ["unauthorized", "rate_limited"],
                },
            ),
            "post": _operation(
                "customers.create",
                "Create a customer",
                description="Saves <script>alert(1)</script> a *new* one.",
                requestBody={
                    "required": True,
                    "content": {"application/json": {"schema": CUSTOMER_REF, "example": BODY}},
                },
                responses={"201": GOOD, "400": {"description": "Refused"}},
                **{"x-permission": "crm:write", "x-errors": ["validation_failed", "duplicate"]},
            ),
        },
        "/api/v2/customers/{id}": {
            "parameters": [IDENTIFIER],
            "get": _operation("customers.read", "Read a customer", responses={"200": GOOD}),
            "delete": _operation("customers.delete", "Delete a customer", responses={"200": GOOD}, deprecated=True),
        },
        "/api/v2/invoices/{id}/payments": {
            "parameters": [IDENTIFIER],
            "post": _operation(
                "invoices.pay",
                "Record a payment",
                parameters=[{**IDENTIFIER, "example": "inv_1/a b"}],
                requestBody={"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Invoice"}}}},
                responses={"201": GOOD, "409": {"$ref": "#/components/responses/Conflict"}},
            ),
        },
        "/api/public/leads": {
            "post": {
                "operationId": "leads.submit",
                "summary": "Submit a lead",
                "tags": ["public-leads"],
                "x-public": True,
                "security": [{}, {"apiKey": []}],
                "requestBody": {
                    "content": {"application/json": {"example": {"name": "Ada", "email": "ada@example.com"}}}
                },
                "responses": {"201": GOOD},
            }
        },
        "/oauth/token": {
            "post": _operation(
                "tokens.issue",
                "Issue an access token",
                security=[{"basic": []}],
                requestBody={
                    "content": {
                        "application/x-www-form-urlencoded": {
                            "example": {"grant_type": "client_credentials", "scope": "crm:read crm:write"}
                        }
                    }
                },
                responses={"200": GOOD},
            )
        },
        "/untold": {"get": {"responses": {"default": {"description": "Anything"}}}},
    },
    "components": {
        "schemas": {
            "Customer": CUSTOMER,
            "Invoice": INVOICE,
            "Item": ITEM,
            "Status": {"enum": ["active", "closed"], "type": "string", "description": "A state."},
        },
        "parameters": {"Search": {"name": "search", "in": "query", "schema": {"type": "string"}}},
        "responses": {"Conflict": {"description": "Its state forbids it"}},
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            "basic": {"type": "http", "scheme": "basic"},
        },
    },
}
