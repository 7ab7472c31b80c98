"""Reads what a MAAS manages: from a running one, or from a dump of its database.

Only reads: nothing is sent to MAAS but GET requests, and no secret of it gets into what is returned.
"""

from hostloom.client.maas.bodies import read_server
from hostloom.client.maas.dump import read_dump
from hostloom.client.maas.errors import SourceError, SourceMisnamed, SourceUnreachable
from hostloom.client.maas.session import MaasSession

__all__ = ["MaasSession", "SourceError", "SourceMisnamed", "SourceUnreachable", "read_dump", "read_server"]
