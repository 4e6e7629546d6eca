"""How this machine's pip settings reach the build of the real Open WebUI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import openwebui


def test_the_environment_beats_pips_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = https://files.example/simple\nretries = 3\n[install]\nretries = 4\nno-index = true\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example/simple")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("HOME_OF_NOTHING", "x")
    found = openwebui.settings()
    assert found["PIP_INDEX_URL"] == "https://environment.example/simple"
    assert (found["PIP_RETRIES"], found["PIP_NO_INDEX"]) == ("4", "true")
    assert found["https_proxy"] == "http://proxy.example:3128"
    assert "HOME_OF_NOTHING" not in found


def test_the_build_sees_what_the_settings_name_on_disk(tmp_path: Path) -> None:
    (tmp_path / "index/simple").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    values = (f"file://{tmp_path}/index/simple https://files.example/simple", f"{tmp_path}/wheels\n{tmp_path}/missing", "180")
    assert openwebui.files(values) == {tmp_path / "index", tmp_path / "wheels"}
