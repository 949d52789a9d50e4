"""Rule 33: a source is set by one operator and approved by another, is read over TLS, and belongs to nobody."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.living import Living
from tests.stories.node import feed, node
from tests.stories.test_rate_sources import EVENING, Following, machine_now

from staddle import desk, errors, products
from staddle.db import Database
from staddle.products import check_source
from staddle.server.read_rates import read_source

HTTPS = "https://feed.example.com/feed"


@pytest.fixture
def following(database: Database) -> Following:
    return Following(database)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("kind", {"kind": "xml", "figure_path": None, "time_path": None}),
    ("url", {"url": "ftp://feed.example.com/feed"}),
    ("url", {"url": "feed.example.com/feed"}),
    ("url", {"url": "https:///feed"}),
    ("url", {"url": "https://feed.example.com:99999/feed"}),
    ("url", {"url": "https://ada:secret@feed.example.com/feed"}),
    ("url", {"url": "https://feed.example.com/feed#apr"}),
    ("url", {"url": "https://feed.example.com/fe ed"}),
    ("url", {"url": "https://f\u00e9ed.example.com/feed"}),
    ("url", {"url": "https://feed.example.com/" + "f" * 500}),
    ("url", {"url": "file:///etc/passwd"}),
    ("figure_path", {"figure_path": None}),
    ("figure_path", {"figure_path": "rates.0.apr"}),
    ("figure_path", {"kind": "cosmos", "figure_path": "/apr"}),
    ("time_path", {"time_path": "at"}),
    ("desk_share", {"desk_share": Decimal("1.1")}),
    ("desk_share", {"desk_share": Decimal("-0.1")}),
    ("desk_share", {"desk_share": Decimal("NaN")}),
    ("apr_min", {"apr_min": Decimal("0.09")}),
    ("apr_max", {"apr_max": Decimal(101)}),
    ("step_max", {"step_max": Decimal(0)}),
    ("step_max", {"step_max": Decimal("0.0000000000001")}),
    ("stale_hours", {"stale_hours": 0}),
    ("stale_hours", {"stale_hours": 100_000}),
]


@pytest.mark.parametrize("is_sandbox", [True, False])
def test_terms_that_do_not_fit_are_refused_by_their_field(is_sandbox: bool, following: Following) -> None:
    check_source(following.terms(HTTPS), is_sandbox, ())
    for field, changed in WRONG:
        with pytest.raises(errors.InvalidSource) as refused:
            check_source(following.terms(**({"url": HTTPS} | changed)), is_sandbox, ())
        assert refused.value.details["field"] == field, changed


def test_a_source_is_read_over_tls_except_in_a_sandbox_or_from_a_host_that_is_named(
    following: Following,
) -> None:
    plain = following.terms("http://Node-1:8899/feed")
    check_source(plain, True, ())
    with pytest.raises(errors.InvalidSource):
        check_source(plain, False, ())
    check_source(plain, False, {"node-1:8899"})
    check_source(plain, False, {"node-1"})
    with pytest.raises(errors.InvalidSource):
        check_source(plain, False, {"node-1:8898", "node-2"})


def test_a_source_needs_a_second_person(following: Following) -> None:
    living = following.living
    with living.database.transaction() as tx:
        number = products.set_source(tx, "ada", "SOL-FLEX", following.terms(HTTPS), living.now)
        assert [waiting.act for waiting in desk.pending(tx)] == ["set_rate_source"]
        assert products.list_sources(tx) == []
        with pytest.raises(errors.SecondPersonNeeded):
            products.approve_source(tx, "ada", number, living.now)
    with living.database.transaction() as tx:
        source = products.approve_source(tx, "bob", number, living.now)
        assert (source.set_by, source.approved_by, source.terms) == ("ada", "bob", following.terms(HTTPS))
        assert products.list_sources(tx) == [source]
        with pytest.raises(errors.ApprovalNotFound):
            products.approve_rate(tx, "bob", number, living.now)


def test_a_new_source_takes_the_place_of_the_old_one_and_makes_older_requests_stale(
    following: Following,
) -> None:
    living = following.living
    with living.database.transaction() as tx:
        first = products.set_source(tx, "ada", "SOL-FLEX", following.terms(HTTPS), living.now)
        second = products.set_source(tx, "ada", "SOL-FLEX", following.terms(HTTPS + "2"), living.now)
        products.approve_source(tx, "bob", second, living.now)
        with pytest.raises(errors.ApprovalStale):
            products.approve_source(tx, "bob", first, living.now)
    following.follow(HTTPS + "3")
    with living.database.transaction() as tx:
        assert [each.terms.url for each in products.list_sources(tx)] == [HTTPS + "3"]


def test_one_person_can_end_a_source_and_the_rate_stays(following: Following) -> None:
    living = following.living
    following.follow(HTTPS)
    with living.database.transaction() as tx:
        assert products.end_source(tx, "ada", "SOL-FLEX", living.now).ended_at == living.now
        with pytest.raises(errors.SourceNotFound):
            products.find_source(tx, "SOL-FLEX")
        with pytest.raises(errors.SourceNotFound):
            products.end_source(tx, "ada", "SOL-FLEX", living.now)
    with pytest.raises(errors.SourceNotFound):
        following.read()
    assert following.look() == []
    assert following.aprs() == ["0.05"]


def test_only_a_floating_product_with_a_flat_rate_follows_a_source(database: Database) -> None:
    living = Living(database)
    living.product("LOCKED", "SOL", apr="0.05", term_days=30)
    living.product("TIERS", "SOL", bands=[("0", "10", "0.05"), ("10", None, "0.01")])
    living.product("NEW", "SOL")
    terms = Following.terms(None, HTTPS)  # type: ignore[arg-type]
    with database.transaction() as tx:
        for code in ("LOCKED", "TIERS", "NEW"):
            with pytest.raises(errors.InvalidSource):
                products.set_source(tx, "ada", code, terms, living.now)
        with pytest.raises(errors.ProductNotFound):
            products.set_source(tx, "ada", "NOTHING", terms, living.now)


def test_a_product_that_got_tiers_meanwhile_is_left_to_people(following: Following) -> None:
    with node(feed("0.054")) as server:
        following.follow(server.url + "/feed")
        following.living.revise(
            "SOL-FLEX", bands=[("0", "5", "0.05"), ("5", None, "0.01")], at=EVENING + timedelta(minutes=1)
        )
        assert following.read().held_because == "the rate before it has tiers"


def test_the_name_of_a_source_is_nobody_and_can_do_nothing(following: Following) -> None:
    living = following.living
    following.follow(HTTPS)
    with living.database.transaction() as tx:
        with pytest.raises(errors.OperatorNotFound):
            products.propose_rate(tx, "rate-source", "SOL-FLEX", [], None, living.now)
        number = products.propose_rate(
            tx,
            "ada",
            "SOL-FLEX",
            [products.Tier(Decimal(0), None, Decimal("0.06"))],
            EVENING + timedelta(days=1),
            living.now,
        )
        with pytest.raises(errors.OperatorNotFound):
            products.approve_rate(tx, "rate-source", number, living.now)
    with pytest.raises(psycopg.errors.CheckViolation), living.database.transaction() as tx:
        desk.set_active(tx, "ada", "rate-source", True, living.now)


def test_what_was_read_cannot_be_changed_afterwards(following: Following) -> None:
    with node(feed("0.054")) as server:
        following.follow(server.url + "/feed")
        following.read()
    for change in (
        "UPDATE rate_reading SET apr = 1",
        "DELETE FROM rate_reading",
        "UPDATE rate_source SET apr_max = 1",
    ):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            following.living.database.transaction() as tx,
        ):
            tx.execute(change.encode())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody vouches for, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = machine_now()
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(text + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_over_tls_a_source_must_be_who_it_says(
    following: Following, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with node(feed("0.054"), certificate=certificate) as server:
        following.follow(server.url + "/feed")
        with pytest.raises(errors.SourceUnreadable, match="does not answer"):
            following.read()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert following.read().outcome == "published"


def test_in_production_a_plain_source_is_not_even_asked(make_database: Any) -> None:
    database = make_database()
    following = Following(database)
    with node(feed("0.054")) as server:
        following.follow(server.url + "/feed")
        with database.owner() as owner:
            owner.execute("UPDATE desk SET is_sandbox = false, clock_at = NULL")
        with pytest.raises(errors.InvalidSource):
            following.read()
        assert server.asked == []
        host = server.url.removeprefix("http://")
        assert read_source(database, "SOL-FLEX", EVENING, machine_now(), {host}).outcome == "published"
