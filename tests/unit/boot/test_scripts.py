"""Nothing gets into a script that is more than a word of it."""

import pytest

from hostloom.boot.scripts import MachineBoot
from hostloom.model.errors import InvalidValue


@pytest.mark.parametrize("name", ["", "a b", "web1\nshell", "web1||shell", "${net0/ip}", "Web1", "#web"])
def test_a_name_is_one_label(name: str) -> None:
    with pytest.raises(InvalidValue, match="hostname"):
        MachineBoot(name)


@pytest.mark.parametrize("options", ["quiet\nshell", "quiet\r", "quiet\x00"])
def test_options_are_one_line(options: str) -> None:
    with pytest.raises(InvalidValue, match="kernel_options"):
        MachineBoot("web1", options)
