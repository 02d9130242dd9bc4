"""Seeds of worlds that once found something: they are played again with each ``make test``."""

KEPT = {
    69: "the timer's clock ahead of the worker's: an older refresh was planned, and the newer one never",
    1018: "a run that never held its export, and was overtaken, stayed queued for ever",
    5085: "a slice of which nothing gets done in an invocation was handed over for ever",
    232: "a message that meets a lock is put again: doubled ones become ever more",
    26: "and two of them never come to the fifth delivery, after which the run would end",
}
