"""One OpenSSH connection a host: runs commands, forwards libvirt's socket, pins host keys."""
