"""What pyinfra reads before the inventory."""

REQUIRE_PYINFRA_VERSION = ">=3.10,<3.11"
