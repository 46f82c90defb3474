"""How long a command takes to start, over a Python that does nothing: differences of medians from one run.

    python benchmarks/startup.py [--rounds 25] [--most 0.15]

All commands take turns with the bare interpreter. The bytecode is compiled beforehand, as an installation does.
Seconds on a clock, and seconds of the processor: on a busy machine only the latter say something about the code.
With --most, the exit code is 1 where a command takes more of both over bare Python than that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parents[1]
RUN = "from hatch_wallaroo.cli import main; main()"
"""What the installed script `hatch-wallaroo` does."""
STEP = "import pandas as pd\n\n\ndef wallaroo_json(data: pd.DataFrame):\n    return []\n"
SMALL = """\
[project]
name = "small"
version = "1.0.0"

[tool.wallaroo]
framework = "python"
model = "step.py"
"""
OURS = {
    "hatch-wallaroo --version": ["--version"],
    "hatch-wallaroo --help": ["--help"],
    "hatch-wallaroo check --help": ["check", "--help"],
    "hatch-wallaroo models --help": ["models", "--help"],
    "hatch-wallaroo frameworks": ["frameworks"],
    "hatch-wallaroo check (a small table)": ["check"],
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=25)
    arguments.add_argument("--most", type=float)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text(SMALL, encoding="utf-8")
        (folder / "step.py").write_text(STEP, encoding="utf-8")
        commands = {"python -c pass": ["-c", "pass"], "python -c 'import click'": ["-c", "import click"]}
        commands |= {title: ["-c", RUN, *given] for title, given in OURS.items()}
        commands["hatch --version"] = ["-m", "hatch", "--version"]
        environment = {
            **{key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            "PYTHONPATH": str(HERE),
        }
        taken = measured(commands, folder, environment, asked.rounds)
    over = show(taken)
    late = [title for title in OURS if asked.most is not None and min(over.get(title, (0,))) > asked.most]
    for title in late:
        print(f"{title} takes more than {asked.most} s over bare Python")
    return 1 if late else 0


def measured(commands, folder: Path, environment, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Each command's seconds, on the clock and of the processor, round by round; without those that do not work."""
    taken: dict[str, list[tuple[float, float]]] = {}
    for title, arguments in commands.items():
        done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode == 0:
            taken[title] = []
        else:
            print(f"left out: {title}: {(done.stderr.strip() or 'no error').splitlines()[-1]}")
    for _ in range(rounds):
        for title, seconds in taken.items():
            start = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, *commands[title]], cwd=folder, env=environment, stdout=subprocess.DEVNULL
            )
            _, _, used = os.wait4(process.pid, 0)
            process.returncode = 0
            seconds.append((time.perf_counter() - start, used.ru_utime + used.ru_stime))
    return taken


def show(taken: dict[str, list[tuple[float, float]]]) -> dict[str, tuple[float, ...]]:
    """Print a row a command; gives the seconds over bare Python, by their medians: on the clock, of the processor."""
    medians = {
        title: [statistics.median(each) for each in zip(*rounds, strict=True)] for title, rounds in taken.items()
    }
    best = {title: [min(each) for each in zip(*rounds, strict=True)] for title, rounds in taken.items()}
    bare = next(iter(taken))
    print("| command | ms | over bare Python | best round's | processor ms | over bare Python | best round's |")
    print("|---|---|---|---|---|---|---|")
    for title in taken:
        cells = []
        for kind in (0, 1):
            over = medians[title][kind] - medians[bare][kind], best[title][kind] - best[bare][kind]
            cells += [medians[title][kind], *over]
        print(f"| `{title}` | " + " | ".join(f"{each * 1e3:.0f}" for each in cells) + " |")
    return {
        title: tuple(one - two for one, two in zip(each, medians[bare], strict=True)) for title, each in medians.items()
    }


if __name__ == "__main__":
    sys.exit(main())
