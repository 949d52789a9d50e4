"""Rule 33: rates follow the network, within bounds that two people have set; each kind as the real one answers."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.living import Living
from tests.stories.node import (
    Answer,
    Asked,
    Node,
    beacon,
    cosmos,
    feed,
    isqrt,
    node,
    says,
    seconds_ago,
    solana,
    writes,
)

from staddle import desk, errors, products
from staddle.db import Database
from staddle.desk import Alarm
from staddle.notices import announcements_to
from staddle.products import Reading, SourceTerms
from staddle.server import fetch
from staddle.server.read_rates import read_source, read_sources_due

EVENING = datetime(2026, 1, 22, 22, 30, tzinfo=UTC)
"""An hour and a half before the distribution of the 23rd."""
MIDNIGHT = datetime(2026, 1, 23, tzinfo=UTC)
BOUNDS: dict[str, Any] = {
    "desk_share": Decimal("0.1"),
    "apr_min": Decimal("0.01"),
    "apr_max": Decimal("0.08"),
    "step_max": Decimal("0.005"),
}


def machine_now() -> datetime:
    """The network lives by the machine's clock."""
    return datetime.now(UTC)


class Following:
    """A desk with a floating product at 5 %, and a source for it."""

    def __init__(self, database: Database) -> None:
        self.living = Living(database)
        self.living.product("SOL-FLEX", "SOL", apr="0.05")
        self.anna = self.living.customer("anna", SOL="100")
        self.living.subscribe(self.anna, "SOL-FLEX", "10")
        self.living.comes(EVENING)

    def terms(self, url: str, **changed: Any) -> SourceTerms:
        """A JSON feed within BOUNDS, unless said otherwise."""
        of_feed = {"kind": "json", "figure_path": "/rates/0/apr", "time_path": "/at"}
        return SourceTerms(**{"url": url, **BOUNDS, **({} if "kind" in changed else of_feed), **changed})

    def follow(self, url: str, **changed: Any) -> products.Source:
        """Set a source as ada and approve it as bob."""
        with self.living.database.transaction() as tx:
            number = products.set_source(tx, "ada", "SOL-FLEX", self.terms(url, **changed), self.living.now)
            return products.approve_source(tx, "bob", number, self.living.now)

    def read(self) -> Reading:
        """Read the product's source now."""
        return read_source(self.living.database, "SOL-FLEX", self.living.now, machine_now())

    def look(self) -> list[Reading]:
        """Do what the schedule does every few minutes."""
        return read_sources_due(self.living.database, self.living.now, machine_now())

    def revisions(self) -> list[products.Revision]:
        with self.living.database.transaction() as tx:
            return products.rate_history(tx, "SOL-FLEX")

    def aprs(self) -> list[str]:
        return [str(each.rate.tiers[0].apr) for each in self.revisions()]

    def alarms(self) -> list[Alarm]:
        with self.living.database.transaction() as tx:
            return desk.list_alarms(tx)


@pytest.fixture
def following(database: Database) -> Following:
    return Following(database)


@pytest.fixture
def feeding() -> Iterator[Node]:
    with node(feed("0.0540000001")) as server:
        yield server


# What each kind says


KINDS: list[tuple[str, str, Callable[[], dict[str, Answer]], str, str]] = [
    ("solana", "/rpc", solana, "0.05865", "0.052785"),
    ("ethereum_beacon", "", beacon, "0.028497375", "0.025647"),
    ("cosmos", "", cosmos, "0.156", "0.140400"),
]


@pytest.mark.parametrize(
    ("kind", "path", "answers", "network", "apr"), KINDS, ids=[kind[0] for kind in KINDS]
)
def test_each_kind_of_node_is_read_as_it_answers(
    kind: str,
    path: str,
    answers: Callable[[], dict[str, Answer]],
    network: str,
    apr: str,
    following: Following,
) -> None:
    with node(answers()) as server:
        following.follow(server.url + path, kind=kind, apr_max=Decimal(1), step_max=Decimal(1))
        reading = following.read()
    assert reading.network_apr == Decimal(network)
    assert (str(reading.apr), reading.outcome) == (apr, "published")
    assert reading.figure_at is not None
    assert timedelta(0) < machine_now() - reading.figure_at < timedelta(hours=1)


