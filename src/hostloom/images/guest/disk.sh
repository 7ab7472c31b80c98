# The disk that the server names: found again, emptied, given a seed and a boot entry; sourced by init.

# A disk on one line, for messages.
disk_text() {
  path=$SYS/block/$1
  echo "$1 ($(($(number "$(read_line "$path/size")") * 512)) bytes," \
    "model $(read_line "$path/device/model"), serial $(disk_serial "$path"))"
}

# Whether a disk is the planned one: its serial where it has one, else its name and model; always its size.
is_planned() {
  path=$SYS/block/$1
  [ $(($(number "$(read_line "$path/size")") * 512)) = "$(order_number disk_size_bytes)" ] || return 1
  serial=$(clean "$(disk_serial "$path")")
  if [ -n "$(order disk_serial)" ]; then
    [ "$serial" = "$(order disk_serial)" ]
  else
    [ -z "$serial" ] && [ "$1" = "$(order disk_name)" ] &&
      [ "$(clean "$(read_line "$path/device/model")")" = "$(order disk_model)" ]
  fi
}

# As the report has it, and therefore the server.
clean() { printf '%s' "$1" | tr -cd ' -~' | cut -c 1-250 | sed 's/^ *//; s/ *$//'; }

# Set `disk` and `disk_size` to the planned disk. No other disk is touched.
find_disk() {
  matching='' present=''
  for name in $(disk_names); do
    present="$present, $(disk_text "$name")"
    is_planned "$name" && matching="$matching $name"
  done
  # shellcheck disable=SC2086 # one word for each disk
  set -- $matching
  planned="$(order disk_name) ($(order disk_size_bytes) bytes, model $(order disk_model), serial $(order disk_serial))"
  if [ $# != 1 ]; then
    problem="the planned disk is $planned, and $# disks match; this machine has ${present#, }"
    return 1
  fi
  block=$SYS/block/$1 disk=$DEV/$1 disk_size=$(order_number disk_size_bytes)
  sector=$(number "$(read_line "$block/queue/logical_block_size")")
  if [ "$(order order)" = deploy ] && [ "$sector" -gt 512 ]; then
    problem="disk $1 has sectors of $sector bytes, and disk images are made for 512"
    return 1
  fi
  say "disk: $(disk_text "$1")"
}

# Fill a part of the disk with zeros: offset and length in bytes, both whole MiB or at the disk's end.
zero_bytes() {
  "$BIN/dd" if=/dev/zero of="$disk" bs=1M seek="$1" count="$2" iflag=fullblock,count_bytes oflag=seek_bytes \
    conv=notrunc,fsync 2>>"$RUN/log"
}

# The same by a command of the disk that needs no transfer; fails where the disk has none.
zero_quickly() {
  [ "$(number "$(read_line "$block/queue/write_zeroes_max_bytes")")" -gt 0 ] || return 1
  "$BIN/blkdiscard" -f -z -o "$1" -l "$2" "$disk" 2>>"$RUN/log"
}

fetch_seed() {
  step=seed
  call -o "$RUN/seed" "$url/deployment/seed" || {
    problem="the configuration for the disk could not be fetched: $(tail -n 1 "$RUN/log")"
    return 1
  }
  seed_size=$(wc -c <"$RUN/seed")
  [ "$seed_size" -gt 0 ] && [ "$(hash_of "$RUN/seed")" = "$(order seed_sha256)" ] && return 0
  problem="the configuration for the disk arrived damaged"
  return 1
}

hash_of() { "$BIN/sha256sum" "$1" | cut -d ' ' -f 1; }

# A partition at the end of the disk with the seed as its file system. cloud-init finds it by its label, in
# any image, and lets the root file system grow up to it.
place_seed() {
  step=seed
  label=$(sfdisk --dump "$disk" 2>>"$RUN/log" | sed -n 's/^label: //p')
  seed_mib=$(((seed_size + MIB - 1) / MIB)) last_mib=$((disk_size / MIB - 1))
  case $label in
    gpt)
      type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7,name=cidata
      sgdisk -e "$disk" >>"$RUN/log" 2>&1
      ;;
    dos)
      type=c
      # 32 bits for a sector
      [ $last_mib -gt 2097151 ] && last_mib=2097151
      ;;
    *)
      problem="the image has no partition table, so there is no place for its configuration"
      return 1
      ;;
  esac
  seed_mib_start=$((last_mib - seed_mib))
  echo "start=$((seed_mib_start * 2048)),size=$((seed_mib * 2048)),type=$type" |
    sfdisk --quiet --append --wipe never --wipe-partitions never "$disk" >>"$RUN/log" 2>&1 || {
    problem="the partition table of disk $disk has no place for the configuration"
    return 1
  }
  "$BIN/dd" if="$RUN/seed" of="$disk" bs=1M seek=$seed_mib_start conv=notrunc,fsync 2>>"$RUN/log"
  written=$("$BIN/dd" if="$disk" bs=1M skip=$seed_mib_start count="$seed_size" \
    iflag="${DIRECT}fullblock,count_bytes" 2>>"$RUN/log" | "$BIN/sha256sum" | cut -d ' ' -f 1)
  [ "$written" = "$(order seed_sha256)" ] && return 0
  problem="the configuration reads back damaged from disk $disk"
  return 1
}

