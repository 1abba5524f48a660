from __future__ import annotations

import pytest

from tap_items.settings import Settings, SettingsError, read_settings, settings

WHOLE = {
    "TABLE_NAME": "table",
    "BUCKET_NAME": "bucket",
    "QUEUE_URL": "https://queue",
    "KMS_KEY_ARN": "arn:aws:kms:eu-west-2:123456789012:key/1",
    "ENVIRONMENT_SUFFIX": "dev",
}


def test_settings_are_read() -> None:
    assert read_settings(WHOLE) == Settings(*WHOLE.values())


def test_all_that_is_missing_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({**WHOLE, "TABLE_NAME": "", "KMS_KEY_ARN": ""})
    assert str(caught.value) == (
        "The function's environment lacks TABLE_NAME, KMS_KEY_ARN, so it cannot find its resources. "
        "Set each in the function's `environment.variables`."
    )


def test_the_process_reads_its_environment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)
    first = settings()
    monkeypatch.setenv("TABLE_NAME", "another")
    assert settings() is first
    settings.cache_clear()
