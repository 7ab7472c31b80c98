from hypothesis import given
from hypothesis import strategies as st

from hostloom.images.modules import (
    choose_aliases,
    choose_modules,
    name_of,
    parse_dependencies,
    render_dependencies,
)

# As depmod writes it: every dependency, the last one to be loaded first.
DEP = """\
kernel/virtio/virtio.ko:
kernel/virtio/virtio_ring.ko: kernel/virtio/virtio.ko
kernel/net/virtio_net.ko.xz: kernel/net/failover.ko kernel/virtio/virtio_ring.ko kernel/virtio/virtio.ko
kernel/net/failover.ko:
kernel/drivers/net/ethernet/a/one.ko.zst: kernel/drivers/net/mdio.ko
kernel/drivers/net/mdio.ko:
kernel/drivers/usb/usb-storage.ko:
kernel/fs/unwanted.ko:
"""


def names(*wanted: str) -> list[str]:
    return [name_of(each) for each in choose_modules(parse_dependencies(DEP), wanted)]


def test_what_a_module_needs_comes_before_it() -> None:
    assert names("virtio_net") == ["virtio", "virtio_ring", "failover", "virtio_net"]


def test_a_folder_is_everything_below_it_and_what_that_needs() -> None:
    assert names("drivers/net/ethernet/") == ["mdio", "one"]


def test_dash_and_underscore_are_one() -> None:
    assert names("usb_storage") == names("usb-storage") == ["usb-storage"]


def test_what_the_kernel_does_not_have_is_left_out() -> None:
    assert names("no_such", "drivers/nowhere/") == []


def test_modules_are_plain_inside_the_image() -> None:
    dependencies = parse_dependencies(DEP)
    text = render_dependencies(dependencies, choose_modules(dependencies, ["one"]))
    assert text == (
        "kernel/drivers/net/ethernet/a/one.ko: kernel/drivers/net/mdio.ko\nkernel/drivers/net/mdio.ko:\n"
    )


def test_aliases_of_chosen_modules_only() -> None:
    aliases = "# Aliases\nalias pci:v1* virtio_net\nalias usb:v2* usb_storage\nalias fs-x unwanted\n"
    chosen = ["kernel/net/virtio_net.ko.xz", "kernel/drivers/usb/usb-storage.ko"]
    assert choose_aliases(aliases, chosen) == "alias pci:v1* virtio_net\nalias usb:v2* usb_storage\n"
    assert choose_aliases("softdep virtio_net pre: x\nsoftdep other pre: y\n", chosen) == (
        "softdep virtio_net pre: x\n"
    )


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=60))
def test_in_any_graph_without_circles_needs_come_first(edges: list[tuple[int, int]]) -> None:
    direct: dict[int, set[int]] = {}
    for one, other in edges:
        if one != other:
            direct.setdefault(max(one, other), set()).add(min(one, other))

    def closure(node: int) -> list[int]:
        return sorted({node} | {n for each in direct.get(node, ()) for n in closure(each)})

    dependencies = {
        f"kernel/m{node}.ko": tuple(f"kernel/m{n}.ko" for n in reversed(closure(node)[:-1]))
        for node in range(21)
    }
    chosen = choose_modules(dependencies, ["m20", "m7"])
    for place, path in enumerate(chosen):
        assert set(dependencies[path]) <= set(chosen[:place])
    assert len(set(chosen)) == len(chosen)
