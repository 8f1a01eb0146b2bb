"""What the deployment calls itself: `content/site.yaml`, read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from portal.core.config import ConfigurationError


@dataclass(frozen=True)
class Contact:
    """How people reach the company."""

    email: str
    phone: str
    hours: str


@dataclass(frozen=True)
class Site:
    """Names and addresses every page may use."""

    product: str
    portal: str
    tagline: str
    description: str
    contact: Contact
    base_url: str


def load_site(content: Path, base_url: str) -> Site:
    """Read the site's texts. Raises ConfigurationError naming what is missing."""
    file = content / "site.yaml"
    try:
        data = yaml.safe_load(file.read_text())
        contact = data.get("contact") or {}
        return Site(
            product=data["product"],
            portal=data["portal"],
            tagline=data["tagline"],
            description=data["description"],
            contact=Contact(contact["email"], contact.get("phone") or "", contact.get("hours") or ""),
            base_url=(data.get("base_url") or base_url).rstrip("/"),
        )
    except (OSError, KeyError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{file}: {error!r}") from None
