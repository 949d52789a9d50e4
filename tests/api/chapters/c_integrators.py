"""What an integrator's back end does: customers, deposits and withdrawals, singly and many at once."""

from tests.api.story import Story


def tell(story: Story) -> None:
    client = story.client
    story.call("add_customer", client, reference="dora", body={"name": "Dora", "country": "DE"})
    many = [{"reference": "emil", "country": "FR"}, {"reference": "fay", "country": "UK"}]
    story.call("add_many_customers", client, body={"items": many})
    story.call("change_known_customer", client, reference="dora", body={"vip_level": 2})
    story.call("list_all_customers", client, limit=2)
    story.call("show_customer", client, reference="ada")
    money = {"customer": "dora", "asset": "USDT", "amount": "1000"}
    story.call("add_deposit", client, body=money)
    story.call("add_withdrawal", client, body={**money, "amount": "250.5", "account": "spot"})
    items = [
        {"key": "credit-1", "customer": "emil", "asset": "USDT", "amount": "12.5"},
        {"key": "credit-2", "customer": "nobody", "asset": "USDT", "amount": "12.5"},
    ]
    story.call("add_many_deposits", client, body={"items": items})
    items = [{"key": "debit-1", "customer": "emil", "asset": "USDT", "amount": "100"}]
    story.call("add_many_withdrawals", client, body={"items": items})
    story.call("show_balances_of_customer", client, reference="ada")
    held = story.call("list_positions_of_customer", client, reference="ada", limit=1)["items"][0]
    story.call("show_position_of_customer", client, reference="ada", position_id=held["position_id"])
