"""What everybody may read."""

from tests.api.story import Story


def tell(story: Story) -> None:
    story.call("show_time", story.nobody)
    story.call("list_assets", story.nobody)
    story.call("list_product_offers", story.nobody, kind="flexible")
    story.call("show_product_offer", story.nobody, product="USDT-30D")
    story.call("list_rates", story.nobody, product="BTC-FLEX")
    story.call("show_realised_apr", story.nobody, product="BTC-FLEX")
    story.call("show_current_agreement", story.nobody)
    story.call("show_agreement", story.nobody, version=1)