def test_the_beacon_formula_is_that_of_the_base_reward() -> None:
    """64 / sqrt(total active balance in Gwei) is paid in an epoch of 384 seconds, in whole Gwei for each coin."""
    coins = 34_000_000
    of_a_coin = 64 * 10**9 // isqrt(coins * 10**9)
    assert Decimal(of_a_coin * 365 * 86_400) / (384 * 10**9) == Decimal("0.028497375")


def test_a_provider_s_key_in_the_address_stays_in_the_question(following: Following) -> None:
    with node(cosmos()) as server:
        following.follow(server.url + "/?key=k1", kind="cosmos", apr_max=Decimal(1), step_max=Decimal(1))
        following.read()
        assert {path.split("?")[1] for path, _ in server.asked} == {"key=k1"}
        assert server.asked[0][0] == "/cosmos/mint/v1beta1/annual_provisions?key=k1"


@pytest.mark.parametrize(
    ("figure", "is_percent", "apr"),
    [
        (0.054, False, "0.048600"),
        ("0.054", False, "0.048600"),
        (5.4, True, "0.048600"),
        ("5.400000123", True, "0.048600"),
    ],
)
def test_a_feed_gives_fractions_or_percent_as_numbers_or_in_quotes(
    figure: object, is_percent: bool, apr: str, following: Following
) -> None:
    with node(feed(figure)) as server:
        following.follow(server.url + "/feed", is_percent=is_percent)
        assert str(following.read().apr) == apr


# Within the bounds


def test_inside_its_bounds_a_source_publishes_by_itself_for_the_next_distribution(
    following: Following, feeding: Node
) -> None:
    following.follow(feeding.url + "/feed")
    [reading] = following.look()
    assert (reading.network_apr, reading.apr) == (Decimal("0.0540000001"), Decimal("0.048600"))
    assert (reading.outcome, reading.distributed_at) == ("published", MIDNIGHT)
    revision = following.revisions()[-1]
    assert (revision.rate.effective_at, revision.published_at) == (MIDNIGHT, EVENING)
    assert (revision.proposed_by, revision.approved_by) == ("rate-source", "bob")
    assert revision.reading == f"reading {reading.reading_id}"
    assert len(reading.document_hash) == 32
    assert following.alarms() == []


def test_holders_are_told_beforehand_as_of_any_revision(following: Following, feeding: Node) -> None:
    following.follow(feeding.url + "/feed")
    following.look()
    with following.living.database.transaction() as tx:
        [told] = announcements_to(tx, following.anna)
    assert (told.kind, told.effective_at) == ("rate_revised", EVENING)
    assert told.body["tiers"] == [{"amount_from": "0", "amount_to": None, "apr": "0.048600"}]
    assert told.body["effective_at"] == "2026-01-23T00:00:00Z"


def test_a_source_is_read_two_hours_before_the_distribution_and_once(
    following: Following, feeding: Node
) -> None:
    following.follow(feeding.url + "/feed")
    following.living.now = EVENING - timedelta(minutes=31)
    assert following.look() == []
    following.living.now = EVENING - timedelta(minutes=30)
    assert [each.outcome for each in following.look()] == ["published"]
    following.living.now = EVENING
    assert following.look() == []
    assert len(feeding.asked) == 1
    following.living.now = EVENING + timedelta(days=1)
    assert [each.outcome for each in following.look()] == ["unchanged"]
    assert following.aprs() == ["0.05", "0.048600"]


def test_there_is_never_more_than_one_revision_a_day(following: Following, feeding: Node) -> None:
    following.follow(feeding.url + "/feed")
    following.read()
    feeding.answers |= feed("0.055")
    reading = following.read()
    assert (reading.outcome, reading.held_because) == (
        "held",
        "another rate is announced for that time or later",
    )
    assert len(following.revisions()) == 2


