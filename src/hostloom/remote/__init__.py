"""One OpenSSH connection per host: runs commands, forwards libvirt's socket, pins host keys."""
