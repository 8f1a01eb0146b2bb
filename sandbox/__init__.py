"""The ERP a developer may break: its records, its API, its console. Imports portal, never the other way."""

from __future__ import annotations

from portal.accounts.guards import guest
from portal.api.registrar import declare
from portal.app import Extension
from sandbox import commands, daily, reset_api, tenants_api
from sandbox.console.pages import blueprint as console_pages
from sandbox.examples import with_example
from sandbox.groups import GROUPS
from sandbox.reports import api as reports
from sandbox.resources import payments
from sandbox.resources.customers import customers
from sandbox.resources.invoices import invoices
from sandbox.resources.leads import leads
from sandbox.resources.products import products
from sandbox.resources.reference import accounts, categories, departments
from sandbox.resources.transactions import transactions
from sandbox.seed.service import prepare_seed

RESOURCES = (customers, products, invoices, transactions, leads, accounts, categories, departments)

extension = Extension(
    operations=tuple(
        with_example(operation)
        for operation in (
            *(operation for resource in RESOURCES for operation in declare(resource)),
            *payments.OPERATIONS,
            *reports.OPERATIONS,
            *reset_api.OPERATIONS,
            *tenants_api.OPERATIONS,
        )
    ),
    groups=GROUPS,
    events=(*(event for resource in RESOURCES for event in resource.event_types), *payments.EVENTS, *reset_api.EVENTS),
    pages=((console_pages, guest),),
    commands=(commands.add_commands,),
    preparations=(prepare_seed,),
    duties=(daily.DUTY,),
)
