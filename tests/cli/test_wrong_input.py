"""A wrong input is one clear sentence with the right exit code, and moves nothing."""

from pathlib import Path

import pytest
from tests.cli.shell import Shell

WRONG_AMOUNTS = [
    "", " ", "1e3", "1E3", "NaN", "nan", "Infinity", "inf", "+1", "-1", "-0", "0x1", "1_000", "1,000", "1 000", ".5",
    "5.", "1.2.3", "١٢", "１２", "½", "12.", "1" * 40, "1." + "0" * 40, "1\x00", "--",
]  # fmt: skip
TOO_FINE = ["0.0000001", "1.1234567"]


@pytest.fixture
def before(desk: Shell) -> str:
    return desk("balances", "ann", "--json").out


def moved_nothing(desk: Shell, before: str) -> None:
    assert desk("balances", "ann", "--json").out == before


def test_amounts_that_are_not_plain_decimals_are_refused_everywhere(desk: Shell, before: str) -> None:
    for amount in WRONG_AMOUNTS:
        for command in (
            ["deposit", "ann", "USDT", amount],
            ["withdraw", "ann", "USDT", amount],
            ["transfer", "ann", "USDT", amount, "--from", "spot", "--to", "funding"],
            ["subscribe", "ann", "FLEX", amount, "--accept", "1"],
            ["redeem", "ann", "FLEX", amount],
            ["treasury", "fund", "USDT", amount, "--as", "ada"],
        ):
            ran = desk(*command, "--json")
            assert ran.code == 2, (command, ran)
            assert ran.problem["code"] in {"invalid_amount", "invalid"}, command
            assert ran.problem["moved"] is False
    moved_nothing(desk, before)


@pytest.mark.parametrize("amount", ["0", "0.000000", "9" * 30])
def test_zero_and_more_than_there_is_are_refused(desk: Shell, before: str, amount: str) -> None:
    for command in (
        ["withdraw", "ann", "USDT", amount],
        ["subscribe", "ann", "FLEX", amount, "--accept", "1"],
    ):
        ran = desk(*command, "--json")
        assert ran.code in {2, 4}
        assert ran.problem["moved"] is False
    moved_nothing(desk, before)


@pytest.mark.parametrize("amount", TOO_FINE)
def test_amounts_finer_than_the_coin_are_refused(desk: Shell, before: str, amount: str) -> None:
    desk.refused("too_many_decimals", 2, "deposit", "ann", "USDT", amount)
    desk.refused("too_many_decimals", 2, "subscribe", "ann", "FLEX", amount, "--accept", "1")
    moved_nothing(desk, before)


def test_unknown_names_are_not_found(desk: Shell) -> None:
    desk.refused("customer_not_found", 3, "balances", "nobody")
    desk.refused("customer_not_found", 3, "deposit", "", "USDT", "1")
    desk.refused("asset_not_found", 3, "deposit", "ann", "DOGE", "1")
    desk.refused("product_not_found", 3, "subscribe", "ann", "NOPE", "1", "--accept", "1")
    desk.refused("product_not_found", 3, "products", "show", "flex")
    desk.refused("position_not_found", 3, "position", "ann", "9" * 18)
    desk.refused("position_not_found", 3, "quote", "ann", "0")
    desk.refused("quote_not_found", 3, "leave", "ann", "--quote", "77")
    desk.refused("operator_not_found", 3, "assets", "add", "ETH", "Ether", "--as", "mallory")
    desk.refused("operator_not_found", 3, "assets", "add", "ETH", "Ether")
    desk.refused("approval_not_found", 3, "rates", "approve", "99", "--as", "bob")
    desk.refused("run_not_found", 3, "rewards", "report", "2026-01-10")
    desk.refused("reward_not_found", 3, "receipt", "ann", "nonsense")


@pytest.mark.parametrize("number", ["9" * 30, "-1", "1.5", "abc", ""])
def test_numbers_that_can_be_no_ids_are_one_sentence(desk: Shell, number: str) -> None:
    for command in (["position", "ann"], ["quote", "ann"], ["leave", "ann", "--quote"], ["rates", "approve"]):
        ran = desk(*command, number, "--json", *(["--as", "bob"] if command[0] == "rates" else []))
        assert ran.code in {2, 3}, (command, ran)
        assert ran.problem["code"] != "bug"


