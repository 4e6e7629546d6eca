"""What stands in several places of the project says the same in all of them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from operations import __version__

ROOT = Path(__file__).parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_version_is_one_and_has_a_part_in_the_changelog() -> None:
    assert f'\nversion = "{__version__}"\n' in PYPROJECT
    assert f"\n## [{__version__.partition('.dev')[0]}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_ci_runs_every_python_that_is_promised_and_every_part() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["unit"]["strategy"]["matrix"]["python"] == re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PYPROJECT)
    assert jobs["all"]["strategy"]["matrix"]["part"] == [1, 2, 3]
    assert jobs["all"]["steps"][-1]["run"].endswith(" .ci/run")


def test_before_a_commit_lint_is_what_make_calls() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [(repository["repo"], hook["entry"]) for hook in repository["hooks"]] == [("local", "make lint")]


def test_the_forms_can_be_read() -> None:
    forms = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")]
    assert sorted(form["name"] for form in forms if "body" in form) == ["Something is missing", "Something is wrong"]
