"""The commands of ``./tidemark``, one module a group; ``include.cli`` puts them together."""
