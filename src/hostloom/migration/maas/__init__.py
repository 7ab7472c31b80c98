"""Reads what a MAAS manages: from a running one, or from a dump of its database.

Only reads: nothing is sent to MAAS but GET requests, and no secret of it gets into what is returned.
"""

from hostloom.migration.maas.api_documents import read_server
from hostloom.migration.maas.dump import read_dump
from hostloom.migration.maas.errors import SourceError, SourceMisnamed, SourceUnreachable
from hostloom.migration.maas.session import MaasSession

__all__ = ["MaasSession", "SourceError", "SourceMisnamed", "SourceUnreachable", "read_dump", "read_server"]
