"""Batch generation: what is asked of a language model, paid for once, checked and published."""
