"""Batch APIs of providers behind one interface: submit, find again, wait, read."""
