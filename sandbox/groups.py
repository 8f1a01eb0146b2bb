"""The chapters of the reference, in reading order."""

from __future__ import annotations

from portal.api.operation import Group

GROUPS = (
    Group("customers", "Customers", "Whom the company sells to.", "core"),
    Group("products", "Products", "Goods and services on offer.", "core"),
    Group("invoices", "Invoices", "What customers owe, and their payments.", "core"),
    Group("transactions", "Transactions", "Every sum earned or spent.", "core"),
    Group("quotes", "Quotes", "What customers were offered; an accepted one becomes an invoice.", "core"),
    Group("leads", "Leads", "People who asked; sales turns them into customers.", "core"),
    Group("tickets", "Tickets", "What customers ask, with replies.", "core"),
    Group("accounts", "Accounts", "Where money is kept.", "core"),
    Group("categories", "Categories", "What money was earned by or spent on.", "core"),
    Group("departments", "Departments", "Who answers a ticket.", "core"),
    Group("masters", "Masters", "Lists to choose from, by name.", "core"),
    Group("sales", "Sales", "Receipts of the counter: goods out, money in.", "pos-inventory"),
    Group("stock", "Stock", "What is on hand of each product.", "pos-inventory"),
    Group("movements", "Stock movements", "What came, what went, what a count found.", "pos-inventory"),
    Group("vendors", "Vendors", "Whom the company buys from.", "core"),
    Group("receipts", "Goods receipts", "What vendors delivered.", "core"),
    Group("employees", "Employees", "Who works for the company.", "core"),
    Group("attendance", "Attendance", "Who came and went, punch by punch.", "core"),
    Group("vehicles", "Vehicles", "What the company drives.", "core"),
    Group("users", "Users", "Who signs in to the ERP.", "core"),
    Group("batch", "Batch", "Many records in one call, with an outcome for each.", "core"),
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
