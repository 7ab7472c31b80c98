import re
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from hostloom.model.errors.server import ConfigError
from hostloom.server.config import Settings, load_settings
from hostloom.server.setting_values import Listen


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return file


def test_flags_go_over_variables_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, 'log_level = "debug"\nworkers = 2\nlisten = "[::1]:81"\nstate_dir = "/a"\n')
    found = load_settings(
        {"HOSTLOOM_WORKERS": "3", "HOSTLOOM_STATE_DIR": "/b", "HOSTLOOM_URL": "http://x", "OTHER": "1"},
        {"state_dir": Path("/c"), "log_level": None},
        file,
    )
    assert found == Settings(log_level="debug", workers=3, listen=Listen("::1", 81), state_dir=Path("/c"))
    assert found.database == "sqlite:////c/hostloom.db"
    assert str(found.listen) == "[::1]:81"


def test_without_a_file_there_are_defaults() -> None:
    assert load_settings({}) == Settings()


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("colour = 'red'", "colour"),
        ("workers = 0", "workers"),
        ("workers = true", "workers"),
        ("workers = 'many'", "workers"),
        ("listen = '127.0.0.1'", "listen"),
        ("listen = '127.0.0.1:70000'", "listen"),
        ("listen = ':80'", "listen"),
        ("state_dir = 'relative'", "state_dir"),
        ("log_level = 'loud'", "log_level"),
        ("database_url = 5", "database_url"),
        ("boot_port = -1", "boot_port"),
        ("workers =", "config"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(tmp_path: Path, text: str, setting: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        load_settings({}, file=write(tmp_path, text))
    assert wrong.value.setting.startswith(setting)
    assert wrong.value.problem


def test_an_unknown_variable_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="HOSTLOOM_COLOUR"):
        load_settings({"HOSTLOOM_COLOUR": "red"})
    with pytest.raises(ConfigError, match="does not exist"):
        load_settings({"HOSTLOOM_CONFIG": str(tmp_path / "none.toml")})


FLAGS = [(True, True), (False, False), ("true", True), ("false", False)]


@pytest.mark.parametrize(("value", "wanted"), FLAGS)
def test_a_flag_is_true_or_false(tmp_path: Path, value: bool | str, wanted: bool) -> None:
    found = load_settings({}, {"kea_embedded": value}, write(tmp_path, ""))
    assert found.kea_embedded is wanted


@pytest.mark.parametrize("value", ["", "yes", "1", 1])
def test_a_flag_that_is_neither_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(ConfigError, match="kea_embedded"):
        load_settings({}, {"kea_embedded": value}, write(tmp_path, ""))


LISTS = [
    ("boot_networks", "10.0.0.0/8, 2001:db8::/32,", (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))),
    ("kea_socket_dirs", "/run/kea, /run/other", (Path("/run/kea"), Path("/run/other"))),
    ("allowed_hosts", " a.example ,b.example", ("a.example", "b.example")),
]


@pytest.mark.parametrize(("setting", "variable", "wanted"), LISTS)
def test_a_list_is_a_list_in_the_file_and_has_commas_in_a_variable(
    tmp_path: Path, setting: str, variable: str, wanted: tuple[object, ...]
) -> None:
    in_file = "[" + ", ".join(f'"{entry}"' for entry in wanted) + "]"
    file = write(tmp_path, f"{setting} = {in_file}\n")
    assert getattr(load_settings({}, {}, file), setting) == wanted
    assert getattr(load_settings({f"HOSTLOOM_{setting.upper()}": variable}, {}, file), setting) == wanted


@pytest.mark.parametrize("setting", [setting for setting, _, _ in LISTS])
@pytest.mark.parametrize("entries", ["7", "[7]", '{a = "b"}'])
def test_what_is_no_list_of_its_kind_is_refused(tmp_path: Path, setting: str, entries: str) -> None:
    with pytest.raises(ConfigError, match=setting):
        load_settings({}, {}, write(tmp_path, f"{setting} = {entries}\n"))


PAGE = (Path(__file__).parents[2] / "docs/reference/configuration.md").read_text(encoding="utf-8")


def test_the_reference_page_lists_every_setting_and_variable() -> None:
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| `([A-Z0-9_]+)` \|", PAGE, flags=re.MULTILINE)
    settings = [field.name for field in fields(Settings)]
    assert sorted(key for key, _ in rows) == sorted(settings)
    assert [variable for _, variable in rows] == [f"HOSTLOOM_{key.upper()}" for key, _ in rows]


@pytest.mark.parametrize("setting", [field.name for field in fields(Settings)])
def test_the_reference_page_has_the_default_of_each_setting(setting: str) -> None:
    (written,) = re.findall(rf"^\| `{setting}` \| `[A-Z0-9_]+` \| ([^|]+) \|", PAGE, flags=re.MULTILINE)
    default = getattr(Settings(), setting)
    if setting == "secret_file":  # relative to another setting
        assert written == "`secret` in `state_dir`"
    elif default in (None, (), ""):
        assert written in ("none", "empty")
    else:
        values = default if isinstance(default, tuple) else (default,)
        assert re.findall(r"`([^`]+)`", written) == [_as_written(value) for value in values]


def _as_written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
