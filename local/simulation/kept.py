"""Seeds of worlds that once found something: they are played again with each ``make test``."""

KEPT = {
    232: "a message that meets a lock is put again: doubled ones become ever more",
    26: "and two of them never come to the fifth delivery, after which the run would end",
}
