"""Orders as both programs price, shape and judge them. Pure: an order and a market in, a price or a refusal out."""
