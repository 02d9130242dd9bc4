"""Which of the valid rows of one address wins: the first, in the order of the files."""

from shared.record.duckdb_workspace import Workspace

# address is the md5 of an email in lower case.
TABLE = "CREATE TABLE seen (address UHUGEINT);"

_FIRST = """
CREATE OR REPLACE TEMP VIEW addressed AS FROM profiles WHERE fault IS NULL;

CREATE OR REPLACE TEMP TABLE first AS
SELECT min(line) AS line, address FROM addressed ANTI JOIN seen USING (address) GROUP BY address;

INSERT INTO seen SELECT address FROM first;
"""

_DUPLICATE = """
INSERT INTO rejected
SELECT ?, ?, line, customer_id, email, 'duplicate_email' FROM addressed ANTI JOIN first USING (line)
"""

# The winners among the profiles, in the order of the file.
WINNERS = "(FROM addressed SEMI JOIN first USING (line) ORDER BY line)"


def find_first(work: Workspace) -> int:
    """Makes the table ``first`` of the winners among ``profiles``; returns how many there are."""
    work.connection.execute(_FIRST)
    return work.count("SELECT count(*) FROM first")


def reject_others(work: Workspace, place: tuple[int, int]) -> int:
    """Returns how many there are."""
    return work.count(_DUPLICATE, place)
