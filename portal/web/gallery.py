"""The gallery: every component of the portal's pages in all its states, at /components."""

from __future__ import annotations

from flask import Blueprint, render_template
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from wtforms import (
    BooleanField,
    EmailField,
    Form,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import InputRequired

blueprint = Blueprint("gallery", __name__, template_folder="templates")

CURL = """curl https://portal.example/api/v2/customers \\
  --header "x-api-key: $SLIPWAY_KEY" \\
  --header "Idempotency-Key: 5f1c" \\
  --json '{"name": "Asha Rao", "email": "asha@example.com"}'"""

PYTHON = """import os
import requests

# The key stays on the server.
answer = requests.post(
    "https://portal.example/api/v2/customers",
    headers={"x-api-key": os.environ["SLIPWAY_KEY"]},
    json={"name": "Asha Rao", "credit_limit": 1500.00},
    timeout=10,
)
answer.raise_for_status()"""

JAVASCRIPT = """const answer = await fetch("https://portal.example/api/v2/customers", {
  method: "POST",
  headers: { "x-api-key": process.env.SLIPWAY_KEY, "content-type": "application/json" },
  body: JSON.stringify({ name: "Asha Rao", active: true }),
});
if (!answer.ok) throw new Error(`Refused: ${answer.status}`);"""

JSON = """{
  "success": false,
  "message": "Validation failed",
  "code": "validation_failed",
  "errors": {
    "email": "Invalid email format",
    "items.0.amount": "Amount must be greater than 0"
  },
  "request_id": "req_7Q2mZ0",
  "retry": null,
  "attempt": 1
}"""

HTTP = """POST /api/v2/customers HTTP/1.1
Host: portal.example
Content-Type: application/json
X-Api-Key: sk_test_…

{"name": "Asha Rao"}"""


class SampleForm(Form):  # type: ignore[misc]
    """One field of every kind; it is shown, never sent."""

    name = StringField("Name", [InputRequired()])
    email = EmailField("E-mail", [InputRequired()])
    phone = TelField("Telephone")
    password = PasswordField("Passphrase", [InputRequired()])
    interest = SelectField("Module", choices=[("crm", "CRM"), ("pos", "Point of sale"), ("hr", "HR")])
    message = TextAreaField("What should be connected?", [InputRequired()])
    role = RadioField("Send as", choices=[("administrator", "Administrator"), ("viewer", "Viewer")])
    consent = BooleanField("Answer me by e-mail", [InputRequired()])


def paint(source: str, language: str) -> Markup:
    """Give `source` the spans of Pygments' classes that the style sheet colours."""
    formatter = HtmlFormatter(nowrap=True)
    return Markup(highlight(source, get_lexer_by_name(language), formatter).rstrip())  # noqa: S704


def filled_form() -> SampleForm:
    """A form as it comes back with what was typed and what was wrong with it."""
    form = SampleForm(
        data={"name": "Asha Rao", "email": "asha@", "phone": "12", "interest": "pos", "role": "viewer"},
        prefix="wrong-",
    )
    form.email.errors = ["Write the address in full, such as asha@example.com."]
    form.phone.errors = ["A telephone number has at least six digits."]
    form.message.errors = ["Say in a sentence what should be connected."]
    form.role.errors = ["Choose a role that may write."]
    form.consent.errors = ["Without your consent we cannot answer."]
    return form


@blueprint.get("/components")
def show_gallery() -> str:
    """Every component in every state, and the pieces of layout pages are made of."""
    samples = [
        ("curl", "curl", paint(CURL, "bash")),
        ("python", "Python", paint(PYTHON, "python")),
        ("javascript", "JavaScript", paint(JAVASCRIPT, "javascript")),
    ]
    return render_template(
        "web/gallery.html",
        form=SampleForm(role="administrator"),
        wrong=filled_form(),
        samples=samples,
        answer=paint(JSON, "json"),
        request_text=paint(HTTP, "http"),
    )
