"""What a machine's first boot does so that hostloom can use the machine as a KVM host.

See docs/explanation/rules.md#bridges-of-a-deployed-host. The image has QEMU and libvirt already.
"""

from dataclasses import replace

from hostloom.decide.deploy.bridges import with_bridges
from hostloom.decide.deploy.seed import SeedAccount, SeedInput
from hostloom.model.deployment import KvmOptions
from hostloom.model.errors.values import InvalidValue
from hostloom.model.node import BridgeKind

#: The account that hostloom logs in to.
KVM_ACCOUNT = "hostloom"
#: Its members may use libvirt's socket, which lets them do whatever root may.
_LIBVIRT_GROUP = "libvirt"

#: Run by a shell that stops at the first failure. cloud-init reports the failure, because these commands come
#: last. ChallengeResponseAuthentication is the name that every version of sshd knows. If sshd does not read
#: the folder, cloud-init's own setting and the locked password remain.
_SET_UP = """\
mkdir -p /etc/ssh/sshd_config.d
cat > /etc/ssh/sshd_config.d/10-hostloom.conf <<'END'
PasswordAuthentication no
ChallengeResponseAuthentication no
Match User hostloom
    AuthenticationMethods publickey
    AllowStreamLocalForwarding local
    AllowTcpForwarding no
    AllowAgentForwarding no
    X11Forwarding no
    PermitTunnel no
    PermitTTY no
Match all
END
chmod 0600 /etc/ssh/sshd_config.d/10-hostloom.conf
sshd -t
for unit in ssh sshd; do
    if systemctl is-active --quiet $unit.service; then
        systemctl reload-or-restart $unit.service
        break
    fi
done

if systemctl is-enabled --quiet virtqemud.socket; then
    systemctl enable --now virtqemud.socket virtnetworkd.socket virtstoraged.socket virtnodedevd.socket
else
    systemctl enable --now libvirtd.service
fi
export LIBVIRT_DEFAULT_URI=qemu:///system
virsh uri

if virsh net-list --name | grep -qx default; then
    virsh net-destroy default
fi
if virsh net-list --all --name | grep -qx default; then
    virsh net-undefine default
fi

if ! virsh pool-list --all --name | grep -qx default; then
    virsh pool-define-as default dir --target /var/lib/libvirt/images
fi
if ! virsh pool-list --name | grep -qx default; then
    mkdir -p /var/lib/libvirt/images
    virsh pool-start default
fi
virsh pool-autostart default
"""

#: Only root may otherwise use this socket, so a scan of the host would miss the ports of the bridges.
_OVS = """\
mkdir -p /etc/systemd/system/ovsdb-server.service.d
cat > /etc/systemd/system/ovsdb-server.service.d/hostloom.conf <<'END'
[Service]
ExecStartPost=/bin/chgrp libvirt /run/openvswitch/db.sock
ExecStartPost=/bin/chmod 0660 /run/openvswitch/db.sock
END
systemctl daemon-reload
chgrp libvirt /run/openvswitch/db.sock
chmod 0660 /run/openvswitch/db.sock
"""


def with_kvm(seed_input: SeedInput, options: KvmOptions, public_key: str) -> SeedInput:
    """The seed of a machine that becomes a KVM host: its bridges, hostloom's account, and libvirt's setup.

    Only hostloom has the private key of `public_key`. InvalidValue if the machine's own user has the name of
    hostloom's account, or for bridges that the machine cannot have.
    """
    if seed_input.user == KVM_ACCOUNT:
        raise InvalidValue("user", seed_input.user, "is the account of hostloom itself", "use another name")
    # An account of the kind `system` would get no home directory for its key.
    # Its key may forward sockets, because hostloom reaches libvirt's socket that way.
    key = f"restrict,port-forwarding {public_key}"
    account = SeedAccount(KVM_ACCOUNT, (key,), (_LIBVIRT_GROUP,))
    script = _SET_UP + (f"\n{_OVS}" if options.bridge_kind is BridgeKind.OVS else "")
    return replace(
        seed_input,
        interfaces=with_bridges(seed_input.interfaces, options),
        accounts=(*seed_input.accounts, account),
        commands=(*seed_input.commands, ("sh", "-euc", script)),
    )
