"""The crash test: messages flow through the whole product while its processes are killed, and every one is counted.

The sandbox counts the calls that Meta would have acted on, the database says what we believe, a receiver says what
the vendor was told, and the driver remembers what every caller was promised. `verdicts.py` compares the four.
"""
