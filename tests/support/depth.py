"""How many examples a property test tries: few in `bin/test`, all of them in `bin/test --all`."""

from hypothesis import settings

SHALLOW = 25


def examples(deep: int, shallow: int = SHALLOW) -> int:
    """`deep` under the profile of that name (`--hypothesis-profile=deep`), at most `shallow` otherwise."""
    return deep if settings.get_current_profile_name() == "deep" else min(deep, shallow)
