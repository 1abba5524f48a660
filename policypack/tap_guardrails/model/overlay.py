"""A resource's outputs, read in the light of what the program asked for.

What a stack rule sees are outputs. Before deployment a provider answers "unknown" not only where the
program's own value is unknown, but for everything that it will fill in by itself: a function's
`loggingConfig`, a queue's `redrivePolicy`. The inputs, which the engine showed before, tell the two apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tap_guardrails.model.values import UNKNOWN, Secret, Value, has_unknown


class Overlay(Mapping[str, Value]):
    """Outputs, with inputs where an output is unknown; a property that nobody asked for is then not set."""

    __slots__ = ("_inputs", "_merged", "_outputs")

    def __init__(self, outputs: Mapping[str, Value], inputs: Mapping[str, Value]) -> None:
        self._outputs = outputs
        self._inputs = inputs
        self._merged: dict[str, Value] = {}

    def is_asked(self, name: str) -> bool:
        """Tell whether the program asked for a property; else the provider or AWS made its value."""
        return self._inputs.get(name) is not None

    def __getitem__(self, name: str) -> Value:
        if name not in self._merged:
            output = self._outputs[name]
            # Inputs are decoded only where they can tell more.
            self._merged[name] = overlaid(output, self._inputs.get(name)) if has_unknown(output) else output
        return self._merged[name]

    def get(self, key: str, default: Value = None) -> Value:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return a property; most of those that rules ask for are not there, and that must cost little."""
        return self[key] if key in self._outputs else default

    def __contains__(self, key: object) -> bool:
        return key in self._outputs

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)


def overlaid(output: Value, asked: Value) -> Value:
    """Put the input where the output is unknown.

    Lists are left alone: providers sort them, so that positions in the one say nothing of the other.

    Args:
        output: What the provider answered.
        asked: What the program asked for; None when it did not.
    """
    if output is UNKNOWN:
        return asked
    if isinstance(output, Secret):
        plain = overlaid(output.value, asked)
        return plain if plain is None or isinstance(plain, Secret) else Secret(plain, output.marked)
    if isinstance(output, dict):
        inner = asked.value if isinstance(asked, Secret) else asked
        if inner is UNKNOWN:
            return output
        fields = inner if isinstance(inner, dict) else {}
        return {name: overlaid(value, fields.get(name)) for name, value in output.items()}
    return output
