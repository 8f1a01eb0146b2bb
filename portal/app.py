"""Composes the portal: every blueprint with its guard, one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.accounts.browser_sessions import PageSessions
from portal.accounts.commands import add_staff_commands
from portal.accounts.guards import guest, init_logins, member, staff
from portal.accounts.pages import blueprint as account_pages
from portal.accounts.pages import entrance
from portal.admin.chat_pages import blueprint as desk_chat_pages
from portal.admin.pages import blueprint as desk_pages
from portal.api.body import BODY_LIMIT
from portal.api.cors import open_to_scripts
from portal.api.dispatch import build_blueprint
from portal.api.document import build_document
from portal.api.errors import init_errors
from portal.api.events import EventType
from portal.api.guards import api_key, public, public_api
from portal.api.history import declare_history
from portal.api.kept import KeptAnswers
from portal.api.operation import Api, Group, Operation
from portal.api.rehearsing import Rehearsal
from portal.checklist.pages import blueprint as checklist_pages
from portal.commands import Preparation, add_commands
from portal.core.backlogs import JOBS, Backlog
from portal.core.config import Settings
from portal.core.mail import Mailer, use_mailer
from portal.core.runtime import init_runtime
from portal.docs.pages import blueprint as docs_pages
from portal.docs.service import init_docs
from portal.leads.api import OPERATIONS as LEAD_OPERATIONS
from portal.leads.pages import blueprint as lead_pages
from portal.limits import init_limits
from portal.schedule import DUTIES, Periodic
from portal.serving.working import Loop
from portal.support.access_pages import blueprint as chat_access_pages
from portal.support.api import OPERATIONS as CHAT_OPERATIONS
from portal.support.pages import blueprint as chat_pages
from portal.tenancy.api import EVENTS as TENANT_EVENTS
from portal.tenancy.api import OPERATIONS as TENANT_OPERATIONS
from portal.tenancy.commands import add_platform_commands
from portal.tenancy.tokens import OPERATIONS as TOKEN_OPERATIONS
from portal.tenancy.tokens import blueprint as token_endpoint
from portal.tenancy.tokens import init_tokens
from portal.web.assets import init_assets
from portal.web.bidi import init_bidi
from portal.web.csrf import init_csrf
from portal.web.desk_link import init_desk_link
from portal.web.errors import show_error_page
from portal.web.gallery import blueprint as gallery
from portal.web.headers import init_headers
from portal.web.health import blueprint as health
from portal.web.health import init_health
from portal.web.site import Site, load_site
from portal.web.standstill import init_standstill

Guard = Callable[[], ResponseReturnValue | None]


@dataclass(frozen=True)
class Extension:
    """What a package outside the portal adds to it: operations, their chapters, events, guarded pages, commands.

    Each of `loops` runs in a thread of every worker until it is told to stop. `backlogs` are what waits for it.
    `rehearsal` has its say in every call before it is carried out; one extension at most brings one.
    `own_places` are the paths, as `/inbox/`, below which outgoing calls may reach this deployment itself.
    """

    operations: tuple[Operation, ...] = ()
    groups: tuple[Group, ...] = ()
    events: tuple[EventType, ...] = ()
    pages: tuple[tuple[Blueprint, Guard], ...] = ()
    commands: tuple[Callable[[Flask], None], ...] = ()
    preparations: tuple[Preparation, ...] = ()
    duties: tuple[Periodic, ...] = ()
    loops: tuple[Loop, ...] = ()
    backlogs: tuple[Backlog, ...] = ()
    rehearsal: Rehearsal | None = None
    own_places: tuple[str, ...] = ()


class Portal(Flask):
    """Every view and hook here is a plain function, which need not be asked for on each call."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings, *extensions: Extension) -> Flask:
    """The WSGI application for `settings`, with what the extensions add."""
    app = Portal("portal", static_folder="static")
    _configure(app, settings)
    init_headers(app, is_secure=settings.is_secure)
    init_runtime(app, settings, tuple(path for extension in extensions for path in extension.own_places))
    init_limits(app)
    init_errors(app, show_error_page)
    init_assets(app)
    init_tokens(app)
    init_csrf(app)
    init_bidi(app)
    init_desk_link(app)
    init_logins(app)
    init_standstill(app)
    site = _init_site(app, settings)

    api = compose_api(extensions)
    words = {"title": f"{site.product} API", "description": site.description, "base_url": site.base_url}
    init_docs(app, lambda: build_document(api, **words), settings.content_path, site)

    mount(app, build_blueprint("business_api", api.of_family("business", "platform", "sandbox")), api_key)
    mount(app, open_to_scripts(build_blueprint("public_api", api.of_family("public"))), public_api)
    _mount_pages(app)
    for extension in extensions:
        for blueprint, guard in extension.pages:
            mount(app, blueprint, guard)
        for add in extension.commands:
            add(app)
    app.extensions["rehearsal"] = next((extension.rehearsal for extension in extensions if extension.rehearsal), None)
    app.extensions["kept answers"] = KeptAnswers()
    app.extensions["loops"] = tuple(loop for extension in extensions for loop in extension.loops)
    app.extensions["backlogs"] = (JOBS, *(backlog for extension in extensions for backlog in extension.backlogs))
    app.extensions["event names"] = tuple(event.name for event in api.events)
    app.extensions["schedule"] = (*DUTIES, *(duty for extension in extensions for duty in extension.duties))
    init_health(app, is_secure=settings.is_secure)
    add_staff_commands(app)
    add_platform_commands(app)
    add_commands(app, [fill for extension in extensions for fill in extension.preparations])
    return app


