"""Renders the three texts with which cloud-init configures a deployed machine (data source NoCloud)."""

from dataclasses import dataclass, field
from typing import Any

import yaml

from hostloom.decide.deploy.network_config import render_network_config
from hostloom.decide.deploy.phone_home import SCRIPT_PATH, PhoneHome, phone_home_script
from hostloom.decide.deploy.user_data import CLOUD_CONFIG, check_account_name, check_user_data, with_user_data
from hostloom.decide.snapshot import Snapshot
from hostloom.model.interface_config import InterfaceConfig
from hostloom.model.network import StaticRoute


@dataclass(frozen=True, slots=True)
class SeedAccount:
    """A user account besides the image's own; it has no password."""

    name: str
    ssh_keys: tuple[str, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeedInput:
    """All inputs of the texts."""

    #: A new one for every deployment: cloud-init configures a machine once for each instance.
    instance_id: str
    hostname: str
    interfaces: InterfaceConfig
    snapshot: Snapshot = field(repr=False)
    #: DNS domain of the machine; blank: none.
    domain: str = ""
    routes: tuple[StaticRoute, ...] = ()
    #: Name of the administrator's account; blank: the image's default.
    user: str = ""
    #: Public keys that can log in to this account.
    ssh_keys: tuple[str, ...] = ()
    user_data: str = field(default="", repr=False)
    phone_home: PhoneHome | None = None
    accounts: tuple[SeedAccount, ...] = ()
    #: Commands with their arguments, run as root at the end of the first boot, before the machine reports.
    commands: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Seed:
    """The files of a NoCloud seed. The user-data contains secrets."""

    meta_data: str
    user_data: str = field(repr=False)
    network_config: str

    @property
    def files(self) -> dict[str, str]:
        """The texts by file name."""
        return {
            "meta-data": self.meta_data,
            "user-data": self.user_data,
            "network-config": self.network_config,
        }


def render_seed(seed_input: SeedInput) -> Seed:
    """Render the texts. The same input always gives the same texts.

    InvalidValue for user-data or an account that cloud-init cannot use, or a network that contradicts itself.
    """
    meta_data = {"instance-id": seed_input.instance_id, "local-hostname": seed_input.hostname}
    cloud_config = f"{CLOUD_CONFIG}\n{_yaml(_cloud_config(seed_input))}"
    network_config = render_network_config(
        seed_input.interfaces, seed_input.snapshot, seed_input.routes, seed_input.domain
    )
    user_data = with_user_data(cloud_config, check_user_data(seed_input.user_data))
    return Seed(_yaml(meta_data), user_data, network_config)


def _cloud_config(seed_input: SeedInput) -> dict[str, Any]:
    domain = seed_input.domain
    document: dict[str, Any] = {
        "hostname": seed_input.hostname,
        "fqdn": f"{seed_input.hostname}.{domain}" if domain else seed_input.hostname,
        "prefer_fqdn_over_hostname": False,
        "manage_etc_hosts": "localhost",
        # Otherwise images without locales fail to set one, which fails the whole deployment.
        "locale": "false",
        "ssh_pwauth": False,
        "users": ["default", *map(_account, seed_input.accounts)],
        "growpart": {"mode": "auto", "devices": ["/"]},
        "resize_rootfs": True,
    }
    if seed_input.user:
        document["user"] = {"name": check_account_name(seed_input.user)}
    if seed_input.ssh_keys:
        document["ssh_authorized_keys"] = list(seed_input.ssh_keys)
    if seed_input.commands:
        document["runcmd"] = [list(command) for command in seed_input.commands]
    if seed_input.phone_home is not None:
        script = phone_home_script(seed_input.phone_home)
        document["write_files"] = [{"path": SCRIPT_PATH, "permissions": "0700", "content": script}]
    return document


def _account(account: SeedAccount) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": account.name,
        "lock_passwd": True,
        "shell": "/bin/bash",
        "ssh_authorized_keys": list(account.ssh_keys),
    }
    if account.groups:
        document["groups"] = list(account.groups)
    return document


class _TextDumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that users can read them in the machine."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_TextDumper.add_representer(str, _represent_text)


def _yaml(document: dict[str, Any]) -> str:
    return yaml.dump(
        document,
        Dumper=_TextDumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=4096,
    )
