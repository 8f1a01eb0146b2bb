"""The chapters of the reference, in reading order."""

from __future__ import annotations

from portal.api.operation import Group

GROUPS = (
    Group("customers", "Customers", "Whom the company sells to.", "core"),
    Group("products", "Products", "Goods and services on offer.", "core"),
    Group("invoices", "Invoices", "What customers owe, and their payments.", "core"),
    Group("transactions", "Transactions", "Every sum earned or spent.", "core"),
    Group("leads", "Leads", "People who asked; sales turns them into customers.", "core"),
    Group("accounts", "Accounts", "Where money is kept.", "core"),
    Group("categories", "Categories", "What money was earned by or spent on.", "core"),
    Group("departments", "Departments", "Who answers a ticket.", "core"),
    Group("reports", "Reports", "Figures of a period.", "reports"),
    Group("public-leads", "Public leads", "What a website's visitors leave.", "public-website"),
    Group("guest-chat", "Guest chat", "Support conversations without an account.", "guest-chat"),
    Group("subscription", "Subscription", "A tenant's plan, its modules and limits.", "subscriptions"),
    Group("tenants", "Tenants", "Workspaces and their settings.", "tenant-workspaces"),
    Group("audit", "Audit trail", "Who did what in your tenant.", "tenant-workspaces"),
    Group("events", "Events", "What your tenant announced.", "tenant-workspaces"),
    Group("sandbox", "Sandbox", "Your own tenant, put back to its seed.", "tenant-workspaces"),
    Group("tokens", "Access tokens", "Short-lived tokens for a key.", "tenant-workspaces"),
)