def test_words_that_are_no_choices_are_refused(desk: Shell) -> None:
    desk.refused("invalid_choice", 2, "deposit", "ann", "USDT", "1", "--account", "earn")
    desk.refused("invalid_choice", 2, "subscribe", "ann", "FLEX", "1", "--accept", "1", "--from", "savings")
    desk.refused("invalid_choice", 2, "redeem", "ann", "FLEX")
    desk.refused("invalid_choice", 2, "redeem", "ann", "FLEX", "1", "--all")
    desk.refused("invalid_choice", 2, "positions", "ann", "--state", "gone")
    desk.refused(
        "invalid_choice", 2, "products", "halt", "FLEX", "everything", "--reason", "x", "--as", "ada"
    )
    desk.refused("invalid_choice", 2, "leave", "ann")
    desk.refused("invalid_rate", 2, "rates", "propose", "FLEX", "--tier", "0:500", "--as", "ada")
    desk.refused("invalid_rate", 2, "rates", "propose", "FLEX", "--as", "ada")


@pytest.mark.parametrize("text", ["", "soon", "3", "-3d", "3w", "d", "99999999999999d", "٣d"])
def test_what_is_no_length_of_time_is_refused(desk: Shell, text: str) -> None:
    ran = desk("clock", "advance", text, "--json")
    assert ran.code == 2
    assert ran.problem["code"] in {"invalid_time", "invalid_amount"}


NO_INSTANTS = ["", "yesterday", "2026-02-30", "2026-01-31T15:30:00", "20260131", "9999-12-31T23:59:59Z"]


@pytest.mark.parametrize("text", NO_INSTANTS)
def test_what_is_no_instant_is_refused(desk: Shell, text: str) -> None:
    desk.refused("invalid_time", 2, "clock", "set", text)


def test_a_clock_only_moves_forward(desk: Shell) -> None:
    desk.refused("invalid_time", 2, "clock", "set", "2026-01-01")


def test_keys_that_cannot_be_kept_are_refused(desk: Shell, before: str) -> None:
    for key in ("", "x" * 201, "a\nb"):
        desk.refused("invalid_key", 2, "deposit", "ann", "USDT", "1", "--key", key)
    moved_nothing(desk, before)


def test_terms_that_do_not_fit_are_refused_by_name(desk: Shell, tmp_path: Path) -> None:
    draft = ["products", "draft", "NEW", "--asset", "USDT", "--name", "New", "--as", "ada"]
    flexible = [*draft, "--kind", "flexible", "--amount-min", "1", "--step", "1"]
    assert desk.refused("invalid_terms", 2, *flexible, "--term-days", "7")["details"]["field"] == "term_days"
    desk.refused("invalid_amount", 2, *flexible, "--quota", "1e6")
    assert (
        "step"
        in desk.refused("invalid_terms", 2, *draft, "--kind", "flexible", "--amount-min", "1")["message"]
    )
    for text in ('{"amount_min": 1e3}', "[]", "{", '{"surprise": 1}'):
        file = tmp_path / "terms.json"
        file.write_text(text)
        assert desk(*flexible, "--terms", str(file)).code == 2
    desk.refused("invalid_file", 2, *flexible, "--terms", str(tmp_path / "none.json"))


def test_files_that_cannot_be_read_are_refused(desk: Shell, tmp_path: Path) -> None:
    desk.refused("invalid_file", 2, "customers", "import", str(tmp_path / "none.csv"))
    desk.refused("invalid_file", 2, "customers", "import", str(tmp_path))
    bad = tmp_path / "bad.csv"
    bad.write_text("customer,asset,account,amount,reference\nann,USDT,spot,1,a\nann,USDT,spot,-1,b\n")
    problem = desk.refused("invalid_file", 2, "deposits", "import", str(bad))
    assert problem["details"]["problems"][0]["line"] == 3
    skipped = desk("deposits", "import", str(bad), "--on-error", "skip", "--json")
    assert (skipped.code, skipped.json["imported"], skipped.json["problem_count"]) == (2, 1, 1)


def test_settings_that_are_wrong_are_named(desk: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.refused("invalid_config", 2, "desk", "show", "--database", "No Such Name")
    monkeypatch.setenv("STADDLE_DATABSE", "typo")
    assert "STADDLE_DATABSE" in desk.refused("invalid_config", 2, "desk", "show")["message"]


def test_a_server_that_is_not_there_is_to_be_tried_again(
    desk: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STADDLE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    ran = desk("desk", "show", "--json")
    assert (ran.code, ran.problem["code"]) == (75, "database_unavailable")


def test_an_empty_database_says_what_to_do(shell: Shell) -> None:
    problem = shell.refused("desk_not_found", 3, "balances", "ann")
    assert "staddle desk create" in problem["message"]
    shell.refused("invalid_choice", 2, "desk", "create", "Somebody's desk")


def test_a_production_desk_has_no_clock_to_move(shell: Shell) -> None:
    shell.done("desk", "create", "Real desk", "--production")
    shell.refused("not_a_sandbox", 4, "clock", "advance", "1d")
    shell.refused("not_a_sandbox", 4, "clock", "advance", "1d", "--with-runs")
