"""The one step of installing that pyproject.toml cannot say: the conductor is built, and goes into the package, with the
library that it loads into programs."""

import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, find_packages, setup
from setuptools.command.build_py import build_py

BUILT = ("build/release/bin/conductor", "build/release/bin/libinterpose.so")


class BuildWithConductor(build_py):
    """Copies the Python files, as ever, and the conductor beside them."""

    def run(self) -> None:
        """Builds it first; make says what is missing when it cannot."""
        super().run()
        subprocess.run(["make", "--no-print-directory", "SAN=", *BUILT], check=True)
        target = Path(self.build_lib) / "sockspec" / "bin"
        target.mkdir(parents=True, exist_ok=True)
        for built in BUILT:
            shutil.copy2(built, target)


class OfOneArchitecture(Distribution):
    """A package that holds an executable is for no other machine."""

    def has_ext_modules(self) -> bool:
        """Yes, as far as pip is concerned."""
        return True


Path("build").mkdir(exist_ok=True)
within = [f"sockspec.{name}" for name in find_packages("harness", exclude=["tests"])]
setup(
    packages=["sockspec", *within],
    cmdclass={"build_py": BuildWithConductor},
    distclass=OfOneArchitecture,
)
