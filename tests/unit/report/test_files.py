"""The report as files."""

from __future__ import annotations

import json
import re
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from operations.report import HostReport, RunReport, files, run_id
from operations.report.files import write
from operations.report.prometheus import metrics
from operations.stack.errors import SettingsError

SUFFIXES = ("json", "html", "xml")
NOW = datetime(2026, 11, 24, 15, 1, 2, tzinfo=timezone.utc)


def report(minute: int = 0) -> RunReport:
    time = NOW + timedelta(minutes=minute)
    return RunReport(run_id(time), time, time, {"pyinfra": "3.10.0"}, (HostReport("erni-1", "ok"),))


def test_a_report_is_written_under_its_id_and_as_the_latest(tmp_path: Path) -> None:
    first, second = report(), report(1)
    folder = tmp_path / "new" / "reports"
    write(first, folder)
    path = write(second, folder)
    assert path == folder / f"{second.id}.html"
    assert RunReport.from_dict(json.loads((folder / "latest.json").read_text())) == second
    for suffix in SUFFIXES:
        assert (folder / f"latest.{suffix}").read_bytes() == path.with_suffix(f".{suffix}").read_bytes()
    names = {f"{name}.{suffix}" for name in (first.id, second.id, "latest") for suffix in SUFFIXES}
    assert {file.name for file in folder.iterdir()} == {"report.prom", *names}
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o644}


def test_only_the_newest_runs_are_kept_with_all_their_files(tmp_path: Path) -> None:
    reports = [report(minute) for minute in range(5)]
    for each in reports:
        write(each, tmp_path, keep=3)
    names = {f"{name}.{suffix}" for name in ("latest", *(each.id for each in reports[-3:])) for suffix in SUFFIXES}
    assert {path.name for path in tmp_path.iterdir()} == {"report.prom", *names}


def test_shards_that_end_at_once_lose_nothing_of_what_each_has_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*given: Any) -> str:
        time.sleep(0.02)  # after the former file was read
        return metrics(*given)

    monkeypatch.setattr(files, "metrics", slow)
    names = [f"erni-{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: write(replace(report(), hosts=(HostReport(name, "ok"),)), tmp_path, fleet=names), names))
    assert set(re.findall(r'host="(erni-\d)"', (tmp_path / "report.prom").read_text())) == set(names)


def test_files_that_are_no_reports_stay(tmp_path: Path) -> None:
    for name in ("notes.json", "20261124.json", "20200101T000000Z-zzzz.json"):
        (tmp_path / name).touch()
    write(report(), tmp_path, keep=1)
    write(report(1), tmp_path, keep=1)
    assert len(list(tmp_path.iterdir())) == 3 + 2 * len(SUFFIXES) + 1


def test_this_run_stays_when_the_clock_went_back(tmp_path: Path) -> None:
    write(report(10), tmp_path, keep=1)
    assert write(report(), tmp_path, keep=1).exists()


def test_an_interrupted_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(report(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SettingsError, match=r"report_dir: .* cannot be written to \(No space left on device\)"):
        write(report(1), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "reports").touch()
    with pytest.raises(SettingsError, match="report_dir: "):
        write(report(), tmp_path / "reports")


def test_text_that_is_no_unicode_does_not_stop_the_report(tmp_path: Path) -> None:
    odd = RunReport(run_id(NOW), NOW, NOW, {}, (HostReport("a", "failed", error="\udcff"),))
    write(odd, tmp_path)
    json.loads((tmp_path / "latest.json").read_text())
    fromstring((tmp_path / "latest.xml").read_text())


def test_a_dry_run_leaves_the_metrics_as_they_are(tmp_path: Path) -> None:
    write(report(), tmp_path)
    before = (tmp_path / "report.prom").read_text()
    write(replace(report(1), dry=True), tmp_path)
    assert (tmp_path / "report.prom").read_text() == before