def test_two_readings_at_once_are_one_revision(following: Following, feeding: Node) -> None:
    following.follow(feeding.url + "/feed")
    with ThreadPoolExecutor(4) as threads:
        outcomes = [each.outcome for each in threads.map(lambda _: following.read(), range(4))]
    assert sorted(outcomes) == ["published", "unchanged", "unchanged", "unchanged"]


# Outside the bounds: two people


@pytest.mark.parametrize(
    ("figure", "because"),
    [
        ("0.2", "0.180000 lies outside 0.01 to 0.08"),
        ("0.011", "0.009900 lies outside 0.01 to 0.08"),
        ("0", "0.000000 lies outside 0.01 to 0.08"),
        ("0.062", "it differs by 0.005800 from the rate before, more than 0.005"),
        ("0.049", "it differs by 0.005900 from the rate before, more than 0.005"),
        ("123456789012345678901234567890", "lies outside"),
    ],
)
def test_outside_its_bounds_a_rate_is_left_to_people_and_alarmed(
    figure: str, because: str, following: Following
) -> None:
    with node(feed(figure)) as server:
        following.follow(server.url + "/feed")
        [reading] = following.look()
    assert reading.outcome == "held"
    assert because in (reading.held_because or "")
    assert following.aprs() == ["0.05"]
    [alarm] = following.alarms()
    assert (alarm.kind, alarm.subject) == ("rate_source_out_of_bounds", "SOL-FLEX")
    assert alarm.details["reading_id"] == reading.reading_id


def test_exactly_at_its_bounds_and_its_step_a_rate_is_published(following: Following) -> None:
    with node(feed("0.05")) as server:
        following.follow(server.url + "/feed", desk_share=Decimal(0), apr_max=Decimal("0.055"))
        server.answers |= feed("0.055")
        assert following.read().outcome == "published"


def test_a_held_rate_is_proposed_by_one_person_and_approved_by_another(following: Following) -> None:
    with node(feed("0.2")) as server:
        following.follow(server.url + "/feed")
        [reading] = following.look()
        with following.living.database.transaction() as tx:
            number, proposed = products.propose_reading(tx, "ada", "SOL-FLEX", following.living.now)
            assert proposed == reading
            with pytest.raises(errors.SecondPersonNeeded):
                products.approve_rate(tx, "ada", number, following.living.now)
        with following.living.database.transaction() as tx:
            products.approve_rate(tx, "bob", number, following.living.now)
        revision = following.revisions()[-1]
        assert (revision.proposed_by, revision.approved_by) == ("ada", "bob")
        assert revision.reading == f"reading {reading.reading_id}"
        assert (str(revision.rate.tiers[0].apr), revision.rate.effective_at) == ("0.180000", MIDNIGHT)
        assert [each.outcome for each in following.look()] == ["unchanged"]
    assert following.alarms() == []


def test_nothing_waits_for_people_once_its_distribution_has_passed(following: Following) -> None:
    with node(feed("0.2")) as server:
        following.follow(server.url + "/feed")
        following.look()
    with following.living.database.transaction() as tx, pytest.raises(errors.ReadingNotFound):
        products.propose_reading(tx, "ada", "SOL-FLEX", MIDNIGHT)


# Stale, broken, absurd


def test_stale_figures_change_nothing_and_alarm(following: Following) -> None:
    old = (machine_now() - timedelta(hours=25)).isoformat()
    with node(feed("0.054", old)) as server:
        following.follow(server.url + "/feed")
        with pytest.raises(errors.SourceStale):
            following.read()
        assert following.look() == []
        assert [(each.kind, each.subject) for each in following.alarms()] == [
            ("rate_source_stale", "SOL-FLEX")
        ]
        server.answers |= feed("0.054", (machine_now() - timedelta(hours=23)).isoformat())
        assert [each.outcome for each in following.look()] == ["published"]
    assert following.alarms() == []


def redirect(asked: Asked) -> None:
    asked.say(b"", 302, {"Location": "/feed2"})


