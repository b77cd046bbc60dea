"""Parameters of a registered strategy as the fields of a form, and what is wrong with values for them."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from optconsole.engine.model.plugins import FormField, ParamFault
from optconsole.engine.model.text import display

_KINDS = {bool: "bool", int: "int", float: "float", str: "text"}


class NoForm(Exception):
    """A parameter that no form can ask for, in words."""


def form_fields(model: type[BaseModel]) -> tuple[FormField, ...]:
    """The fields of a form, in the model's order. Raises NoForm for a type that is no number, word, or yes and no."""
    return tuple(_field(name, info) for name, info in model.model_fields.items())


def _field(name: str, info: FieldInfo) -> FormField:
    kind, choices = _kind(name, info.annotation)
    low, high, above, below = _bounds(info)
    default = None if info.default is PydanticUndefined else info.default
    return FormField(
        name=name,
        kind=kind,
        text=display(info.description or ""),
        default=default.value if isinstance(default, Enum) else default,
        required=info.is_required(),
        low=low,
        high=high,
        above=above,
        below=below,
        choices=choices,
    )


def _kind(name: str, annotation: Any) -> tuple[str, tuple[str, ...]]:
    if annotation in _KINDS:
        return _KINDS[annotation], ()
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        words = [each.value for each in annotation]
    else:
        words = [*get_args(annotation)] if get_origin(annotation) is Literal else []
    if words and all(isinstance(each, str) for each in words):
        return "choice", tuple(words)
    raise NoForm(f"the parameter {name} is of a type that no form can ask for; use int, float, bool, str or Literal")


def _bounds(info: FieldInfo) -> tuple[float | None, float | None, float | None, float | None]:
    low = high = above = below = None
    for each in info.metadata:
        match each:
            case Ge():
                low = _number(each.ge)
            case Le():
                high = _number(each.le)
            case Gt():
                above = _number(each.gt)
            case Lt():
                below = _number(each.lt)
    return low, high, above, below


def _number(bound: Any) -> float | None:
    return bound if isinstance(bound, int | float) else None


def param_faults(error: ValidationError) -> tuple[ParamFault, ...]:
    """What the model says of the values, by field."""
    return tuple(
        ParamFault("BAD_PARAM", ".".join(str(part) for part in each["loc"])[:60], display(_sentence(each["msg"]), 200))
        for each in error.errors(include_url=False, include_context=False)
    )


def _sentence(said: str) -> str:
    return said.removeprefix("Value error, ").rstrip(".") + "."
