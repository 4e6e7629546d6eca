"""CI is not green by accident: what was left out, or passed only the second time, fails it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import honest

ROOT = Path(__file__).parents[2]
# fails the first time and passes then
MODULE = """
from pathlib import Path
def test_at_times():
    seen = Path("seen")
    if not seen.exists():
        seen.touch()
        raise AssertionError
def test_always(): pass
"""
ONCE = "test_it.py::test_at_times"


class Folder:
    """One with a module of tests, and a list of those that may fail once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "test_it.py").write_text(MODULE)
        (path / "flaky.txt").touch()

    def run(self, *words: str, until: str = "") -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.honest",
            "-c",
            os.devnull,
            "--rootdir=.",
            "--flaky=flaky.txt",
            *words,
        ]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "TESTS_UNTIL": until}
        return subprocess.run(command, cwd=self.path, env=env, capture_output=True, text=True, timeout=300)

    def again(self) -> subprocess.CompletedProcess[str]:
        return self.run("--last-failed", "--second-try")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_one_that_passes_the_second_time_is_told_until_it_is_listed(folder: Folder) -> None:
    assert folder.run().returncode == 1
    second = folder.again()
    assert second.returncode == 0
    assert ONCE in second.stdout.partition("Failed once and passed then")[2]
    (folder.path / "seen").unlink()
    (folder.path / "flaky.txt").write_text(f"# of these tests\n{ONCE}  # a stranger's clock\n")
    assert folder.run().returncode == 1
    assert "Failed once and passed then" not in folder.again().stdout


def test_more_than_three_of_them_fail_the_run(folder: Folder) -> None:
    (folder.path / "test_it.py").write_text(MODULE.replace("seen = Path", "seen = Path(str(number)) or Path").replace(
        "def test_at_times():", "import pytest\n@pytest.mark.parametrize('number', range(4))\ndef test_at_times(number):"
    ))  # fmt: skip
    assert folder.run().returncode == 1
    assert folder.again().returncode == 1


def test_what_there_was_no_time_for_fails_the_run_and_has_no_second_try(folder: Folder) -> None:
    first = folder.run(until="1")
    assert first.returncode == 1
    assert "2 tests were left out, the first of them test_it.py::test_at_times" in first.stdout
    second = folder.again()
    assert second.returncode == 1
    assert "no time left" in second.stdout
    assert folder.run("--deselect", ONCE).returncode == 0


# The project's own list


def test_few_tests_may_fail_once_and_each_has_a_reason() -> None:
    known = honest.flaky()
    assert len(known) <= honest.MOST
    assert all(known.values())


def test_those_tests_are_there() -> None:
    for test in honest.flaky():
        path, _, name = test.partition("[")[0].rpartition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
