"""The bench: what the product does in a second, beside a reference that does the bare job in the same run.

The machine is shared and noisy, so ratios of one run count and figures of two runs cannot be compared.
"""