def too_much(asked: Asked) -> None:
    asked.send_response(200)
    asked.send_header("Content-Type", "application/json")
    asked.end_headers()
    for _ in range(17):
        asked.wfile.write(b" " * (1 << 20))
    asked.close_connection = True


def compressed(asked: Asked) -> None:
    asked.say(b"\x1f\x8b" + b"\0" * 100, headers={"Content-Encoding": "gzip"})


def cut_off(asked: Asked) -> None:
    asked.say(b'{"rates"', headers={"Content-Length": "1000"})
    asked.close_connection = True


def saying(figure: str) -> Answer:
    """A feed that is as it should be but for its figure, given as it stands in the text."""
    return writes(f'{{"rates": [{{"apr": {figure}}}], "at": {seconds_ago()}}}')


BROKEN: dict[str, tuple[Answer, str]] = {
    "NaN": (saying("NaN"), "JSON"),
    "Infinity": (saying("Infinity"), "JSON"),
    "NaN in quotes": (saying('"NaN"'), "not a figure"),
    "negative": (saying("-0.01"), "not a figure"),
    "negative whole": (saying("-1"), "not a figure"),
    "minus zero": (saying("-0.0"), "not a figure"),
    "words": (saying('"five percent"'), "not a figure"),
    "an exponent in quotes": (saying('"5e-2"'), "not a figure"),
    "a comma": (saying('"0,05"'), "not a figure"),
    "a sign in quotes": (saying('"+0.054"'), "not a figure"),
    "Arabic digits": (saying('"\u0660.\u0660\u0665"'), "not a figure"),
    "a truth": (saying("true"), "not a figure"),
    "nothing": (saying("null"), "not a figure"),
    "a list": (saying("[0.054]"), "not a figure"),
    "huge": (saying("1e400"), "digits"),
    "tiny": (saying("1e-999999999"), "digits"),
    "beyond decimals": (saying("1e99999999999999999999"), "JSON"),
    "a hundred digits": (saying("0." + "1" * 100), "digits"),
    "ten thousand digits": (saying("9" * 10_000), "JSON"),
    "no such path": (says({"rates": [], "at": seconds_ago()}), "nothing at /rates/0/apr"),
    "no JSON": (writes("<html>503 try again</html>"), "JSON"),
    "nested": (writes("[" * 100_000), "JSON"),
    "empty": (writes(""), "JSON"),
    "broken UTF-8": (lambda asked: asked.say(b'{"rates": [{"apr": "\xff"}]}'), "JSON"),
    "status 500": (lambda asked: asked.say(b'{"rates": [{"apr": 0.054}]}', 500), "status 500"),
    "redirect": (redirect, "points elsewhere"),
    "oversize": (too_much, "more than 16 MB"),
    "compressed": (compressed, "compresses"),
    "cut off": (cut_off, "does not answer"),
    "no time": (says({"rates": [{"apr": 0.054}]}), "nothing at /at"),
    "a time of no calendar": (feed(0.054, "yesterday")["/feed"], "not an instant"),
    "a time to come": (feed(0.054, "2999-01-01T00:00:00Z")["/feed"], "time to come"),
    "a time beyond years": (feed(0.054, 10**20)["/feed"], "not an instant"),
}
"""What a feed may answer that is no figure of now, and what is said of it."""


@pytest.fixture(scope="module")
def breaking() -> Iterator[Node]:
    """One server for all that can be wrong."""
    with node(feed("0.054")) as server:
        server.answers["/feed2"] = server.answers["/feed"]
        yield server


def test_a_broken_or_absurd_source_changes_nothing_and_alarms(following: Following, breaking: Node) -> None:
    following.follow(breaking.url + "/feed")
    for name, (answer, reason) in BROKEN.items():
        breaking.answers["/feed"] = answer
        with pytest.raises(errors.SourceUnreadable) as refused:
            pytest.fail(f"{name} was read as {following.read()}")
        assert reason in refused.value.message, name
        assert following.look() == [], name
        [alarm] = following.alarms()
        assert (alarm.kind, alarm.subject, alarm.details["source_id"]) == (
            "rate_source_failed",
            "SOL-FLEX",
            1,
        ), name
        with following.living.database.transaction() as tx:
            desk.clear_alarm(tx, "rate_source_failed", "SOL-FLEX", following.living.now)
            assert products.readings_of(tx, "SOL-FLEX") == [], name
    assert following.aprs() == ["0.05"]
    breaking.answers |= feed("0.054")
    assert [each.outcome for each in following.look()] == ["published"]


