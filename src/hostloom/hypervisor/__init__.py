"""The libvirt adapter, the only importer of libvirt."""
