"""The HTTP API: routes, identities, limits, caches and what is measured of them."""
