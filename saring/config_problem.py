"""What is wrong with a configuration, said so that a person can mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One mistake: where it is, which key, the value found, and what would be right.

    ``source`` is a file's path or ``environment``; ``line`` is 0 where a line means nothing; ``shown`` is the value as
    written (``""`` where there is none to show, secrets among them).
    """

    source: str
    line: int
    key: str
    shown: str
    message: str

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        value = f" = {self.shown}" if self.shown else ""
        subject = f"{self.key}{value}: " if self.key else ""
        return f"{place}: {subject}{self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; ``problems`` holds every mistake found, in the order of the file."""

    def __init__(self, problems: list[ConfigProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
