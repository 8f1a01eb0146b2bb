"""The ERP a developer may break: its records, its API, its console. Imports portal, never the other way."""

from __future__ import annotations

from portal.accounts.guards import guest
from portal.api.guards import public
from portal.api.registrar import declare
from portal.app import Extension
from sandbox import commands, daily, reset_api, tenants_api
from sandbox.batch import batch
from sandbox.console.pages import blueprint as console_pages
from sandbox.delivery import duties as delivery_duties
from sandbox.delivery.kinds import delivers
from sandbox.delivery.queue import DELIVERIES
from sandbox.delivery.worker import deliver
from sandbox.event_examples import with_event_example
from sandbox.examples import with_example
from sandbox.groups import told
from sandbox.inbox import api as inbox
from sandbox.inbox.pages import blueprint as inbox_pages
from sandbox.inbox.receiving import blueprint as inbox_receiving
from sandbox.integration.entrance import blueprint as integration_pages
from sandbox.integration.incoming import api as incoming
from sandbox.integration.incoming.pages import blueprint as incoming_pages
from sandbox.integration.outgoing import api as outgoing
from sandbox.integration.outgoing import logs_api as outgoing_logs
from sandbox.integration.outgoing import running as outgoing_runs
from sandbox.integration.outgoing import sends_api as sends
from sandbox.integration.outgoing import tracing_api as traces
from sandbox.integration.outgoing.delivering import SENDS
from sandbox.integration.outgoing.pages import blueprint as outgoing_pages
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
from sandbox.webhooks import api as webhooks
from sandbox.webhooks import deliveries_api as deliveries
from sandbox.webhooks.pages import blueprint as webhook_pages
from sandbox.webhooks.sending import WEBHOOKS

delivers("webhook", WEBHOOKS)
delivers("send", SENDS)

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
            *inbox.OPERATIONS,
            *outgoing.OPERATIONS,
            *sends.OPERATIONS,
            *outgoing_logs.OPERATIONS,
            *traces.OPERATIONS,
            *webhooks.OPERATIONS,
            *deliveries.OPERATIONS,
            *incoming.OPERATIONS,
            *tenants_api.OPERATIONS,
        )
    ),
    groups=told((*RESOURCES, webhooks.webhooks)),
    events=tuple(
        with_event_example(event)
        for event in (
            *(event for resource in RESOURCES for event in resource.event_types),
            *payments.EVENTS,
            *tickets.EVENTS,
            *reset_api.EVENTS,
        )
    ),
    pages=(
        (console_pages, guest),
        (integration_pages, guest),
        (incoming_pages, guest),
        (outgoing_pages, guest),
        (webhook_pages, guest),
        (inbox_pages, guest),
        (inbox_receiving, public),
    ),
    commands=(commands.add_commands,),
    preparations=(prepare_seed,),
    duties=(daily.DUTY, rehearsal.DUTY, *delivery_duties.DUTIES, outgoing_runs.DUTY, *incoming.DUTIES),
    loops=(deliver,),
    backlogs=(DELIVERIES,),
    rehearsal=rehearse,
    own_places=("/inbox/",),
)
