"""The ERP a developer may break: its records, its API, its console. Imports portal, never the other way."""

from __future__ import annotations

from portal.accounts.guards import guest
from portal.api.registrar import declare
from portal.app import Extension
from sandbox import commands, daily, reset_api, tenants_api
from sandbox.batch import batch
from sandbox.console.pages import blueprint as console_pages
from sandbox.examples import with_example
from sandbox.groups import GROUPS
from sandbox.rehearsal import api as rehearsal
from sandbox.rehearsal.acting import rehearse
from sandbox.reports import api as reports
from sandbox.resources import payments, tickets
from sandbox.resources.attendance import attendance
from sandbox.resources.customers import customers
from sandbox.resources.employees import employees
from sandbox.resources.invoices import invoices
from sandbox.resources.leads import leads
from sandbox.resources.masters import masters
from sandbox.resources.movements import movements
from sandbox.resources.products import products
from sandbox.resources.quotes import quotes
from sandbox.resources.receipts import receipts
from sandbox.resources.reference import accounts, categories, departments
from sandbox.resources.sales import sales
from sandbox.resources.stock import stock
from sandbox.resources.transactions import transactions
from sandbox.resources.users import users
from sandbox.resources.vehicles import vehicles
from sandbox.resources.vendors import vendors
from sandbox.seed.service import prepare_seed

RESOURCES = (
    customers,
    products,
    invoices,
    transactions,
    quotes,
    leads,
    tickets.tickets,
    accounts,
    categories,
    departments,
    masters,
    sales,
    stock,
    movements,
    vendors,
    receipts,
    employees,
    attendance,
    vehicles,
    users,
)

extension = Extension(
    operations=tuple(
        with_example(operation)
        for operation in (
            *(operation for resource in RESOURCES for operation in declare(resource)),
            *(batch(resource) for resource in (customers, invoices, products, leads, transactions)),
            *payments.OPERATIONS,
            *reports.OPERATIONS,
            *reset_api.OPERATIONS,
            *rehearsal.OPERATIONS,
            *tenants_api.OPERATIONS,
        )
    ),
    groups=GROUPS,
    events=(
        *(event for resource in RESOURCES for event in resource.event_types),
        *payments.EVENTS,
        *tickets.EVENTS,
        *reset_api.EVENTS,
    ),
    pages=((console_pages, guest),),
    commands=(commands.add_commands,),
    preparations=(prepare_seed,),
    duties=(daily.DUTY, rehearsal.DUTY),
    rehearsal=rehearse,
)
