import pytest

from hostloom.model.errors.values import InvalidValue
from hostloom.remote.address import SshAddress, is_this_machine, ssh_address


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("qemu+ssh://10.0.0.5/system", SshAddress("10.0.0.5")),
        ("qemu+ssh://ubuntu@KVM1.example/system", SshAddress("kvm1.example", "ubuntu")),
        ("qemu+ssh://u@10.0.0.5:2222/system", SshAddress("10.0.0.5", "u", 2222)),
        ("qemu+ssh://u@[2001:db8:0::5]:22/system", SshAddress("2001:db8::5", "u", 22)),
        ("qemu+ssh://[fe80::1%25br0]/system", SshAddress("fe80::1%br0")),
        ("qemu+ssh://u%40corp@h/system", SshAddress("h", "u@corp")),
        ("qemu+ssh://h/system?keyfile=/k%20y", SshAddress("h", keyfile="/k y")),
    ],
)
def test_where_a_uri_leads(uri: str, expected: SshAddress) -> None:
    assert ssh_address(uri) == expected


def test_the_socket_is_no_part_of_the_connection() -> None:
    plain, other = ssh_address("qemu+ssh://h/system"), ssh_address("qemu+ssh://h/system?socket=/run/x")
    assert plain is not None
    assert other is not None
    assert (plain.socket, other.socket) == (None, "/run/x")
    assert plain == other


@pytest.mark.parametrize(
    "uri", ["qemu:///system", "qemu+tls://h/system", "qemu+unix:///system", "test:///default"]
)
def test_uris_without_ssh(uri: str) -> None:
    assert ssh_address(uri) is None


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("qemu+ssh:///system", "host name"),
        ("qemu+ssh://-oProxyCommand=x/system", "host name"),
        ("qemu+ssh://a;b/system", "host name"),
        ("qemu+ssh://a%60id%60/system", "host name"),
        ("qemu+ssh://-l@h/system", "login name"),
        ("qemu+ssh://$(id)@h/system", "login name"),
        ("qemu+ssh://h:0/system", "port"),
        ("qemu+ssh://h:70000/system", "port"),
        ("qemu+ssh://h:x/system", "port"),
        ("qemu+ssh://h/system?keyfile=relative", "absolute path"),
        ("qemu+ssh://h/system?keyfile=", "absolute path"),
        ("qemu+ssh://h/system?socket=/a&socket=/b", "absolute path"),
        ("qemu+ssh://h/system?no_verify=1", "no_verify"),
    ],
)
def test_what_is_refused(uri: str, expected: str) -> None:
    with pytest.raises(InvalidValue, match=expected):
        ssh_address(uri)


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidValue, match="contains a password") as caught:
        ssh_address("qemu+ssh://root:hunter2@h/system")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(caught.value.details)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (SshAddress("h"), "h"),
        (SshAddress("h", port=22), "h"),
        (SshAddress("h", port=2222), "[h]:2222"),
        (SshAddress("2001:db8::5"), "2001:db8::5"),
        (SshAddress("2001:db8::5", port=2222), "[2001:db8::5]:2222"),
    ],
)
def test_the_name_in_a_known_hosts_file(address: SshAddress, name: str) -> None:
    assert address.known_hosts_name == name


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("qemu:///system", True),
        ("qemu:///session", True),
        ("qemu+unix:///system", True),
        ("qemu+unix:///system?socket=/run/host/libvirt-sock", False),
        ("qemu://kvm1/system", False),
        ("qemu+tls://kvm1/system", False),
        ("qemu+ssh://kvm1/system", False),
        ("test:///default", False),
        ("test+unix:///default?socket=/run/x", False),
    ],
)
def test_which_hypervisor_is_surely_this_machine(uri: str, expected: bool) -> None:
    assert is_this_machine(uri) is expected
