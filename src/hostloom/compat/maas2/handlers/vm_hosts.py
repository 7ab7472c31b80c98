"""`vm-hosts/` and `pods/`: two names for the same hosts, with different `resource_uri`s."""

import time

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.handlers.vm_host_fields import (
    MODES,
    check_kind,
    default_name,
    read_mode,
    read_ratios,
    read_uri,
    refuse_secrets,
)
from hostloom.compat.maas2.references import optional_key
from hostloom.compat.maas2.responses import GONE, MaasResponse, answer, bad_field, refuse, uri
from hostloom.compat.maas2.storage import with_own_labels
from hostloom.compat.maas2.views.hosts import host_document
from hostloom.compat.maas2.views.machines import VIRSH
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.waiting import wait
from hostloom.model.errors.resources import NotFound
from hostloom.model.errors.stale import Stale
from hostloom.model.host import (
    MAX_OVER_COMMIT,
    Host,
)
from hostloom.model.ids import HostId, check_hostname
from hostloom.model.keep import KEEP
from hostloom.model.machine import MachineOrigin
from hostloom.model.request import ComposeRequest
from hostloom.ports.store import UnitOfWork
from hostloom.services import batches, host_changes, hosts, machines
from hostloom.services.host_changes import HostChanges
from hostloom.services.hosts import HostInput

#: The step of a compose operation after which the machine exists, in the state `Commissioning`.
RESERVED = "reserve"
#: The timeout for decomposing each machine before the deletion of its host.
DECOMPOSE_S = 60.0
UPDATE_ATTEMPTS = 4
#: The timeout and the poll interval of a compose request that waits for the first reading of its host.
FIRST_READING_S, READING_PAUSE_S = 30.0, 0.2

_RATIO = f"0 to {MAX_OVER_COMMIT}."
_SETTINGS = (
    Param("name", "The name; without one it is that of the address."),
    Param("zone", "The zone, by name or id."),
    Param("pool", "The resource pool, by name or id."),
    Param("tags", "Tags, parted by commas."),
    Param("cpu_over_commit_ratio", f"Cores to give for each that there is, {_RATIO}", "Float"),
    Param("memory_over_commit_ratio", f"MiB to give for each that there is, {_RATIO}", "Float"),
    Param("default_macvlan_mode", f"One of {', '.join(MODES)}."),
    Param("power_pass", "Empty: hostloom logs in with SSH keys."),
    Param("power_user", "Empty: the user is part of the address."),
)
_COMPOSE = (
    Param("cores", "Processors, 1 by default.", "Int"),
    Param("memory", "MiB, 2048 by default.", "Int"),
    Param("architecture", "Such as `amd64/generic`; the host's own by default."),
    Param("hostname", "The name; without one it is made up."),
    Param("zone", "The zone, by name or id."),
    Param("pool", "The resource pool, by name or id."),
    Param("domain", "The domain, by name or id; the default one otherwise."),
    Param("storage", "Disks: `label:GB(pool or tag),…`."),
    Param("interfaces", "Interface constraints: `eth0:space=dmz;eth1:vid=20,ip=10.0.20.9`."),
    Param("skip_commissioning", "Accepted: a composed machine is ready at once.", "Boolean"),
    Param("pinned_cores", "Empty: cores are not pinned."),
    Param("hugepages_backed", "False: memory is not of huge pages.", "Boolean"),
    Param("cpu_speed", "Empty: the speed is the host's."),
)


