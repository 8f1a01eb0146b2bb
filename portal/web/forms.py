"""Forms obey the API's schemas: what is typed is checked there, and its complaints stand beside the fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from wtforms import Field, Form, IntegerField

from portal.api.schema import ApiModel, label_of, validate
from portal.core.errors import ValidationFailed

Model = TypeVar("Model", bound=ApiModel)


class Needed:
    """Marks a field as required for the page. The rule itself is the schema's."""

    field_flags = {"required": True}

    def __call__(self, form: Form, field: Field) -> None:
        return None


class WholeNumberField(IntegerField):  # type: ignore[misc]
    """A whole number in plain digits: Python would also read `1_0`, and digits of every script."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist and not re.fullmatch(r"\s*[0-9]{1,9}\s*", valuelist[0]):
            self.data = None
            raise ValueError(self.gettext("Not a valid integer value."))
        super().process_formdata(valuelist)


def read_form(form: Form, model: type[Model]) -> Model | None:
    """What was typed, as `model`; None once the complaints are beside the fields.

    The form's fields are named as the schema's. Empty ones count as left out.
    """
    names = [info.alias or name for name, info in model.model_fields.items()]
    typed = {name: form[name].data for name in names if name in form and form[name].data not in (None, "")}
    try:
        read = validate(model, typed)
    except ValidationFailed as refused:
        complain(form, refused.errors)
        return None
    return None if form.errors else read


def complain(form: Form, errors: Mapping[str, str]) -> None:
    """Put each sentence beside the field it is about, in the words of the field's label."""
    for name, sentence in errors.items():
        if name not in form:
            form.form_errors.append(sentence)
            continue
        label, field = label_of([name]), form[name]
        text = field.label.text + sentence.removeprefix(label) if sentence.startswith(label) else sentence
        field.errors = [*field.errors, text]
