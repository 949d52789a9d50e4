"""Telling integrators by commands: an endpoint, what became of its deliveries, sending them again."""

import os
from datetime import UTC, datetime

import pytest
from tests.cli.shell import Shell
from tests.stories.receiver import answering, receiver

from staddle.config import Config
from staddle.db import open_database
from staddle.keyring import Keyring
from staddle.notices import Allowed
from staddle.server.deliver import deliver_due


def tell_integrators(desk: Shell) -> None:
    """Use every command of webhooks against a receiver on this machine."""
    with pytest.MonkeyPatch.context() as patch, receiver() as receiving:
        key = "A" * 43 + "="
        patch.setenv("STADDLE_SECRET_KEY", key)
        patch.setenv("STADDLE_WEBHOOK_ALLOW", "127.0.0.1")
        config = Config.from_environ(os.environ)

        def deliver() -> None:
            with open_database(config) as database:
                deliver_due(database, Keyring(config), Allowed.parse(config.webhook_allow), datetime.now(UTC))

        made = desk.done("webhooks", "add", "exchange", receiving.url, "--kind", "deposit", "--as", "ada")
        number = made["endpoint_id"]
        assert (made["kinds"], made["state"]) == (["deposit"], "enabled")
        assert desk.done("webhooks", "secret", number)["secret"].startswith("whsec_")
        desk.done("deposit", "ann", "USDT", "1")
        receiving.answer = answering(500, b"not now")
        deliver()
        [waiting] = desk.done("webhooks", "deliveries", number, "--state", "pending")["deliveries"]
        [attempt] = desk.done("webhooks", "delivery", number, waiting["event"])["attempts"]
        assert (attempt["status"], attempt["answer"]) == (500, "not now")
        receiving.answer = answering(204)
        assert desk.done("webhooks", "replay", number, waiting["event"], "--as", "ada")["replayed"] == 1
        deliver()
        assert [each.event["data"]["amount"] for each in receiving.received] == ["1.000000"] * 2
        assert desk.done("webhooks", "dead")["deliveries"] == []
        again = desk.done("webhooks", "replay", number, "--since", "2026-01-01", "--as", "ada")["replayed"]
        assert again > 1, "with the deposits of before it was made"
        assert desk.done("webhooks", "disable", number, "--as", "ada")["disabled_because"] == "by_owner"
        assert desk.done("webhooks", "enable", number, "--as", "ada")["state"] == "enabled"
        assert [each["pending_count"] for each in desk.done("webhooks", "list")["endpoints"]] == [again]
        desk.done("webhooks", "revoke", number, "--as", "ada")
        assert desk.done("webhooks", "list")["endpoints"] == []
        acts = [each["act"] for each in desk.done("desk", "log", "--count", "1")["entries"]]
        assert acts == ["revoke_webhook"]
