"""Network boot: iPXE scripts and boot files over HTTP."""
