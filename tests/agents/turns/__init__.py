"""Answers to customers."""
