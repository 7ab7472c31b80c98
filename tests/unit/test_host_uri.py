"""What a host's URI may be: a list per scheme; all else could reach files and sockets of the server."""

import pytest

from hostloom.model.errors.values import InvalidValue
from hostloom.model.host_uri import HostUri, UriRules, parse_host_uri

RULES = UriRules(
    test_hosts=True, sockets=frozenset({"/run/lab/libvirt-sock"}), key_folders=("/etc/hostloom/keys",)
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("qemu:///system", HostUri("qemu", None, None, None, "/system", {})),
        ("qemu+unix:///system", HostUri("qemu+unix", None, None, None, "/system", {})),
        (
            "qemu+unix:///system?socket=/run/libvirt/virtqemud-sock",
            HostUri("qemu+unix", None, None, None, "/system", {"socket": "/run/libvirt/virtqemud-sock"}),
        ),
        ("qemu+ssh://10.0.0.5/system", HostUri("qemu+ssh", None, "10.0.0.5", None, "/system", {})),
        ("qemu+ssh://10.0.0.5", HostUri("qemu+ssh", None, "10.0.0.5", None, "", {})),
        ("qemu+ssh://u@[fd00::0:5]:2222/system", HostUri("qemu+ssh", "u", "fd00::5", 2222, "/system", {})),
        ("qemu+ssh://[fe80::1%25e0]/system", HostUri("qemu+ssh", None, "fe80::1%e0", None, "/system", {})),
        ("qemu+tls://kvm1.example:9/system", HostUri("qemu+tls", None, "kvm1.example", 9, "/system", {})),
    ],
)
def test_what_reaches_a_libvirt_is_allowed(text: str, found: HostUri) -> None:
    assert parse_host_uri(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "test:///default",
        "qemu+unix:///system?socket=/run/lab/libvirt-sock",
        "qemu+ssh://h/system?keyfile=/etc/hostloom/keys/id",
    ],
)
def test_the_settings_allow_more(text: str) -> None:
    assert parse_host_uri(text, RULES)
    with pytest.raises(InvalidValue):
        parse_host_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "qemu",
        "http://h/system",
        "test:///etc/shadow",
        "test:///etc/../default",
        "test://h/default",
        "test:///default?root=/tmp",
        "test+unix:///default?socket=/tmp/s",
        "test+ssh://h/default",
        "QEMU+SSH://h/system",
        "Test:///default",
        "qemu:///session",
        "qemu+ssh://h/session",
        "qemu+unix:///session",
        "qemu:///embed?root=/tmp/emb",
        "qemu:///system?socket=/run/libvirt/libvirt-sock",
        "qemu:///system?mode=legacy",
        "qemu://h/system",
        "qemu:///system/",
        "qemu:////system",
        "qemu:///%73ystem",
        "qemu:///system#x",
        "qemu:///system?",
        "qemu+unix:///system?socket=/tmp/sec/run/a.sock",
        "qemu+unix:///system?socket=/run/libvirt/../../tmp/a",
        "qemu+unix:///system?socket=libvirt-sock",
        "qemu+unix:///system?socket=/run/libvirt/libvirt-sock&socket=/tmp/a",
        "qemu+unix:///system?mode=auto",
        "qemu+tls://h/system?no_verify=1",
        "qemu+tls://h/system?pkipath=/tmp",
        "qemu+tls://u@h/system",
        "qemu+tls:///system",
        "qemu+tcp://h/system",
        "qemu+libssh2://h/system",
        "qemu+ext://h/system?command=/bin/sh",
        "qemu+ssh://h/system?command=/bin/sh",
        "qemu+ssh://h/system?netcat=/bin/nc",
        "qemu+ssh://h/system?no_verify=1",
        "qemu+ssh://h/system?proxy=native",
        "qemu+ssh://h/system?socket=/etc/shadow",
        "qemu+ssh://h/system?socket=/run/lab/libvirt-sock",
        "qemu+ssh://h/system?keyfile=/root/.ssh/id_rsa",
        "qemu+ssh://h/system?keyfile=/etc/hostloom/keys/../secret",
        "qemu+ssh://h/system?keyfile=/etc/hostloom/keys/a%0ab",
        "qemu+ssh://h/system?keyfile",
        "qemu+ssh:///system",
        "qemu+ssh://-oProxyCommand=x/system",
        "qemu+ssh://-l@h/system",
        "qemu+ssh://h:0/system",
        "qemu+ssh://h:70000/system",
        "qemu+ssh://h:/system",
        "qemu+ssh://h:2 2/system",
        "qemu+ssh://h\n/system",
        "qemu+ssh://h/sys\ttem",
        "qemu+ssh://[::1/system",
        "qemu+ssh://[::1%25a/b]/system",
        "qemu+ssh://h\\evil/system",
        "qemu+ssh://höst/system",
        "qemu+ssh://corp%5cu@h/system",
        "qemu+ssh://h/system?" + "&".join(f"a{n}=1" for n in range(100)),
        "qemu+ssh://" + "h" * 600 + "/system",
        "xen:///system",
        "esx://h/",
        "lxc:///system",
        "openvz:///system",
        "ch:///system",
        "bhyve:///system",
        "remote+ssh://h/system",
    ],
)
def test_all_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"^uri .*"):
        parse_host_uri(text, RULES)


@pytest.mark.parametrize(
    "text",
    ["qemu+ssh://u:S3CRET@h/system", "http://u:S3CRET@h/", "qemu+tls://:S3CRET@h/system", "qemu+ssh://u:S3CRET@/",
     "qemu+ssh://u:S3:CRET@x@h/system"],
)  # fmt: skip
def test_a_password_is_refused_and_never_shown(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse_host_uri(text)
    assert "CRET" not in str(refused.value)
    assert "CRET" not in str(refused.value.value)
