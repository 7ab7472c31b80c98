"""Takes over the inventory of a MAAS: what each of its objects becomes here."""
