"""pytest's hooks, typed."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

_Function = TypeVar("_Function", bound=Callable[..., Any])


def hook(**options: bool) -> Callable[[_Function], _Function]:
    """pytest.hookimpl, whose types are not known to every version of it."""
    mark: Callable[[_Function], _Function] = pytest.hookimpl(**options)
    return mark
