import pytest
import typer

from hostloom.cli.output import memory, size
from hostloom.cli.sizes import parse_memory


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("2G", 2048),
        ("512M", 512),
        ("2048", 2048),
        ("1.5g", 1536),
        ("1T", 1048576),
        ("4GiB", 4096),
        (" 1G ", 1024),
    ],
)
def test_memory_is_read_in_mib(text: str, mib: int) -> None:
    assert parse_memory(text) == mib


@pytest.mark.parametrize("text", ["", "0", "lots", "-1G", "0.3M", "1K", "1e3", "٢"])
def test_what_is_no_size_is_a_usage_error(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_memory(text)


def test_sizes_are_written_for_people() -> None:
    assert [memory(512), memory(2048), memory(1536), memory(1025)] == [
        "512 MiB",
        "2 GiB",
        "1.5 GiB",
        "1025 MiB",
    ]
    assert [size(8 * 10**9), size(1500), size(2 * 10**12)] == ["8 GB", "1500 B", "2 TB"]
