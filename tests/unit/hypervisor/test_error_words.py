"""libvirt's errors as clients see them: its words, but not what it quotes of a file."""

from pathlib import Path

import libvirt
import pytest

from hostloom.hypervisor.errors import MAX_CAUSE_LENGTH, silence_libvirt, translate


@pytest.mark.parametrize("content", ["root:SECRET:20228:0:99999:7:::\n", "<node>\n<SECRET</node>"])
def test_what_the_xml_parser_quotes_of_a_file_is_not_shown(tmp_path: Path, content: str) -> None:
    silence_libvirt()
    (tmp_path / "shadow").write_text(content)
    with pytest.raises(libvirt.libvirtError, match="SECRET") as refused:
        libvirt.open(f"test://{tmp_path}/shadow")
    shown = str(translate(refused.value, "kvm1", "connect", opening=True))
    assert "SECRET" not in shown
    assert str(tmp_path) not in shown


def test_words_are_bounded_and_printable() -> None:
    class Words(libvirt.libvirtError):
        def get_error_message(self) -> str:
            return "\x1b[31m" + "x" * 10_000

    shown = str(translate(Words("x"), "kvm1", "start"))
    assert len(shown) < MAX_CAUSE_LENGTH + 100
    assert "\x1b" not in shown
