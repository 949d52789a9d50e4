"""Auto-subscribe and rate guards: one's own, with the agreement accepted, and shown as they stand."""

import re

from tests.api.world import Service
from tests.web.visitor import Visitor, alert_of, rows

AUTO = "SELECT floor, source, is_on FROM auto_subscription ORDER BY customer_id"


def version_of(visitor: Visitor) -> str:
    """The version of the agreement that the page asks to accept, or nothing."""
    found = re.search(r'name="agreement_version" value="(\d+)"', visitor.get("/settings/auto-subscribe").text)
    return found[1] if found else ""


def test_auto_subscribe_is_turned_on_with_a_floor_and_off_again(ada: Visitor, ben: Visitor) -> None:
    form = {"product": "USDT-FLEX", "source": "funding", "floor": "12.5", "is_agreed": "on"}
    form["agreement_version"] = version_of(ada)
    assert ada.sent("/settings/auto-subscribe", turn="on", **form) == "/settings/auto-subscribe"
    page = ada.see("/settings/auto-subscribe")
    assert "Auto-subscribe is on" in page
    assert "What is above 12.50 USDT in Funding goes into" in page
    assert "What is above 12.50" not in ben.see("/settings/auto-subscribe")
    assert ada.sent("/settings/auto-subscribe", turn="off", **form) == "/settings/auto-subscribe"
    assert "What is above 12.50" not in ada.see("/settings/auto-subscribe")


def test_a_floor_that_is_none_is_refused_and_kept_in_its_field(service: Service, ada: Visitor) -> None:
    before = rows(service, "SELECT count(*) FROM auto_subscription")
    for floor in ("-1", "1e3", "0.0000000000001", "much"):
        answer = ada.send(
            "/settings/auto-subscribe", product="USDT-FLEX", floor=floor, is_agreed="on", turn="on",
            agreement_version=version_of(ada),
        )  # fmt: skip
        assert 400 <= answer.status_code < 500
        assert alert_of(answer)
        assert f'name="floor" inputmode="decimal" autocomplete="off" value="{floor}"' in answer.text
    assert rows(service, "SELECT count(*) FROM auto_subscription") == before


def test_a_fixed_product_takes_nothing_by_itself(ada: Visitor) -> None:
    answer = ada.send(
        "/settings/auto-subscribe", product="USDT-30D", floor="1", turn="on", is_agreed="on",
        agreement_version=version_of(ada),
    )  # fmt: skip
    assert 400 <= answer.status_code < 500


def test_a_guard_is_set_in_percent_and_turned_off(service: Service, ada: Visitor, ben: Visitor) -> None:
    form = {"product": "USDT-FLEX", "percent": "3.5", "action": "redeem"}
    assert ada.sent("/settings/rate-guards", turn="on", **form) == "/settings/auto-subscribe"
    assert [str(row.apr_min) for row in rows(service, "SELECT apr_min FROM rate_guard")] == ["0.035"]
    assert "Below 3.50 %: redeem all of it" in ada.see("/settings/auto-subscribe").replace("\xa0", " ")
    assert "redeem all of it" not in ben.see("/settings/auto-subscribe")
    assert ada.sent("/settings/rate-guards", turn="off", **form) == "/settings/auto-subscribe"
    assert [row.is_on for row in rows(service, "SELECT is_on FROM rate_guard")] == [False]


def test_a_guard_that_cannot_be_is_refused_with_what_was_typed(ada: Visitor) -> None:
    for wrong in ({"percent": "three"}, {"percent": "99999"}, {"product": "USDT-30D", "action": "redeem"}):
        form = {"product": "USDT-FLEX", "percent": "3", "action": "stop", **wrong}
        answer = ada.send("/settings/rate-guards", turn="on", **form)
        assert 400 <= answer.status_code < 500
        assert alert_of(answer)
        assert f'value="{form["percent"]}"' in answer.text
