"""nginx in front of the product changes nothing."""
