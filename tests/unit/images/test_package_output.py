import pytest

from hostloom.images.package_output import depended, download_name, libraries
from hostloom.model.errors.outside import ImageFailed


def test_the_kernel_that_a_meta_package_depends_on() -> None:
    text = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n"
    assert depended(text) == ["linux-image-6.1.0-56-cloud-amd64"]


def test_modules_in_packages_of_their_own() -> None:
    text = (
        "linux-image-generic\n  Depends: linux-image-6.8.0-60-generic\n"
        "  Depends: linux-modules-extra-6.8.0-60-generic\n  Depends: linux-firmware\n"
        "  Conflicts: linux-image-other\n"
    )
    assert depended(text) == ["linux-image-6.8.0-60-generic", "linux-modules-extra-6.8.0-60-generic"]


def test_the_file_that_a_download_would_write() -> None:
    text = "'http://archive/linux-image-6_6.1.2%2b1_amd64.deb' linux-image-6_6.1.2+1_amd64.deb 26 SHA256:e7\n"
    assert download_name(text) == "linux-image-6_6.1.2+1_amd64.deb"
    with pytest.raises(ImageFailed, match="apt-get update"):
        download_name("E: Unable to locate package\n")


def test_the_files_of_libraries() -> None:
    text = (
        "\tlinux-vdso.so.1 (0x7f)\n\tlibpcap.so.0.8 => /lib/x86_64-linux-gnu/libpcap.so.0.8 (0x7f)\n"
        "\t/lib64/ld-linux-x86-64.so.2 (0x00007f416c0fd000)\n"
    )
    assert libraries(text) == ["/lib/x86_64-linux-gnu/libpcap.so.0.8", "/lib64/ld-linux-x86-64.so.2"]
    assert libraries("\tnot a dynamic executable\n") == []
