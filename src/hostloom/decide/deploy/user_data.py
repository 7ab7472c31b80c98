"""Checks the cloud-init user-data of users and merges it with hostloom's part."""

import re
from email import message_from_string
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from hashlib import sha256

import yaml

from hostloom.model.errors.values import InvalidValue

MAX_USER_DATA_BYTES = 64 * 1024
CLOUD_CONFIG = "#cloud-config"
#: Names that useradd(8) accepts on every system.
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
#: The beginnings by which cloud-init recognises the type of a part.
_BEGINNINGS = (
    "#!",
    CLOUD_CONFIG,
    "#cloud-boothook",
    "#include",
    "#part-handler",
    "## template: jinja",
)
_ALLOWED = "begin it with '#cloud-config' or '#!'"
#: Lists are appended; for other values and maps the user's take precedence.
_MERGE_TYPE = "list(append)+dict(no_replace,recurse_list)+str()"


def check_account_name(name: str, field: str = "user") -> str:
    """Return the name if it is valid for an account, else InvalidValue. Blank: the account of the image."""
    if name and not _ACCOUNT.fullmatch(name):
        allowed = "use up to 32 lower-case letters, digits, '_' and '-', with a letter or '_' first"
        raise InvalidValue(field, name, "is not a name of an account", allowed)
    if name == "root":
        raise InvalidValue(
            field, name, "is closed to logins by cloud-init", "choose another name; it may use sudo"
        )
    return name


def check_user_data(text: str) -> str:
    """Return the text if cloud-init can use it, else InvalidValue. Blank means no user-data."""
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidValue("user_data", None, "is not Unicode text") from None
    if size_bytes > MAX_USER_DATA_BYTES:
        raise InvalidValue("user_data", None, f"has {size_bytes} bytes", f"use at most {MAX_USER_DATA_BYTES}")
    if not text.strip() or (_is_mime(text) and _parts(text)):
        return text
    if not text.startswith(_BEGINNINGS):
        raise InvalidValue("user_data", None, "is nothing that cloud-init knows", _ALLOWED)
    if text.splitlines()[0].strip() == CLOUD_CONFIG:
        _check_cloud_config(text)
    return text


def _check_cloud_config(text: str) -> None:
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidValue("user_data", None, f"is not YAML{line}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidValue("user_data", None, "is not YAML") from None
    if not isinstance(document, yaml.MappingNode):
        raise InvalidValue(
            "user_data", None, "is not a map of cloud-init's modules", "write KEY: VALUE lines"
        )


def _is_mime(text: str) -> bool:
    return text.lower().startswith(("content-type: multipart/", "mime-version:"))


def _parts(text: str) -> list[Message]:
    """The parts of a multipart message, without the messages that hold them; none if it is not multipart."""
    try:
        message = message_from_string(text)
        return [part for part in message.walk() if not part.is_multipart()] if message.is_multipart() else []
    except RecursionError:
        return []


def with_user_data(cloud_config: str, user_data: str) -> str:
    """The cloud-config, joined with the user's part if there is one.

    cloud-init merges the parts: it appends lists such as `users` and `write_files`; the user's values take
    precedence over those of the cloud-config.
    """
    if not user_data.strip():
        return cloud_config
    # The same input must give the same text, so the boundary is a hash, which no part can contain itself.
    message = MIMEMultipart(boundary=f"hostloom-{sha256(user_data.encode()).hexdigest()[:32]}")
    for part in _parts(user_data) if _is_mime(user_data) else [_part(user_data, "plain", "user-data")]:
        message.attach(part)
    own_part = _part(cloud_config, "cloud-config", "hostloom")
    own_part["Merge-Type"] = _MERGE_TYPE
    message.attach(own_part)
    return message.as_string()


def _part(text: str, subtype: str, filename: str) -> Message:
    """cloud-init detects the type of a text/plain part by its content."""
    part = MIMEText(text, subtype, "utf-8")
    part.add_header("Content-Disposition", "attachment", filename=filename)
    return part
