"""The whole seed: every row of a fresh tenant, and where its counters stand."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from portal.core.ownership import TenantOwned
from portal.leads.models import Lead, LeadTouch
from sandbox.resources.attendance import Punch
from sandbox.resources.customers import Customer
from sandbox.resources.employees import Employee
from sandbox.resources.invoice_items import InvoiceItem
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.leads import LeadConversion
from sandbox.resources.masters import Master, MasterEntry
from sandbox.resources.products import Product
from sandbox.resources.quote_records import Quote, QuoteItem
from sandbox.resources.reference import Account, Category, Department
from sandbox.resources.sale_records import Sale, SaleItem, SalePayment
from sandbox.resources.ticket_replies import TicketReply
from sandbox.resources.tickets import Ticket
from sandbox.resources.transactions import Transaction
from sandbox.resources.users import User
from sandbox.resources.vehicles import Vehicle
from sandbox.seed.customers import customer_rows
from sandbox.seed.employees import attendance_rows, employee_rows
from sandbox.seed.entries import numbered
from sandbox.seed.invoices import invoice_rows
from sandbox.seed.leads import conversion_rows, lead_rows, touch_rows
from sandbox.seed.ledger import ledger_entries
from sandbox.seed.masters import entry_rows, master_rows
from sandbox.seed.opening import MONTH, opening_drafts, opening_entries
from sandbox.seed.quotes import quote_rows
from sandbox.seed.reference import newcomer_rows, product_rows, reference_rows
from sandbox.seed.sales import sale_rows
from sandbox.seed.stock import fill_store
from sandbox.seed.tickets import Cast, ticket_rows
from sandbox.seed.trade import trade_drafts
from sandbox.seed.users import user_rows
from sandbox.seed.vehicles import vehicle_rows
from sandbox.seed.words import Row, Words


@dataclass(frozen=True)
class Company:
    """Rows by model, each with its id; `series` are the last numbers of the numbered papers."""

    rows: dict[type[TenantOwned], list[Row]]
    series: dict[str, int]


def build_company(words: Words) -> Company:
    """The rows of the seed, the same on every run."""
    products, customers = product_rows(words), customer_rows(words)
    drafts = [*opening_drafts(words, customers), *trade_drafts(words, customers)]
    invoices = invoice_rows(words, drafts)
    sales = sale_rows(words, products, customers)
    store = fill_store(words, products, invoices, sales)
    employees, masters = employee_rows(words), master_rows(words)
    leads = lead_rows(words, customers)
    quotes, users = quote_rows(words, customers, invoices), user_rows(employees)
    tickets = ticket_rows(words, Cast(customers, invoices.invoices, users))
    paid = _paid_in_opening_month(invoices.payments)
    entries = [*opening_entries(words, paid), *ledger_entries(words), *invoices.payments, *sales.income]
    rows: dict[type[TenantOwned], list[Row]] = {
        Account: reference_rows(words, "accounts"),
        Category: reference_rows(words, "categories"),
        Department: reference_rows(words, "departments"),
        Product: [*products, *newcomer_rows(words)],
        Customer: customers,
        Lead: leads,
        LeadTouch: touch_rows(words, leads),
        LeadConversion: conversion_rows(leads, customers),
        Invoice: invoices.invoices,
        InvoiceItem: invoices.items,
        Transaction: numbered(entries),
        Sale: sales.sales,
        SaleItem: sales.items,
        SalePayment: sales.payments,
        **store.rows,
        Quote: quotes.quotes,
        QuoteItem: quotes.items,
        Ticket: tickets.tickets,
        TicketReply: tickets.replies,
        User: users,
        Employee: employees,
        Punch: attendance_rows(words, employees),
        Vehicle: vehicle_rows(words),
        Master: masters,
        MasterEntry: entry_rows(words, masters),
    }
    numbers = {"invoices": invoices.numbers, "sales": sales.numbers, "quotes": quotes.numbers}
    series = {f"{name}:{year}": last for name, years in numbers.items() for year, last in years.items()}
    return Company(rows, series | store.series)


def _paid_in_opening_month(payments: list[Row]) -> Decimal:
    return sum((row["amount"] for row in payments if row["date"].replace(day=1) == MONTH), Decimal("0.00"))
