# Runs when all packages are installed: boot loader, settings, and removal of what must differ between machines.
set -eu
root=$1
in_root() { chroot "$root" "$@"; }

# The boot loader finds the root file system by its UUID; the kernel is found through the links that
# Debian's kernel packages keep in / (Ubuntu's in /boot).
mkdir -p "$root/boot/grub/i386-pc" "$root/boot/grub/x86_64-efi"
cat >"$root/boot/grub/early.cfg" <<END
search --no-floppy --fs-uuid --set=root $ROOT_UUID
set prefix=(\$root)/boot/grub
configfile /boot/grub/grub.cfg
END
cat >"$root/boot/grub/grub.cfg" <<END
# Written by hostloom. GRUB's programs are not installed: edit this file.
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout_style=hidden
set timeout=1
set links=
if [ ! -e /vmlinuz ]; then set links=/boot; fi
menuentry "$TITLE" {
    linux \$links/vmlinuz root=UUID=$ROOT_UUID ro console=tty0 console=ttyS0,115200
    initrd \$links/initrd.img
}
END
modules="part_gpt ext2 search search_fs_uuid normal configfile linux echo serial terminal all_video gzio test boot"
in_root grub-mkimage -O i386-pc -p /boot/grub -c /boot/grub/early.cfg \
    -o /boot/grub/i386-pc/core.img biosdisk $modules
in_root grub-mkimage -O x86_64-efi -p /boot/grub -c /boot/grub/early.cfg \
    -o /boot/grub/x86_64-efi/grub.efi fat $modules
cp "$root/usr/lib/grub/i386-pc/boot.img" "$root/boot/grub/i386-pc/boot.img"
rm "$root/boot/grub/early.cfg"
in_root apt-get -qq -y --autoremove purge $GRUB_PACKAGES >&2

# cloud-init reads the seed disk that comes with a machine, and asks no other source.
cat >"$root/etc/cloud/ds-identify.cfg" <<END
datasource: NoCloud
END
cat >"$root/etc/cloud/cloud.cfg.d/90-hostloom.cfg" <<END
datasource_list: [NoCloud, None]
# The locale is C.UTF-8: the programs that make others are not installed.
locale: false
apt:
  preserve_sources_list: true
END
mkdir -p "$root/etc/ssh/sshd_config.d"
# cloud-init's own file sorts before this one and counts if user-data allows passwords.
cat >"$root/etc/ssh/sshd_config.d/60-hostloom.conf" <<END
PasswordAuthentication no
END

# Nothing installs upgrades by itself, so there is no reason to fetch lists of packages; and there is no LVM.
in_root systemctl --quiet disable apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service

cat >"$root/etc/hosts" <<END
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
END
echo localhost >"$root/etc/hostname"
chmod 644 "$root/etc/hosts" "$root/etc/hostname"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"

# Made anew by each machine, or different in each build.
rm -f "$root"/etc/ssh/ssh_host_*_key* "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed"
rm -f "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
rm -f "$root"/etc/*- "$root"/etc/.resolv.conf.*.bak "$root"/vmlinuz.old "$root"/initrd.img.old "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old "$root/var/cache/ldconfig/aux-cache"
find "$root/var/log" -type f -delete
