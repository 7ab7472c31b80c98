"""Builds boot images for commissioning from the distribution's kernel and hostloom's initramfs."""
