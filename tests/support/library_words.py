"""Words of libraries that no user may read: pydantic, SQLAlchemy, the database drivers, Python itself."""

import re

_WORDS = re.compile(
    r"Input should|Field required|Extra inputs|Value error|value_error|String should|List should"
    r"|Assertion failed"
    r"|pydantic|sqlalche|sqlite|psycopg|IntegrityError"
    r"|OperationalError|UNIQUE constraint"
    r"|FOREIGN KEY"
    r"|Traceback|SELECT |INSERT INTO|UPDATE \w+ SET|Invalid isoformat|does not appear to be an IPv"
    r"|invalid literal for|NoneType|<class '|object has no attribute",
    re.IGNORECASE,
)


def library_words(text: str) -> list[str]:
    """All that is found of them."""
    return _WORDS.findall(text)
