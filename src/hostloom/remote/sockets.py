"""Shell scripts that find a Unix socket on a host and relay a connection to it over standard input."""

NONE_THERE, NOT_ALLOWED, NO_PROGRAM = 3, 4, 127

#: Prints the first argument that is a socket which this user may open. Sockets with a listening process come
#: before sockets that a stopped daemon may have left.
FIND_SOCKET = """
code=3
for path; do
  test -S "$path" || continue
  code=4
  test -w "$path" || continue
  if grep -q " $path\\$" /proc/net/unix 2>/dev/null; then echo "$path"; exit 0; fi
  test -n "$quiet" || quiet=$path
done
test -n "$quiet" || exit $code
echo "$quiet"
"""

#: Connects standard input and output to the socket $1. $2 is libvirt's URI there or empty: virt-ssh-helper
#: finds libvirt's socket by itself, which is how virsh reaches a host that forwards nothing.
CARRY = """
if [ -n "$2" ] && command -v virt-ssh-helper >/dev/null; then exec virt-ssh-helper "$2"; fi
help=$(nc -h 2>&1)
case $help in
  *-U*-N*|*-N*-U*) exec nc -N -U "$1" ;;  # -N: end with the caller, where this nc needs to be told
  *-U*) exec nc -U "$1" ;;
esac
if command -v ncat >/dev/null; then exec ncat -U "$1"; fi
if command -v socat >/dev/null; then exec socat - "UNIX-CONNECT:$1"; fi
echo "none of virt-ssh-helper, nc with -U, ncat and socat is installed" >&2
exit 127
"""