# UEFI: an entry for the disk behind those that are there, so that the network stays first. Without it the
# firmware uses the same file, because it is the one of removable disks. A BIOS needs nothing.
set_boot_entry() {
  [ -d "$SYS/firmware/efi" ] || return 0
  modprobe -q -b efivarfs 2>/dev/null
  mount -t efivarfs efivarfs "$SYS/firmware/efi/efivars" 2>/dev/null
  part=$(sfdisk --dump "$disk" 2>/dev/null |
    sed -n "s|^$disk"'p\{0,1\}\([0-9]*\) *:.*type=[Cc]12[Aa]7328-.*|\1|p' | head -n 1)
  case $(uname -m) in
    aarch64) loader='\EFI\BOOT\BOOTAA64.EFI' ;;
    *) loader='\EFI\BOOT\BOOTX64.EFI' ;;
  esac
  for old in $(boot_entries); do efibootmgr -q -b "$old" -B 2>>"$RUN/log"; done
  boot_order=$(efibootmgr 2>>"$RUN/log" | sed -n 's/^BootOrder: //p')
  if [ -n "$part" ] && efibootmgr -q -c -d "$disk" -p "$part" -L hostloom -l "$loader" 2>>"$RUN/log"; then
    entry=$(boot_entries | head -n 1)
    [ -n "$boot_order" ] && efibootmgr -q -o "$boot_order,$entry" 2>>"$RUN/log"
    say "boot entry $entry starts the disk"
  else
    say "the firmware takes no boot entry; it looks for $loader itself"
  fi
}

# The numbers of our boot entries.
boot_entries() { efibootmgr 2>/dev/null | sed -n 's/^Boot\([0-9A-F]\{4\}\)\*\{0,1\} hostloom\([[:space:]].*\)\{0,1\}$/\1/p'; }

# Erase the disk: `quick` discards what the disk can discard, and overwrites both ends and the start of every
# partition; `full` leaves no byte.
erase() {
  if [ "$(order mode)" = full ]; then
    erase_all
  else
    starts=$(sfdisk --dump "$disk" 2>/dev/null | sed -n 's/.*start= *\([0-9]*\).*/\1/p')
    "$BIN/blkdiscard" -f "$disk" 2>>"$RUN/log"
    for start in $starts; do zero_bytes $((start * sector)) "$MIB"; done
    zero_ends
  fi || {
    problem="disk $disk could not be overwritten"
    return 1
  }
  is_empty && return 0
  problem="disk $disk still has data after it was erased"
  return 1
}

zero_ends() {
  end=$((16 * MIB))
  [ $end -gt "$disk_size" ] && end=$disk_size
  zero_bytes 0 "$end" && zero_bytes $((disk_size - end)) "$end"
}

# Secure discard where the disk has it, else zeros, part by part so that the server sees how far it is.
erase_all() {
  "$BIN/blkdiscard" -f --secure "$disk" 2>>"$RUN/log"
  position=0 part_size=$((1024 * MIB))
  while [ $position -lt "$disk_size" ]; do
    [ $((position + part_size)) -gt "$disk_size" ] && part_size=$((disk_size - position))
    zero_quickly $position $part_size || zero_bytes $position $part_size || return 1
    position=$((position + part_size))
    progress $position "$disk_size"
    [ -e "$RUN/revoked" ] && return 1
  done
  return 0
}

# Whether both ends read back as zeros.
is_empty() {
  for skip in 0 $((disk_size - MIB)); do
    size=$("$BIN/dd" if="$disk" bs=1M skip=$skip count=1 iflag="${DIRECT}skip_bytes" 2>/dev/null | tr -d '\000' | wc -c)
    [ "$size" = 0 ] || return 1
  done
}
