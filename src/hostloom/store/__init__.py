"""The database adapter, the only importer of sqlalchemy."""
