"""What the chapters of the demo work with: eyes, hands, and the report that they fill."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from flyball.app.demo.load import Load
from flyball.app.demo.observe import Follower
from flyball.app.demo.processes import Processes
from flyball.app.demo.report import Report

SERVICE = "fraud"
Config = dict[str, int | str]


@dataclass
class World:
    """Everything real: processes, HTTP, files, the ledger. The report holds what was seen of it."""

    folder: Path  # the demo's own files within the home
    began: float  # loop time, seconds
    follow: Follower
    processes: Processes
    approve: Callable[[str, str], bool]  # service, reason: the simulated approver's word; False: it has to be repeated
    say: Callable[[float, str, str], None]  # seconds since the beginning, chapter, words
    report: Report = field(default_factory=Report)
    load: Load | None = None

    @property
    def traffic(self) -> Load:
        assert self.load is not None, "no traffic runs in this chapter"
        return self.load

    @property
    def service_file(self) -> Path:
        return self.folder / SERVICE / "service.yaml"

    @property
    def faults(self) -> Path:
        return self.folder / "faults"

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def tell(self, chapter: str, what: str, **figures: float | int | str | bool | None) -> None:
        """One line of the story, on the screen at once and in the report."""
        at_s = round(self.now() - self.began, 1)
        self.report.story.append({"chapter": chapter, "what": what, "at_s": at_s, **figures})
        self.say(at_s, chapter, what)

    async def offer(self, config: Config, branch: str | None) -> dict[str, Any]:
        """Train a release with another `experiment.config`, as a developer would: `flyball train`'s document.

        `branch`: in a copy of the service folder under this name, so that later retrainings do not inherit it.
        """
        file = self.service_file
        if branch is not None:
            file = self.folder / branch / SERVICE / file.name
            shutil.copytree(self.service_file.parent, file.parent)
        configure(file, config)
        return await self.processes.train(file)


def configure(file: Path, config: Config) -> None:
    """Write another `experiment.config` into a service.yaml; its comments stay."""
    yaml = YAML()
    declared = yaml.load(file)
    declared["experiment"]["config"] = dict(config)
    yaml.dump(declared, file)
