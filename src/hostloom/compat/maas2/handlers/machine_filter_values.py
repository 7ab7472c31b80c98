"""Values of the filters of the list of machines."""

from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import bad_field
from hostloom.compat.maas2.views.machines import STATUS
from hostloom.model.ids import MacAddress
from hostloom.model.machine import PowerState

#: MAAS's states that hostloom does not have. Filters accept them and match no machine.
_OTHER_STATES = {
    5: "Reserved",
    7: "Retired",
    13: "Failed releasing",
    14: "Disk erasing",
    15: "Failed disk erasing",
    16: "Rescue mode",
    17: "Entering rescue mode",
    18: "Failed to enter rescue mode",
    19: "Exiting rescue mode",
    20: "Failed to exit rescue mode",
    21: "Testing",
    22: "Failed testing",
}
#: State names by notation: the name in lower case, with spaces or `_`, or the number.
_STATES = {
    label: name
    for number, name in (*STATUS.values(), *_OTHER_STATES.items())
    for label in (str(number), name.lower(), name.lower().replace(" ", "_"))
}


def read_values(form: Form, name: str, kind: str) -> frozenset[str]:
    """Normalize the values of a parameter. Raises 400 for an impossible value."""
    values = form.texts(name)
    if kind == "mac_address":
        return frozenset(str(MacAddress.parse(value, name)) for value in values)
    if kind == "ip_addresses":
        return frozenset(str(form.parse_address(name, value)) for value in values)
    if kind == "status":
        return frozenset(_state(name, value) for value in values)
    if kind == "power_state":
        return frozenset(_power_state(name, value) for value in values)
    return frozenset(values)


def _state(name: str, value: str) -> str:
    if value.lower() not in _STATES:
        names = ", ".join(sorted({state.lower() for state in _STATES.values()}))
        raise bad_field(name, f"{value[:60]!r} is not one of: {names}.")
    return _STATES[value.lower()]


def _power_state(name: str, value: str) -> str:
    if value not in (*PowerState, "error"):
        raise bad_field(name, f"{value[:60]!r} is not one of: {', '.join(PowerState)}, error.")
    return value
