"""One parser a format; each module has ``parse(data, name) -> Extracted``."""
