"""The describe document, from which clients build their classes and commands."""

import hashlib
import json
from typing import Any

from hostloom.compat.maas2.catalogue import CRUD, Action, Catalogue, Param, Resource
from hostloom.compat.maas2.responses import ROOT

DOC = "hostloom's answers to MAAS's API 2.0."


def describe(catalogue: Catalogue, base: str) -> dict[str, Any]:
    """Make the document for a client that reaches the server at `base` (scheme and host)."""
    resources, handlers = [], []
    for resource in catalogue.resources:
        handler = _handler(resource, base)
        handlers.append(handler)
        anon, auth = (handler, None) if resource.anonymous else (None, handler)
        resources.append({"name": f"{resource.name}Handler", "anon": anon, "auth": auth})
    document = {"doc": DOC, "resources": resources, "handlers": handlers}
    return document | {"hash": fingerprint(catalogue)}


def fingerprint(catalogue: Catalogue) -> str:
    """Hash the document without its base URL. Every response carries the hash in a header."""
    content = json.dumps([_handler(resource, "") for resource in catalogue.resources], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:40]


def _handler(resource: Resource, base: str) -> dict[str, Any]:
    path = ROOT + resource.path
    prefix = "Anon" if resource.anonymous else ""
    return {
        "name": f"{prefix}{resource.name}Handler",
        "doc": resource.doc,
        "path": path,
        "uri": base + path,
        "params": resource.params,
        "actions": [_action(action) for action in _ordered(resource)],
    }


def _ordered(resource: Resource) -> list[Action]:
    order = list(CRUD)
    actions = resource.actions.values()
    return sorted(
        actions,
        key=lambda action: (order.index(action.name) if action.op is None else len(order), action.name),
    )


def _action(action: Action) -> dict[str, Any]:
    return {
        "name": action.name,
        "method": action.method,
        "op": action.op,
        "restful": action.op is None,
        "doc": _doc(action),
    }


def _doc(action: Action) -> str:
    """Render a docstring. MAAS's CLI accepts arguments only if `:param` follows the first paragraph."""
    return "\n\n".join([action.doc, *(_param(param) for param in action.params)])


def _param(param: Param) -> str:
    need = "Required." if param.required else "Optional."
    return f":param {param.name}: {need} {param.doc}\n:type {param.name}: {param.kind}"
