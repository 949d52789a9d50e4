"""A product that follows the network, by commands alone; and an alarm, from its cause to its end."""

from tests.cli.shell import Shell
from tests.stories.node import feed, node

TERMS = ["--figure", "/rates/0/apr", "--time", "/at", "--desk-share", "0.1"]
BOUNDS = ["--apr-min", "0.01", "--apr-max", "0.1", "--step-max", "0.02"]


def flat(desk: Shell) -> None:
    """Sell a flexible product at 8 % for every amount."""
    words = [
        "--asset",
        "BTC",
        "--kind",
        "flexible",
        "--name",
        "Flat",
        "--amount-min",
        "0.001",
        "--step",
        "0.001",
    ]
    desk.done("products", "draft", "FLAT", *words, "--as", "ada")
    desk.done("products", "approve", "FLAT", "--as", "bob")
    number = desk.done("rates", "propose", "FLAT", "--apr", "0.08", "--as", "ada")["approval_id"]
    desk.done("rates", "approve", number, "--as", "bob")


def follow(desk: Shell, url: str, *more: str) -> str:
    """Ask for a source; gives the number of the request."""
    words = [
        "rates",
        "sources",
        "set",
        "FLAT",
        "--kind",
        "json",
        "--url",
        url,
        *TERMS,
        *BOUNDS,
        *more,
        "--as",
        "ada",
    ]
    return str(desk.done(*words)["approval_id"])


def test_a_product_follows_a_feed_from_its_terms_to_its_end(desk: Shell) -> None:
    flat(desk)
    with node(feed("9.5")) as server:
        number = follow(desk, server.url + "/feed", "--percent")
        assert desk.done("approvals", "list")["approvals"][0]["act"] == "set_rate_source"
        desk.refused("second_person_needed", 4, "rates", "sources", "approve", number, "--as", "ada")
        followed = desk.done("rates", "sources", "approve", number, "--as", "bob")
        assert (followed["set_by"], followed["approved_by"], followed["terms"]["apr_max"]) == (
            "ada",
            "bob",
            "0.1",
        )
        read = desk.done("rates", "sources", "read", "FLAT")
        assert (read["network_apr"], read["apr"], read["outcome"]) == ("0.095", "0.0855", "published")
    newest = desk.done("rates", "history", "FLAT")["revisions"][-1]
    assert (newest["reading"], newest["proposed_by"]) == (f"reading {read['reading_id']}", "rate-source")
    assert newest["rate"]["effective_at"] == "2026-01-11T00:00:00Z"
    shown = desk.done("rates", "sources", "show", "FLAT")
    assert shown["readings"][0]["document_hash"] == read["document_hash"]
    assert desk.done("rates", "sources", "list")["sources"][0]["product"] == "FLAT"
    desk.refused("source_unreadable", 75, "rates", "sources", "read", "FLAT")
    assert desk.done("rates", "sources", "end", "FLAT", "--as", "ada")["ended_at"] == "2026-01-10T15:30:00Z"
    desk.refused("source_not_found", 3, "rates", "sources", "show", "FLAT")


def test_a_rate_outside_the_bounds_is_an_alarm_and_two_people_s_to_publish(desk: Shell) -> None:
    flat(desk)
    with node(feed("0.5")) as server:
        desk.done("rates", "sources", "approve", follow(desk, server.url + "/feed"), "--as", "bob")
        told = desk("rates", "sources", "read", "FLAT")
    assert "45 % is left to people: 0.450000 lies outside 0.01 to 0.1." in told.out
    assert "staddle rates sources propose FLAT" in told.out
    of_source = [
        each for each in desk.done("alarms", "list")["alarms"] if each["kind"].startswith("rate_source")
    ]
    [alarm] = of_source
    assert (alarm["kind"], alarm["subject"]) == ("rate_source_out_of_bounds", "FLAT")
    assert "rate_source_out_of_bounds" in desk("alarms", "list").out
    number = desk.done("rates", "sources", "propose", "FLAT", "--as", "ada")["approval_id"]
    desk.refused("second_person_needed", 4, "rates", "approve", number, "--as", "ada")
    assert desk.done("rates", "approve", number, "--as", "bob")["rate"]["tiers"][0]["apr"] == "0.45"
    assert desk.done("alarms", "clear", str(alarm["alarm_id"]), "--as", "ada")["kind"] == alarm["kind"]
    assert alarm["alarm_id"] not in {each["alarm_id"] for each in desk.done("alarms", "list")["alarms"]}
    with_cleared = {each["alarm_id"]: each for each in desk.done("alarms", "list", "--all")["alarms"]}
    assert with_cleared[alarm["alarm_id"]]["cleared_by"] == "ada"
