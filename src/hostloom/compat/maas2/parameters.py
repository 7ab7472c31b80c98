"""Checks for parameters that an action does not define. MAAS ignores most of them, and so does the façade."""

import structlog

from hostloom.compat.maas2.catalogue import Action, Resource
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import bad_field

log = structlog.get_logger(__name__)

#: Limits for a log entry: the number of parameter names, and the characters of each name.
_SHOWN_NAMES, _SHOWN_CHARACTERS = 20, 60


def check_parameters(resource: Resource, action: Action, form: Form) -> None:
    """Refuse unsupported parameters, and log the names of other unknown ones.

    The log omits the values, because a value may be a password.
    """
    defined = {param.name for param in action.params}
    unknown = sorted(name for name in form.names - defined if not _is_read(action, name))
    for name in unknown:
        _check_unknown(action, form, name, defined)
    if unknown:
        log.info(
            "parameters ignored",
            resource=resource.name,
            action=action.name,
            count=len(unknown),
            names=[ascii(name[:_SHOWN_CHARACTERS])[1:-1] for name in unknown[:_SHOWN_NAMES]],
        )


def _check_unknown(action: Action, form: Form, name: str, defined: set[str]) -> None:
    # A file counts as a value with an effect, because it has no text to compare.
    value = form.text(name) or ("" if name in form.fields else "file")
    for parameter in action.unsupported:
        if parameter.refuses(name, value):
            raise bad_field(name[:100], parameter.why)
    if action.strict and not any(parameter.names(name) for parameter in action.unsupported):
        raise bad_field(name[:100], f"No such parameter; expected: {', '.join(sorted(defined))}.")


def _is_read(action: Action, name: str) -> bool:
    return bool(action.prefixes) and name.startswith(action.prefixes)
