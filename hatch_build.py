"""Compiles the translations, and what is written in C, when the package is built or installed."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Compile(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for po in Path(self.root, "src/recorder_sync/locale").rglob("*.po"):
            with po.open("rb") as source, po.with_suffix(".mo").open("wb") as target:
                write_mo(target, read_po(source))
        if self.target_name == "wheel" and self._compiles_c():
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def _compiles_c(self) -> bool:
        """Without a compiler the package is complete, too: hashlib computes what C does faster."""
        source = Path(self.root, "src/recorder_sync/ingest/sha256_pair.c")
        library = source.with_name(f"lib{source.stem}.so.1")  # a .so is taken for a module
        new = library.with_name(f"{library.name}.new")
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if compiler is None:
            library.unlink(missing_ok=True)
            self.app.display_warning(f"no C compiler: {source.name} is left out")
            return False
        command = [compiler, "-O3", "-Wall", "-shared", "-fPIC", "-o", new, source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            library.unlink(missing_ok=True)
            self.app.display_warning(f"{source.name} is left out: {done.stderr.strip()}")
            return False
        new.replace(library)
        return True