class _Hosts:
    """The resources and actions under one of the two names."""

    def __init__(self, name: str, path: str, label: str, note: str = "") -> None:
        self._path = path
        self.several = Resource(f"{name}s", f"{path}/", f"Manage {label}s{note}.")
        self.one = Resource(name, f"{path}/{{id}}/", f"Manage a {label}{note}.")
        address = Param("power_address", "The libvirt URI, such as `qemu+ssh://ubuntu@10.0.0.5/system`.")
        kind = Param("type", f"`{VIRSH}`.")
        collection, member = self.several, self.one
        collection.crud("read", f"List {label}s.")(self.list)
        collection.crud(
            "create",
            f"Add a {label}: it is read, and its node found.",
            Param("type", f"`{VIRSH}`.", required=True),
            Param("power_address", address.doc, required=True),
            *_SETTINGS,
        )(self.create)
        member.crud("read", f"Show a {label}.")(self.read)
        libvirt_host = Param(
            "host", "The address or name of the libvirt instance; the host is correlated anew."
        )
        pool = Param("default_storage_pool", "The pool for disks that name none, by id.")
        member.crud("update", f"Change a {label}.", libvirt_host, kind, address, pool, *_SETTINGS)(
            self.update
        )
        decompose = Param("decompose", "Take the machines apart that were composed there.", "Boolean")
        member.crud("delete", f"Let a {label} go.", decompose)(self.delete)
        member.op("POST", "refresh", f"Read a {label} again.")(self.refresh)
        member.op("GET", "parameters", f"Show how a {label} is reached.")(self.parameters)
        member.op("POST", "compose", "Compose a machine.", *_COMPOSE)(self.compose)
        tag = Param("tag", "The tag.", required=True)
        member.op("POST", "add_tag", f"Add a tag to a {label}.", tag)(self.add_tag)
        member.op("POST", "remove_tag", f"Take a tag from a {label}.", tag)(self.remove_tag)

    def list(self, call: Call) -> MaasResponse:
        """List in the order of ids."""
        with call.begin() as uow:
            view = View(uow)
            host_ids = {host.id for host in hosts.list_(uow, call.principal)}
            states = sorted(view.world.hosts, key=lambda host_state: host_state.host.id)
            return answer(
                [host_document(view, state, self._path) for state in states if state.host.id in host_ids]
            )

    def read(self, call: Call) -> MaasResponse:
        """Look up by id."""
        with call.begin() as uow:
            return self._show(uow, self._find(call, uow))

    def create(self, call: Call) -> MaasResponse:
        """Return the host. Its first reading may continue; 503 with the reason if the reading failed."""
        form = call.form
        check_kind(form)
        refuse_secrets(form)
        address = form.required("power_address").strip()
        with call.begin() as uow:
            host_input = HostInput(
                form.text("name") or default_name(call, address),
                address,
                default_macvlan_mode=read_mode(form),
                zone=optional_key(form, "zone", uow.zones),
                resource_pool=optional_key(form, "pool", uow.resource_pools),
                trust_first_key=call.ports.settings.trust_first_keys,
                tags=tuple(form.texts("tags")),
                at_once=True,
                **read_ratios(form),
            )
        operation = hosts.add(call.ports, call.principal, host_input)
        wait(call, operation)
        with call.begin() as uow:
            return self._show(uow, hosts.get(uow, call.principal, str(hosts.added_host(operation).id)))

    def update(self, call: Call) -> MaasResponse:
        """Apply the fields that the client sent. A new address starts a reading in the background."""
        form = call.form
        check_kind(form)
        refuse_secrets(form)
        # Retry, because a client may change a new host while its first reading is recorded.
        for attempts_left in reversed(range(UPDATE_ATTEMPTS)):
            try:
                return self._updated(call)
            except Stale:
                if not attempts_left:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _updated(self, call: Call) -> MaasResponse:
        form = call.form
        with call.begin() as uow:
            host = self._find(call, uow)
            changes = HostChanges(
                name=form.text("name") or KEEP,
                uri=read_uri(form, host) or KEEP,
                default_macvlan_mode=read_mode(form) or KEEP,
                zone=optional_key(form, "zone", uow.zones) or KEEP,
                resource_pool=optional_key(form, "pool", uow.resource_pools) or KEEP,
                tags=tuple(form.texts("tags")) if "tags" in form else KEEP,
                trust_first_key=call.ports.settings.trust_first_keys,
                default_pool=form.text("default_storage_pool") or KEEP,
                **read_ratios(form),
            )
        changed = host_changes.update(call.ports, call.principal, str(host.id), changes)
        with call.begin() as uow:
            return self._show(uow, changed)

    def delete(self, call: Call) -> MaasResponse:
        """Delete a host. Raises an error if it has composed machines and `decompose` is not set."""
        with call.begin() as uow:
            host = self._find(call, uow)
            host_machines = uow.machines.of_host(host.id) if call.form.flag("decompose") else []
        operations = [
            machines.decompose(call.ports, call.principal, machine.system_id)
            for machine in host_machines
            if machine.origin is MachineOrigin.COMPOSED
        ]
        for operation in operations:
            wait(call, operation, timeout_s=DECOMPOSE_S)
        hosts.delete(call.ports, call.principal, str(host.id))
        return GONE

    def refresh(self, call: Call) -> MaasResponse:
        """Return the host. A long reading continues in the background."""
        with call.begin() as uow:
            host = self._find(call, uow)
        wait(call, hosts.refresh(call.ports, call.principal, host.name))
        with call.begin() as uow:
            return self._show(uow, self._find(call, uow))

    def parameters(self, call: Call) -> MaasResponse:
        """Return strings only. They contain no secret."""
        with call.begin() as uow:
            host = self._find(call, uow)
        address = hosts.uri_of(call.principal, host)
        return answer({"power_address": address, "power_user": "", "power_pass": ""})

    def compose(self, call: Call) -> MaasResponse:
        """Reserve a machine and return it. Its creation continues in the state `Commissioning`."""
        form = call.form
        for name, value in (
            ("pinned_cores", form.texts("pinned_cores")),
            ("cpu_speed", form.texts("cpu_speed")),
        ):
            if value:
                raise bad_field(name, "hostloom does not do this yet: leave it out.")
        if form.flag("hugepages_backed"):
            raise bad_field("hugepages_backed", "hostloom does not do this yet: leave it out.")
        form.flag("skip_commissioning")
        self._wait_until_read(call)
        hostname = form.text("hostname")
        with call.begin() as uow:
            host = self._find(call, uow)
            request = ComposeRequest(
                host=str(host.id),
                interfaces=form.text("interfaces") or "",
                storage=with_own_labels(form.text("storage") or ""),
                cores=form.whole("cores", 1) or 1,
                memory_mib=form.whole("memory", 1) or 2048,
                architecture=form.text("architecture") or None,
                hostname=check_hostname(hostname, "hostname") if hostname else None,
                zone=optional_key(form, "zone", uow.zones),
                resource_pool=optional_key(form, "pool", uow.resource_pools),
                domain=optional_key(form, "domain", uow.domains),
            )
        operation = wait(call, machines.compose(call.ports, call.principal, request), RESERVED)
        system_id = batches.identities_of(operation)[0].system_id
        return answer({"system_id": system_id, "resource_uri": uri(f"machines/{system_id}/")})

    def add_tag(self, call: Call) -> MaasResponse:
        """Return the host. An existing tag is no error."""
        return self._tagged(call, add=True)

    def remove_tag(self, call: Call) -> MaasResponse:
        """Return the host. A missing tag is no error."""
        return self._tagged(call, add=False)

    def _tagged(self, call: Call, *, add: bool) -> MaasResponse:
        tag = call.form.required("tag").strip()
        if "," in tag:
            raise bad_field("tag", "One tag, without a comma.")
        with call.begin() as uow:
            host = self._find(call, uow)
        tags = tuple(name for name in host.tags if name != tag) + ((tag,) if add else ())
        changed = host
        if tags != host.tags:
            changed = host_changes.update(call.ports, call.principal, str(host.id), HostChanges(tags=tags))
        with call.begin() as uow:
            return self._show(uow, changed)

    def _wait_until_read(self, call: Call) -> None:
        """Wait for the first reading of a new host, because a client may compose at once."""
        until = time.monotonic() + FIRST_READING_S
        while True:
            with call.begin() as uow:
                host = self._find(call, uow)
            if not host.is_being_read:
                return
            if time.monotonic() > until:
                raise refuse(
                    503,
                    f"Host {host.name} cannot be used yet: {host.unreachable_cause}. Try again in a while.",
                )
            time.sleep(READING_PAUSE_S)

    def _find(self, call: Call, uow: UnitOfWork) -> Host:
        key = call.number("id", "Pod")
        try:
            return hosts.get(uow, call.principal, str(key))
        except NotFound:
            reason = hosts.why_lost(uow, call.principal, HostId(key))
            raise refuse(404, f"No Pod matches the given query. {reason or ''}".rstrip()) from None

    def _show(self, uow: UnitOfWork, host: Host) -> MaasResponse:
        view = View(uow)
        return answer(host_document(view, view.world.host_by_id[host.id], self._path))


_VM_HOSTS = _Hosts("VmHost", "vm-hosts", "VM host")
_PODS = _Hosts("Pod", "pods", "pod", ", which is the older name of a VM host")
RESOURCES = (_VM_HOSTS.several, _VM_HOSTS.one, _PODS.several, _PODS.one)
