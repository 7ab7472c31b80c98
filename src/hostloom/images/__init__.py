"""Boot images: the distribution's kernel with an initramfs of ours, in which machines are commissioned."""
