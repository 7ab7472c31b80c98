"""`account/`: API keys of the current user, and login with a user name and a password or token."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import MaasResponse, answer, bad_field, text
from hostloom.model.access import ApiKey
from hostloom.services import apikeys
from hostloom.services.apikeys import secret_of

account = Resource("Account", "account/", "Manage the API keys of the current user.")
#: Outside the API root. A login creates a key from a user name and a password or a token of hostloom.
login = Resource("Login", "accounts/authenticate/", "Log in.", anonymous=True)
RESOURCES = (account,)

_NAME = Param("name", "Name of the key.")
_TOKEN = Param("token", "The API key, or only its second part.", required=True)


@account.op("POST", "create_authorisation_token", "Create an API key.", _NAME)
def create_key(call: Call) -> MaasResponse:
    """Return the key in its three parts. hostloom shows the secret only here."""
    with call.begin() as uow:
        clock, ids = call.ports.clock, call.ports.ids
        key = apikeys.create(
            uow, call.principal, clock, ids, call.principal.name, call.form.text("name") or ""
        )
        uow.commit()
    return answer(_parts(call, key))


@account.op(
    "POST", "delete_authorisation_token", "Delete an API key.", Param("token_key", _TOKEN.doc, required=True)
)
def delete_key(call: Call) -> MaasResponse:
    """Return 204, like MAAS."""
    with call.begin() as uow:
        apikeys.delete(uow, call.principal, _token_key(call.form.required("token_key")))
        uow.commit()
    return text("", 204)


@account.op(
    "POST", "update_token_name", "Rename an API key.", _TOKEN, Param("name", _NAME.doc, required=True)
)
def rename_key(call: Call) -> MaasResponse:
    """Rename the key without a change to its parts."""
    with call.begin() as uow:
        key = _token_key(call.form.required("token"))
        apikeys.rename(uow, call.principal, key, call.form.required("name"))
        uow.commit()
    return text("Accepted")


@account.op("GET", "list_authorisation_tokens", "List the API keys without their secrets.")
def list_keys(call: Call) -> MaasResponse:
    """List the keys without their secrets, unlike MAAS."""
    with call.begin() as uow:
        user = uow.users.find(call.principal.name)
        api_keys = apikeys.list_(uow, call.principal)
    return answer(
        [
            {"name": api_key.name, "token": f"{api_key.consumer_key}:{api_key.token_key}:"}
            for api_key in api_keys
            if user is not None and api_key.user_id == user.id
        ]
    )


@login.crud(
    "create",
    "Log in with a user name and a password or one of the user's tokens (`hostloom token create`).",
    Param("username", "The user.", required=True),
    Param("password", "The user's password or a token.", required=True),
    Param("consumer", "Name of the key."),
)
def log_in(call: Call) -> MaasResponse:
    """Return a new key. Raises 400 with the name of a missing field."""
    form, ports = call.form, call.ports
    for name in ("username", "password"):
        if not form.text(name):
            raise bad_field(name, "This field is required.")
    user, password = form.required("username"), form.required("password")
    with call.begin() as uow:
        key, _ = apikeys.log_in(uow, ports.clock, ports.ids, user, password, form.text("consumer") or "")
        uow.commit()
    return answer(_parts(call, key))


def _parts(call: Call, key: ApiKey) -> dict[str, str]:
    return {
        "name": key.name,
        "consumer_key": key.consumer_key,
        "token_key": key.token_key,
        "token_secret": secret_of(call.secrets, key),
    }


def _token_key(token: str) -> str:
    """Extract the token key from a complete key. A bare token key passes through."""
    parts = token.split(":")
    return parts[1] if len(parts) == 3 else token
