"""What an installed sockspec adds to pytest: nothing, until a project's configuration says `sockspec = true`."""

import os

import pytest

from .hook import hook


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the setting."""
    parser.addini(
        "sockspec", "cases/ holds cases of sockspec's, which are run in labs", type="bool"
    )


@hook(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Brings the plugin in, in time for its options to be known."""
    if early_config.getini("sockspec"):
        os.environ.setdefault("SOCKSPEC_ROOT", str(early_config.rootpath))
        early_config.pluginmanager.import_plugin(str(__package__))