def test_a_source_that_never_ends_is_left_after_some_seconds(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "SECONDS_IN_ALL", 0.5)
    enough = threading.Event()

    def drip(asked: Asked) -> None:
        asked.send_response(200)
        asked.end_headers()
        while not enough.wait(0.05):
            asked.wfile.write(b" ")
            asked.wfile.flush()
        asked.close_connection = True

    with node({"/feed": drip}) as server:
        following.follow(server.url + "/feed")
        began = machine_now()
        with pytest.raises(errors.SourceUnreadable, match="longer than"):
            following.read()
        enough.set()
    assert machine_now() - began < timedelta(seconds=3)


def test_a_source_that_is_silent_is_left_after_some_seconds(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "SECONDS_OF_SILENCE", 0.3)
    enough = threading.Event()

    def wait(_: Asked) -> None:
        enough.wait(5)

    with node({"/feed": wait}) as server:
        following.follow(server.url + "/feed")
        with pytest.raises(errors.SourceUnreadable, match="does not answer"):
            following.read()
        enough.set()


def test_a_source_that_nobody_answers_for_stops_no_other(following: Following, feeding: Node) -> None:
    following.living.product("BTC-FLEX", "BTC", apr="0.05")
    with following.living.database.transaction() as tx:
        gone = following.terms("http://localhost:1/feed")
        number = products.set_source(tx, "ada", "BTC-FLEX", gone, following.living.now)
        products.approve_source(tx, "bob", number, following.living.now)
    following.follow(feeding.url + "/feed")
    assert [each.product for each in following.look()] == ["SOL-FLEX"]
    assert [(each.kind, each.subject) for each in following.alarms()] == [("rate_source_failed", "BTC-FLEX")]


@pytest.mark.parametrize("broken", ["bonded", "tax", "stake", "rewards", "epoch", "rpc error"])
def test_a_node_whose_figures_make_no_sense_is_not_followed(broken: str, following: Following) -> None:
    answers: dict[str, Answer] = {}
    kind = "cosmos"
    if broken == "bonded":
        answers = cosmos() | {"/cosmos/staking/v1beta1/pool": says({"pool": {"bonded_tokens": "0"}})}
    elif broken == "tax":
        answers = cosmos(tax="1.5")
    elif broken == "stake":
        kind, answers = "solana", solana_with(solana(), "getVoteAccounts", {"current": [], "delinquent": []})
    elif broken == "rpc error":
        kind, answers = "solana", solana_with(solana(), "getSupply", None)
    elif broken == "rewards":
        kind, answers = "ethereum_beacon", beacon(epoch=7)
        answers["/eth/v1/beacon/rewards/attestations/7"] = says({"data": {"ideal_rewards": []}})
    else:
        kind, answers = "ethereum_beacon", beacon(epoch=10**15)
    with node(answers) as server:
        following.follow(server.url + ("/rpc" if kind == "solana" else ""), kind=kind)
        with pytest.raises(errors.SourceUnreadable):
            following.read()
    assert following.aprs() == ["0.05"]


def solana_with(answers: dict[str, Answer], method: str, result: Any) -> dict[str, Answer]:
    """A Solana node that answers one method otherwise; None is an error."""
    usual = answers["/rpc"]

    def rpc(asked: Asked) -> None:
        if asked.body["method"] != method:
            usual(asked)
        elif result is None:
            says({"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "Node is behind"}})(asked)
        else:
            says({"jsonrpc": "2.0", "id": 1, "result": result})(asked)

    return {"/rpc": rpc}
