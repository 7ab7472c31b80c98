"""hostloom manages KVM hosts and weaves virtual machines into the physical network."""
