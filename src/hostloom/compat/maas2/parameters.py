"""Parameters that an action does not take: MAAS ignores most of them, and so does the façade."""

import structlog

from hostloom.compat.maas2.catalogue import Action, Resource
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import bad_field

log = structlog.get_logger(__name__)

#: The log shows this many names of ignored parameters, and this many characters of each.
_SHOWN_NAMES, _SHOWN_CHARACTERS = 20, 60


def check_parameters(resource: Resource, action: Action, form: Form) -> None:
    """Refuse what MAAS acts on and hostloom cannot; log the names of everything else that is not known.

    The names alone: a value may be a password.
    """
    known = {param.name for param in action.params}
    unknown = sorted(name for name in form.names - known if not _is_read(action, name))
    for name in unknown:
        # A file has no text: it is never a harmless value.
        value = form.text(name) or ("" if name in form.fields else "file")
        for parameter in action.unsupported:
            if parameter.refuses(name, value):
                raise bad_field(name[:100], parameter.why)
        if action.strict and not any(parameter.names(name) for parameter in action.unsupported):
            raise bad_field(name[:100], f"No such parameter; expected: {', '.join(sorted(known))}.")
    if unknown:
        log.info(
            "parameters ignored",
            resource=resource.name,
            action=action.name,
            count=len(unknown),
            names=[ascii(name[:_SHOWN_CHARACTERS])[1:-1] for name in unknown[:_SHOWN_NAMES]],
        )


def _is_read(action: Action, name: str) -> bool:
    return bool(action.prefixes) and name.startswith(action.prefixes)
