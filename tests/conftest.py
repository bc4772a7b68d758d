"""What holds for every test: how long an example of hypothesis takes is never why a test fails."""

from hypothesis import settings

settings.register_profile("untimed", settings(deadline=None))  # all else as in the profile that is in force
settings.load_profile("untimed")