def _mount_pages(app: Flask) -> None:
    mount(app, token_endpoint, public)
    mount(app, health, public)
    mount(app, docs_pages, public)
    mount(app, gallery, public)
    mount(app, entrance, guest)
    mount(app, account_pages, member)
    mount(app, checklist_pages, guest)
    mount(app, lead_pages, guest)
    mount(app, chat_pages, guest)
    mount(app, chat_access_pages, guest)
    mount(app, desk_pages, staff)
    mount(app, desk_chat_pages, staff)


def compose_api(extensions: tuple[Extension, ...]) -> Api:
    """Every operation and event of the portal and its extensions."""
    added = tuple(operation for extension in extensions for operation in extension.operations)
    groups = tuple(group for extension in extensions for group in extension.groups)
    events = (*(event for extension in extensions for event in extension.events), *TENANT_EVENTS)
    own = (*TENANT_OPERATIONS, *declare_history(events), *LEAD_OPERATIONS, *CHAT_OPERATIONS, *TOKEN_OPERATIONS)
    return Api((*added, *own), groups, events)


def mount(app: Flask, blueprint: Blueprint, guard: Guard) -> None:
    """Register a blueprint behind its one guard, which runs before anything else of the blueprint."""
    guards = blueprint.before_request_funcs.setdefault(None, [])
    if guard not in guards:
        guards.insert(0, guard)
    app.extensions.setdefault("guards", {})[blueprint.name] = guard
    app.register_blueprint(blueprint)


def _init_site(app: Flask, settings: Settings) -> Site:
    """Load the site's texts, for pages and for mail."""
    site = load_site(settings.content_path, settings.base_url)
    app.jinja_env.globals["site"] = app.extensions["site"] = site
    reply_to = settings.mail_reply_to or site.contact.email
    use_mailer(Mailer(settings.smtp_url, settings.mail_from, reply_to, site.base_url))
    return site


def _configure(app: Flask, settings: Settings) -> None:
    app.debug = settings.debug
    app.url_map.merge_slashes = False
    app.session_interface = PageSessions()
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        MAX_FORM_PARTS=200,
        SESSION_COOKIE_NAME="slipway_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_secure,
        SEND_FILE_MAX_AGE_DEFAULT=300,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
