"""What a fresh sandbox answers about quotes, leads, tickets and users, as the document and the reference show it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.api.operation import Answer, Done, Page

Record = dict[str, Any]
NOW = "2026-11-21T09:12:44Z"
FRAMEWORK = "Framework offer. The prices hold until the end of 2030, for any number of orders."


def _sums(subtotal: str, tax: str, total: str = "amount") -> Record:
    return {"subtotal": Decimal(subtotal), "tax": Decimal(tax), total: Decimal(subtotal) + Decimal(tax)}


def _item(description: str, amount: str, qty: int, product_id: int | None, rate: str, sums: Record) -> Record:
    priced = {"amount": Decimal(amount), "qty": qty, "product_id": product_id, "tax_rate": Decimal(rate)}
    return {"description": description, **priced, **sums}


QUOTE: Record = {
    "id": 1,
    "public_id": "qte_fe3b4e55f9e7dd672b68f8d2",
    "quote_number": "QUO-2024-001",
    "customer_id": 2,
    "issued_on": "2024-01-17",
    "valid_until": "2030-12-31",
    "items": [
        _item(
            "Customer records moved from the old system", "980.00", 1, 10, "18.00", _sums("980.00", "176.40", "total")
        )
    ],
    "notes": FRAMEWORK,
    **_sums("980.00", "176.40"),
    "status": "Open",
    "invoice_id": None,
    "created_at": "2024-01-17T09:20:03Z",
    "updated_at": "2024-01-17T09:20:03Z",
    "version": 1,
}
OFFERED = {
    "customer_id": 1,
    "items": [_item("Web Development", "1500.00", 1, None, "0.00", _sums("1500.00", "0.00", "total"))],
    "notes": "Prices hold until the end of 2030",
    **_sums("1500.00", "0.00"),
    "updated_at": NOW,
}
CONVERTED_LEAD: Record = {
    "id": 1,
    "public_id": "led_8e8a81c423ddad4e8265400d",
    "first_name": "Pavel",
    "last_name": "Nambiar",
    "email": "accounts@hawthorn-design.example",
    "company": "Hawthorn & Ambrosi Design",
    "phone": "+91 22 0055 0163",
    "source": "Referral",
    "message": "Which plan has stock keeping for two warehouses?",
    "status": "Converted",
    "touched_at": None,
    "customer_id": 10,
    "created_at": "2024-01-25T08:52:41Z",
    "updated_at": "2024-02-26T11:39:37Z",
    "version": 3,
}
NEW_LEAD: Record = {
    "id": 40,
    "public_id": "led_1f0934573ab67c7e88dff6fa",
    "first_name": "Kenji",
    "last_name": "Deshpande",
    "email": "kenji@deshpande.example",
    "company": None,
    "phone": "+91 40 0055 0155",
    "source": "Trade fair",
    "message": "Do you train new staff at our premises?",
    "status": "New",
    "touched_at": None,
    "customer_id": None,
    "created_at": "2026-06-18T13:31:28Z",
    "updated_at": "2026-06-18T13:31:28Z",
    "version": 1,
}
TOUCH: Record = {
    "id": 21,
    "public_id": "led_0c1b5f6a0d1b4a51e4d7c1a9",
    "lead_id": 37,
    "name": "Fiona Sethi",
    "email": "fiona@sethi.example",
    "phone": "+1 619 555 0154",
    "company": "Sethi Hotels",
    "source": "Search",
    "message": "Please send a quote for 200 rolls of labels a month.",
    "consent": True,
    **dict.fromkeys(("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer")),
    "created_at": "2026-05-28T08:22:39Z",
}
TICKET: Record = {
    "id": 1,
    "public_id": "tkt_58752495b5145c98c35957cd",
    "customer_id": 4,
    "subject": "Question about the Battery Back-up",
    "message": "Can the Battery Back-up be used together with the devices we have? We bought those two years ago.",
    "department_id": 1,
    "priority": "Medium",
    "status": "Closed",
    "closed_at": "2024-01-30T13:29:47Z",
    "created_at": "2024-01-23T10:26:26Z",
    "updated_at": "2024-01-30T13:29:47Z",
    "version": 2,
}
OPENED = {"status": "Open", "closed_at": None}
ASKED = {
    "customer_id": 1,
    "subject": "Scanner loses its connection",
    "message": "The new scanner loses its connection every few minutes.",
    "priority": "High",
}
REPLY: Record = {
    "id": 3,
    "public_id": "rpl_739e611fb79253daac1f3e69",
    "ticket_id": 1,
    "kind": "reply",
    "author": "Jonas Okonkwo",
    "message": "It can, with the adapter that comes in the box. The fourth page of the manual shows how.",
    "created_at": "2024-01-30T09:23:45Z",
}
USER: Record = {
    "id": 1,
    "public_id": "usr_22625ce649984c12910b3fa8",
    "name": "Adrian Mandal",
    "email": "adrian.mandal@staff.example",
    "role": "administrator",
    "created_at": "2024-01-03T09:07:00Z",
    "updated_at": "2024-01-03T09:07:00Z",
    "version": 1,
}
JANE = {"name": "Jane Smith", "email": "jane@example.com", "role": "sales", "updated_at": NOW}

SEEDED: dict[str, tuple[Record, int]] = {
    "quotes": (QUOTE, 120),
    "leads": (NEW_LEAD, 40),
    "tickets": (TICKET, 150),
    "users": (USER, 8),
}
OTHERS: dict[str, Answer] = {
    "quotes.create": Done(
        QUOTE
        | OFFERED
        | {"id": 121, "public_id": "qte_5641503830f97f6de1a85a46", "quote_number": "QUO-2026-053"}
        | {"issued_on": NOW[:10], "created_at": NOW}
    ),
    "quotes.replace": Done(QUOTE | OFFERED | {"version": 2}),
    "quotes.accept": Done(
        QUOTE
        | {"id": 118, "public_id": "qte_d9adef5143affd7d980ec2d1", "quote_number": "QUO-2026-050", "customer_id": 41}
        | {"issued_on": "2026-06-30", "status": "Accepted", **_sums("588.10", "84.97")}
        | {
            "items": [
                _item("Copy paper, 500 sheets", "5.90", 59, 19, "12.00", _sums("348.10", "41.77", "total")),
                _item("Website care, June 2026", "120.00", 2, 2, "18.00", _sums("240.00", "43.20", "total")),
            ]
        }
        | {"created_at": "2026-06-30T12:49:10Z", "updated_at": NOW, "version": 2}
    ),
    "quotes.decline": Done(
        QUOTE
        | {"id": 119, "public_id": "qte_aac3eae143a4752bdaa0299b", "quote_number": "QUO-2026-051", "customer_id": 82}
        | {"issued_on": "2026-06-30", "status": "Declined", **_sums("1272.00", "228.96")}
        | {"items": [_item("Monitors, 24 inches", "159.00", 8, 34, "18.00", _sums("1272.00", "228.96", "total"))]}
        | {"created_at": "2026-06-30T14:32:57Z", "updated_at": NOW, "version": 2}
    ),
    "quotes.convert": Done(
        {
            "id": 323,
            "public_id": "inv_d3f08f18c1abf176431e6e7f",
            "invoice_number": "INV-2026-075",
            "customer_id": 63,
            "date": NOW[:10],
            "due_date": "2030-12-31",
            "items": [
                _item("Battery back-up for the server", "139.00", 1, 32, "18.00", _sums("139.00", "25.02", "total")),
                _item("Toner for the laser printer", "69.90", 3, 18, "18.00", _sums("209.70", "37.75", "total")),
            ],
            "reference": None,
            "notes": FRAMEWORK,
            **_sums("348.70", "62.77"),
            "paid": Decimal("0.00"),
            "balance": Decimal("411.47"),
            "status": "Unpaid",
            "overdue": False,
            "approved_at": None,
            "created_at": NOW,
            "updated_at": NOW,
            "version": 1,
        }
    ),
    "leads.list": Page([CONVERTED_LEAD], limit=20, page=1, total=40),
    "leads.list_touches": Page([TOUCH], limit=20, page=1, total=2),
    "leads.convert": Done(
        {
            "id": 101,
            "public_id": "cus_72abd3588948d4c2cb7d7ae6",
            "account": "Lindqvist Bindery",
            "email": "tamsin@lindqvist.example",
            "phone": "+91 44 0055 0135",
            **dict.fromkeys(("address", "city", "state", "zip", "country")),
            "created_at": NOW,
            "updated_at": NOW,
            "version": 1,
        }
    ),
    "tickets.create": Done(
        TICKET
        | ASKED
        | OPENED
        | {"id": 151, "public_id": "tkt_8e3652d2a6d8785c74c1f359", "created_at": NOW, "updated_at": NOW, "version": 1}
    ),
    "tickets.replace": Done(TICKET | ASKED | OPENED | {"updated_at": NOW, "version": 3}),
    "tickets.list_replies": Page([REPLY], limit=20, page=1, total=2),
    "tickets.reply": Done(
        REPLY
        | {"id": 419, "public_id": "rpl_d34d2842f6c4d2ced7b9654a", "ticket_id": 2, "author": "Administrator"}
        | {"message": "We have sent a replacement today; it arrives on Thursday.", "created_at": NOW}
    ),
    "tickets.close": Done(
        TICKET
        | {"id": 149, "public_id": "tkt_14f8d4f756a40fddc45ed265", "customer_id": 34, "department_id": 4}
        | {"subject": "Offer of our new range"}
        | {"message": "We make labels and paper rolls. Whom may we send our price list?"}
        | {"closed_at": NOW, "created_at": "2026-06-29T09:12:26Z", "updated_at": NOW, "version": 2}
    ),
    "tickets.reopen": Done(
        TICKET
        | OPENED
        | {"id": 3, "public_id": "tkt_0ffa982d83f799ad64500e0b", "customer_id": 7, "department_id": 3}
        | {"subject": "Invoice INV-2024-011 shows the wrong address", "priority": "High"}
        | {"message": "Our name is right on INV-2024-011, the street is not. Our accountant cannot book it like this."}
        | {"created_at": "2024-02-05T10:20:29Z", "updated_at": NOW, "version": 3}
    ),
    "users.create": Done(
        USER | JANE | {"id": 9, "public_id": "usr_fc4cfbb41da0918957759d71", "created_at": NOW, "version": 1}
    ),
    "users.replace": Done(USER | {"updated_at": NOW, "version": 2}),
}
