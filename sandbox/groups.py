"""The chapters of the reference, in reading order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from portal.api.operation import Group
from portal.api.resource import Resource

GROUPS = (
    Group("customers", "Customers", "Whom the company sells to.", "core", "Sales and support"),
    Group("leads", "Leads", "People who asked; sales turns them into customers.", "core", "Sales and support"),
    Group(
        "quotes",
        "Quotes",
        "What customers were offered; an accepted one becomes an invoice.",
        "core",
        "Sales and support",
    ),
    Group("tickets", "Tickets", "What customers ask, with replies.", "core", "Sales and support"),
    Group("invoices", "Invoices", "What customers owe, and their payments.", "core", "Money"),
    Group("transactions", "Transactions", "Every sum earned or spent.", "core", "Money"),
    Group("accounts", "Accounts", "Where money is kept.", "core", "Money"),
    Group("categories", "Categories", "What money was earned by or spent on.", "core", "Money"),
    Group("reports", "Reports", "Figures of a period.", "reports", "Money"),
    Group("products", "Products", "Goods and services on offer.", "core", "Goods"),
    Group("sales", "Sales", "Receipts of the counter: goods out, money in.", "pos-inventory", "Goods"),
    Group("stock", "Stock", "What is on hand of each product.", "pos-inventory", "Goods"),
    Group("movements", "Stock movements", "What came, what went, what a count found.", "pos-inventory", "Goods"),
    Group("vendors", "Vendors", "Whom the company buys from.", "core", "Goods"),
    Group("receipts", "Goods receipts", "What vendors delivered.", "core", "Goods"),
    Group("employees", "Employees", "Who works for the company.", "core", "People and vehicles"),
    Group("attendance", "Attendance", "Who came and went, punch by punch.", "core", "People and vehicles"),
    Group("users", "Users", "Who signs in to the ERP.", "core", "People and vehicles"),
    Group("departments", "Departments", "Who answers a ticket.", "core", "People and vehicles"),
    Group("vehicles", "Vehicles", "What the company drives.", "core", "People and vehicles"),
    Group("batch", "Batch", "Many records in one call, with an outcome for each.", "core", "All modules"),
    Group("masters", "Masters", "Lists to choose from, by name.", "core", "All modules"),
    Group("audit", "Audit trail", "Who did what in your tenant.", "tenant-workspaces", "All modules"),
    Group("events", "Events", "What your tenant announced.", "tenant-workspaces", "All modules"),
    Group("webhooks", "Webhooks", "Your addresses that are told of events.", "integration", "Integration"),
    Group("deliveries", "Deliveries", "What was sent, attempt by attempt.", "integration", "Integration"),
    Group("incoming", "Incoming", "Records of external systems, in their own form.", "integration", "Integration"),
    Group("incoming-mappings", "Incoming mappings", "Others' parameters as your fields.", "integration", "Integration"),
    Group("incoming-logs", "Incoming logs", "What came in, and what became of it.", "integration", "Integration"),
    Group("connections", "Connections", "Partners' addresses, and their credentials.", "integration", "Integration"),
    Group(
        "outgoing-mappings", "Outgoing mappings", "Your records as partners' parameters.", "integration", "Integration"
    ),
    Group("outgoing-logs", "Outgoing logs", "What was sent to partners.", "integration", "Integration"),
    Group("failed", "Failed Queue", "What did not get through.", "integration", "Integration"),
    Group("traces", "Traces", "One request, from arrival to delivery.", "integration", "Integration"),
    Group("tokens", "Access tokens", "Short-lived tokens for a key.", "tenant-workspaces", "Platform"),
    Group("tenants", "Tenants", "Workspaces and their settings.", "tenant-workspaces", "Platform"),
    Group("subscription", "Subscription", "A tenant's plan, its modules and limits.", "subscriptions", "Platform"),
    Group(
        "sandbox",
        "Sandbox",
        "Your own tenant: its reset, snapshots, clock, scenarios and log.",
        "tenant-workspaces",
        "Platform",
    ),
    Group("public-leads", "Public leads", "What a website's visitors leave.", "public-website", "Public"),
    Group("guest-chat", "Guest chat", "Support conversations without an account.", "guest-chat", "Public"),
)


def told(resources: Iterable[Resource]) -> tuple[Group, ...]:
    """The chapters, those of resources with what their declarations say of them."""
    abouts = {resource.name: resource.description for resource in resources}
    return tuple(replace(group, about=abouts.get(group.name, group.about)) for group in GROUPS)
