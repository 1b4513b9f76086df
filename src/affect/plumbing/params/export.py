"""pipelines/export/params.yaml: the networks that are exported, and how."""

from typing import Literal, get_args

from pydantic import field_validator

from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params.model import Backbone
from affect.plumbing.params.section import Section

Export = Literal[
    "onnx-float32",
    "onnx-float16",
    "onnx-int8",
    "litert-float32",
    "litert-float16",
    "litert-int8",
    "savedmodel-float32",
]
EXPORTS: tuple[str, ...] = get_args(Export)


class Exports(Section):
    """Each network is exported in each way."""

    networks: list[Backbone]
    exports: list[Export]

    def require(self, network: str, export: str | None = None) -> None:
        """Raise InputError where a network, or an export of it, is not among those asked for."""
        for name, value, known in (("networks", network, self.networks), ("exports", export, self.exports)):
            if value is not None and value not in known:
                asked = ", ".join(known) or "nothing"
                raise InputError(f"{paths.EXPORT_PARAMS}: {name} has no {value!r}, but {asked} (docs/export.md)")

    @field_validator("networks", "exports")
    @classmethod
    def _each_once(cls, named: list[str]) -> list[str]:
        if len(set(named)) < len(named):
            raise ValueError("each once")
        return named
