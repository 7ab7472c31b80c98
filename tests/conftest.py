"""What holds for every test."""

from hypothesis import settings

from support.depth import SHALLOW

settings.register_profile("shallow", max_examples=SHALLOW)
settings.register_profile("deep")
settings.load_profile("shallow")
