"""What an incoming mapping may write: each target is a declaration and plain functions that call the ERP's services."""

from __future__ import annotations

from sandbox.integration.incoming.targets.attendance import attendance
from sandbox.integration.incoming.targets.invoice_update import invoice_update
from sandbox.integration.incoming.targets.lead import lead
from sandbox.integration.incoming.targets.receipt import goods_receipt
from sandbox.integration.incoming.targets.target import Target
from sandbox.integration.incoming.targets.vendor import vendor

TARGETS: dict[str, Target] = {
    target.name: target for target in (vendor, lead, invoice_update, attendance, goods_receipt)
}
"""Every target by its name."""
