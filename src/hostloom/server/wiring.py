"""Creates every adapter from the settings and connects it to its port."""

import contextlib
from pathlib import Path

import structlog

from hostloom.dhcp.driver import KeaDhcp
from hostloom.dhcp.embedded import EmbeddedKea
from hostloom.dhcp.servers import KeaServers
from hostloom.hostscan.scan import HostScan
from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.images.directory import ImageDirectory
from hostloom.images.disk_builds import MmdebstrapBuilds
from hostloom.images.disk_directory import DiskDirectory
from hostloom.images.documents import MirrorDocuments
from hostloom.images.download import Downloader
from hostloom.images.import_files import ImportFiles
from hostloom.images.limits import GIB, ImportLimits
from hostloom.images.seed_disk import MtoolsSeedDisks
from hostloom.model.errors.server import ConfigError
from hostloom.model.host_uri import UriRules
from hostloom.model.service_settings import ServiceSettings
from hostloom.ports.context import Ports
from hostloom.ports.dhcp import DhcpServer
from hostloom.ports.store import Store
from hostloom.power.drivers import PowerAdapters
from hostloom.remote.connection import Remotes
from hostloom.remote.keys import PinnedKeys, import_known_hosts
from hostloom.server.config import Settings
from hostloom.server.secret import FileSecrets
from hostloom.server.system import RandomIds, SystemClock, SystemResolver
from hostloom.services.racks import key_uri
from hostloom.store.engine import open_store
from hostloom.wire.probe import AgentProbe

log = structlog.get_logger(__name__)


def wire(settings: Settings, stack: contextlib.ExitStack) -> Ports:
    """Create every port; the stack closes the adapters in reverse order."""
    _make_state_dir(settings.state_dir)
    store = open_store(settings.database)
    stack.callback(store.close)
    stack.enter_context(store.held())
    keys = PinnedKeys(store, settings.ssh_config)
    import_known_hosts(keys, settings.state_dir / "known_hosts", lambda: _ssh_uris(store))
    remotes = Remotes(keys, settings.ssh_config)
    stack.callback(remotes.close)
    limits = ImportLimits(settings.max_image_gib * GIB)
    downloader = Downloader(limits, settings.image_urls_local)
    hypervisors = LibvirtHypervisors(remotes)
    stack.callback(hypervisors.close)
    return Ports(
        store=store,
        hypervisors=hypervisors,
        scanner=HostScan(remotes),
        keys=keys,
        resolver=SystemResolver(),
        dhcp=KeaServers(
            remotes,
            _dhcp_server(settings, stack),
            settings.state_dir / "rack-passwords",
            settings.kea_socket_dirs,
        ),
        clock=SystemClock(),
        ids=RandomIds(),
        secrets=FileSecrets(settings.secret),
        wire=AgentProbe(remotes),
        images=ImageDirectory(settings.images, SystemClock().now),
        disk_images=DiskDirectory(settings.images),
        seed_disks=MtoolsSeedDisks(),
        power=PowerAdapters(hypervisors),
        disk_imports=ImportFiles(settings.images, limits, downloader),
        disk_builds=MmdebstrapBuilds(settings.images),
        image_documents=MirrorDocuments(downloader),
        settings=service_settings(settings),
    )


def _make_state_dir(state_dir: Path) -> None:
    """Make the directory if it is missing, and close it to others."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        raise ConfigError(
            "state_dir",
            str(state_dir),
            f"cannot be used: {error.strerror}",
            "choose a directory that hostloom may write",
        ) from error
    close_to_others(state_dir)


def service_settings(settings: Settings) -> ServiceSettings:
    """The settings that services and sagas use."""
    return ServiceSettings(
        boot_port=settings.boot_port,
        commission_timeout_s=settings.commission_timeout_min * 60.0,
        deploy_timeout_s=settings.deploy_timeout_min * 60.0,
        trust_first_keys=settings.maas_trust_first_key,
        maas_unsigned_put=settings.maas_unsigned_put,
        max_on_demand_per_user=settings.max_on_demand_per_user,
        max_new_machines=settings.max_new_machines,
        uris=uri_rules(settings),
    )


def _ssh_uris(store: Store) -> list[str]:
    """The URIs of hosts and of racks that are reached over SSH."""
    with store.begin() as uow:
        racks = [key_uri(control) for rack in uow.racks.list() for control in (rack.control, rack.control6)]
        return [*(host.uri for host in uow.hosts.list()), *(uri for uri in racks if uri is not None)]


def close_to_others(directory: Path) -> None:
    """Deny other users access to the state directory and the database, which earlier versions allowed."""
    files = [path for path in directory.glob("hostloom.db*") if path.is_file() and not path.is_symlink()]
    for path, mode in [(directory, 0o750), *((file, 0o600) for file in files)]:
        try:
            if path.stat().st_mode & 0o777 & ~mode:
                path.chmod(path.stat().st_mode & mode)
        except OSError as error:
            log.warning("others may read it", path=str(path), cause=error.strerror)


def uri_rules(settings: Settings) -> UriRules:
    """The URIs that the settings allow for hosts."""
    folders = [Path.home() / ".ssh", *([settings.ssh_key_dir] if settings.ssh_key_dir else [])]
    return UriRules(
        test_hosts=settings.test_hosts,
        sockets=frozenset(str(path) for path in settings.libvirt_sockets),
        key_folders=tuple(str(folder) for folder in folders),
    )


def _dhcp_server(settings: Settings, stack: contextlib.ExitStack) -> DhcpServer | None:
    """Kea according to the settings: embedded, external, or none."""
    if settings.kea_embedded:
        if settings.kea_socket or settings.kea_socket6:
            path = settings.kea_socket or settings.kea_socket6
            raise ConfigError(
                "kea_socket", str(path), "and kea_embedded exclude each other", "set one of them"
            )
        kea = EmbeddedKea(settings.state_dir / "kea")
        stack.callback(kea.stop)
        kea.start()
        return kea
    if settings.kea_socket is None:
        return None
    return KeaDhcp(settings.kea_socket, socket6=settings.kea_socket6)
