# Runs before the kernel's packages are configured, because the initramfs is made from these files.
set -eu
root=$1

cat >"$root/etc/fstab" <<END
UUID=$ROOT_UUID / ext4 errors=remount-ro 0 1
END
cat >"$root/etc/kernel-img.conf" <<END
do_symlinks = yes
do_bootloader = no
END
mkdir -p "$root/etc/initramfs-tools/conf.d"
cat >"$root/etc/initramfs-tools/conf.d/hostloom" <<END
MODULES=$INITRAMFS_MODULES
COMPRESS=zstd
END
