"""How properties are tried when the branches of the rules are counted (`make check`)."""

from hypothesis import settings

#: The same examples each time, and few of them: what is counted is whether a branch is run at all.
settings.register_profile("branches", max_examples=15, derandomize=True)
