"""The one step of installing that pyproject.toml cannot say: the conductor is built, and goes into the package, with the
library that it loads into programs and the glue of cases in C."""

import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, find_packages, setup
from setuptools.command.build_py import build_py

BUILT = ("bin/conductor", "bin/libinterpose.so", "lib/libcase.a")


class BuildWithConductor(build_py):
    """Copies the Python files, as ever, and the conductor beside them."""

    def run(self) -> None:
        """Builds it first; make says what is missing when it cannot."""
        super().run()
        made = {name: Path("build/release") / name for name in BUILT}
        subprocess.run(["make", "--no-print-directory", "SAN=", *made.values()], check=True)
        for name, built in made.items():
            target = Path(self.build_lib) / "sockspec" / name
            target.parent.mkdir(parents=True, exist_ok=True)
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
