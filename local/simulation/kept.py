"""Seeds of worlds that once found something: they are played again with each ``make test``."""

KEPT: dict[int, str] = {}
